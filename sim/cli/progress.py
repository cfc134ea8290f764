"""What shows how far a long command has come: a bar on a terminal, elsewhere a line now and then."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

EVERY_S = 10.0  # real time


class Seldom:
    """Lines on standard error, one in `EVERY_S` real seconds at most and none at the start."""

    def __init__(self) -> None:
        """Start to wait."""
        self._told_s = time.perf_counter()

    def tell(self, line: str) -> None:
        """Print `line` if it is time for one."""
        now_s = time.perf_counter()
        if now_s - self._told_s >= EVERY_S:
            self._told_s = now_s
            click.echo(line, err=True)


@contextmanager
def progress_shown(name: str, until_s: float) -> Iterator[Callable[[float], None]]:
    """Progress on standard error while the block runs; call what it gives with the scenario time reached, s."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f} of {task.total:.0f} s"),
               TimeRemainingColumn())  # fmt: skip
    console = Console(stderr=True)
    if not console.is_terminal:
        told = Seldom()
        yield lambda at_s: told.tell(f"{name}: {at_s:.0f} of {until_s:.0f} s")
        return
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(name, total=until_s)
        yield lambda at_s: progress.update(bar, completed=at_s)
