"""Secrets come from files that only their owner can read, or the environment, and go nowhere but to the broker."""

import os
import stat
from pathlib import Path

from controller.errors import ControllerError

PASSWORD_VARIABLE = "LEAKLOC_MQTT_PASSWORD"  # noqa: S105 - the name of a variable
MAX_SECRET_BYTES = 4096
_FOR_OTHERS = stat.S_IRWXO | stat.S_IWGRP  # a group may read, as in root:leakloc 0640


def check_private(file: str, key: str) -> None:
    """See that nobody but its owner and group can read a file with a secret; `key` names it in messages.

    Raises:
        ControllerError: others can, or it is not there.
    """
    try:
        mode = Path(file).stat().st_mode
    except (OSError, ValueError) as error:
        raise ControllerError(f"cannot read {key} {file!r}", remedy=f"{error}; check path and permissions") from error
    if mode & _FOR_OTHERS:
        raise ControllerError(
            f"{key} {file!r} is open to others (mode {stat.S_IMODE(mode):04o})", remedy=f"chmod 600 {file}"
        )


def secret(file: str | None, key: str, variable: str) -> str | None:
    """The first line of `file`, else what the environment's `variable` says, else None.

    Raises:
        ControllerError: the file cannot be read, is open to others, or is no text.
    """
    if file is None:
        return os.environ.get(variable) or None
    check_private(file, key)
    try:
        with Path(file).open("rb") as source:
            return source.read(MAX_SECRET_BYTES).decode().strip()
    except (OSError, ValueError) as error:
        why = "it is not text" if isinstance(error, UnicodeDecodeError) else str(error)  # which would show its bytes
        raise ControllerError(f"cannot read {key} {file!r}", remedy=f"{why}; check path and permissions") from error
