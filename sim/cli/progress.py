"""The bar that shows how far a long command has come; nothing of it off a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress_shown(name: str, until_s: float) -> Iterator[Callable[[float], None]]:
    """A bar on standard error while the block runs; what it gives is to be called with the scenario time reached, s."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f} of {task.total:.0f} s"),
               TimeRemainingColumn())  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(name, total=until_s)
        yield lambda at_s: progress.update(bar, completed=at_s)
