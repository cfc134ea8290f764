"""What a running controller prints: JSON lines or sentences on standard output, the live view on standard error."""

import sys
from collections.abc import Callable

from rich.console import Console

from controller.dashboard.sentences import sentence
from controller.dashboard.terminal import TerminalView
from controller.journal.entries import AnyEntry, to_json
from controller.pipeline.happenings import Picture

REDRAW_S = 0.25  # of the machine's clock


class Printer:
    """Shows entries and pictures; a reader that went away ends the printing, never the controller."""

    def __init__(self, *, as_json: bool, view: bool, narrate: bool, monotonic: Callable[[], float]) -> None:
        """`monotonic` paces the redrawing in real seconds, however fast the loop's clock runs."""
        self._as_json = as_json
        self._narrate = narrate and not view
        self._view = TerminalView(Console(stderr=True)) if view else None
        self._monotonic = monotonic
        self._next_redraw = 0.0
        self._stdout_open = True

    def start(self) -> None:
        """Begin."""
        if self._view is not None:
            self._view.start()

    def stop(self) -> None:
        """Give the terminal back."""
        if self._view is not None:
            self._view.stop()

    def entry(self, entry: AnyEntry) -> None:
        """Tell one entry."""
        told = f"{entry.t_s:8.1f} s  {sentence(entry)}"
        if self._view is not None:
            self._view.tell(told)
        if self._as_json:
            self._write(to_json(entry).decode() + "\n")
        elif self._view is None:
            self._write(told + "\n")
        if self._narrate and (self._as_json or self._view is not None):
            sys.stderr.write(told + "\n")

    def picture(self, picture: Picture, elapsed_s: float) -> None:
        """Show the newest picture, at most a few times a second."""
        if self._view is not None and self._monotonic() >= self._next_redraw:
            self._next_redraw = self._monotonic() + REDRAW_S
            self._view.show(picture, elapsed_s)

    def _write(self, text: str) -> None:
        if not self._stdout_open:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except (BrokenPipeError, OSError, ValueError):
            self._stdout_open = False  # whoever listened is gone; alarms go on
