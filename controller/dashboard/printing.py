"""What a running controller prints, from a thread of its own: whoever does not read cannot stop a decision."""

import os
import queue
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console

from controller.dashboard.sentences import sentence
from controller.dashboard.terminal import TerminalView
from controller.journal.entries import AnyEntry, to_json
from controller.pipeline.picture import Picture

REDRAW_S = 0.25  # of the machine's clock
MAX_UNPRINTED = 2000  # entries; beyond it a reader has stood still for long, and the journal has them all
STOP_S = 0.5


@dataclass(frozen=True, slots=True)
class Style:
    """JSON lines on standard output, the live view or sentences on standard error; sentences on output otherwise."""

    as_json: bool
    view: bool
    narrate: bool
    hint: str = ""  # of the live view: which keys there are


class Printer:
    """Shows entries and pictures."""

    def __init__(self, style: Style) -> None:
        """Nothing is printed before `start`."""
        self._style = style
        self._view = TerminalView(Console(stderr=True), style.hint) if style.view and sys.stderr is not None else None
        self._entries: queue.Queue[AnyEntry | None] = queue.Queue(MAX_UNPRINTED)
        self._picture: tuple[Picture, float] | None = None
        self._closed: set[TextIO] = set()
        self._thread = threading.Thread(target=self._work, name="printing", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Print what is left, unless nobody reads; give the terminal back."""
        try:
            self._entries.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(STOP_S)

    def entry(self, entry: AnyEntry) -> None:
        """Tell one entry; never waits."""
        try:
            self._entries.put_nowait(entry)
        except queue.Full:
            return

    def picture(self, picture: Picture, elapsed_s: float) -> None:
        """Show the newest picture when it is time to draw; never waits."""
        self._picture = picture, elapsed_s

    def _work(self) -> None:
        if self._view is not None:
            self._guarded(sys.stderr, self._view.start)
        while True:
            try:
                entry = self._entries.get(timeout=REDRAW_S)
            except queue.Empty:
                self._draw()
                continue
            if entry is None:
                break
            self._tell(entry)
            if self._entries.empty():
                self._draw()
        self._draw()
        if self._view is not None:
            self._guarded(sys.stderr, self._view.stop)

    def _tell(self, entry: AnyEntry) -> None:
        told = f"{entry.t_s:8.1f} s  {sentence(entry)}"
        if self._view is not None:
            self._view.tell(told)
        if self._style.as_json:
            self._write(sys.stdout, to_json(entry).decode() + "\n")
        elif self._view is None:
            self._write(sys.stdout, told + "\n")
        if self._style.narrate and self._view is None and self._style.as_json:
            self._write(sys.stderr, told + "\n")

    def _draw(self) -> None:
        if self._view is not None and self._picture is not None:
            view, (picture, elapsed_s) = self._view, self._picture
            self._guarded(sys.stderr, lambda: view.show(picture, elapsed_s))

    def _write(self, stream: TextIO | None, text: str) -> None:
        if stream is None:
            return  # it was closed before we were started

        def write() -> None:
            stream.write(text)
            stream.flush()

        self._guarded(stream, write)

    def _guarded(self, stream: TextIO, work: Callable[[], object]) -> None:
        """Do `work` on `stream` until whoever reads it is gone; alarms go on."""
        if stream in self._closed:
            return
        try:
            work()
        except (OSError, ValueError):
            self._closed.add(stream)
            _to_nowhere(stream)


def _to_nowhere(stream: TextIO) -> None:
    """Let what is still buffered go to /dev/null, or Python complains about it at its end."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return
