"""What all commands share: how a configuration is named and how errors end."""

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from firmware_bridge.errors import BridgeError

CONFIGURATION = click.Path(path_type=Path, dir_okay=False)
REFUSED = 2


def login_name() -> str:
    """Who runs this command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return "terminal"


@contextmanager
def errors_told() -> Iterator[None]:
    """End the program with one line that says what to do."""
    try:
        yield
    except BridgeError as error:
        click.echo(f"leakctl: {error}", err=True)
        sys.exit(REFUSED)


@contextmanager
def reader_may_go() -> Iterator[None]:
    """End quietly when whoever reads our output, such as `head`, has enough."""
    try:
        yield
    except* BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is flushed at the end goes there
