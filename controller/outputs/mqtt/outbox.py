"""Alarm events on their way to the broker: kept on disk until it has acknowledged them, in order. Sending is others'.

An append-only file of checked lines: events, and up to which number they are done. An event is on the disk before it is
sent, so that no number is ever given twice; on a failing disk it is sent all the same, under this run's own mark.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from controller.journal.entries import AlarmEntry
from controller.journal.lines import LineError, checked, unchecked
from controller.journal.writer import sync_folder
from firmware_bridge.scaled_loop import real_seconds

FILE_NAME = "outbox.jsonl"
MAX_KEPT = 10_000  # events: at the rate of a flood (ten in ten minutes) a week without a broker
MAX_KEPT_BYTES = 16_000_000
MAX_LINE_BYTES = 1_000_000
SPARE_BYTES = 256_000  # of events that are done; more than that and than what is kept, and the file is written anew
RETRY_S = 5.0  # of the machine's time

_log = logging.getLogger(__name__)

Runner = Callable[[Callable[[], object]], Awaitable[object]]


class AlarmEvent(msgspec.Struct, frozen=True):
    """Payload of `alarm_event`: one move of one alarm, told at least once and in order.

    `id` is of this event alone: who has seen it has a duplicate. `number` counts the events of a journal's folder,
    over restarts; one that is missing was dropped, because more waited than can be kept.
    """

    id: str
    number: int
    alarm: AlarmEntry


@dataclass(slots=True)
class Kept:
    """An event that the broker has not acknowledged; `written` when it is on the disk."""

    number: int
    payload: bytes
    written: bool = field(default=False)


class _Line(msgspec.Struct):
    """What a line of the file may say: an event's number, or up to which all are `done`."""

    number: int | None = None
    done: int | None = None


class Outbox:
    """What waits; `put`, `next` and `done` return at once, `run` is the task that writes."""

    def __init__(self, folder: Path | None, run: str, runner: Runner, on_ready: Callable[[], None]) -> None:
        """Read what an earlier run left in `folder` (None: nothing is kept over a restart).

        Args:
            folder: where the file is; it exists.
            run: letters and digits that no earlier run had.
            runner: does what touches the disk.
            on_ready: called when something may be sent.
        """
        self._path = None if folder is None else folder / FILE_NAME
        self._run = run
        self._runner = runner
        self._on_ready = on_ready
        self._kept: deque[Kept] = deque()
        self._kept_bytes = 0
        self._last = 0
        self._done = 0
        self._done_written = 0
        self._failing = False
        self._fd = -1
        self._size = 0
        self._torn = False
        self._wake = asyncio.Event()
        self.dropped = 0
        self.unreadable = 0
        self._read()

    @property
    def waiting(self) -> int:
        """How many events the broker has not acknowledged."""
        return len(self._kept)

    def put(self, entry: AlarmEntry) -> None:
        """Take an event; where too many wait, the oldest makes way and is counted."""
        self._last += 1
        event = AlarmEvent(f"{self._run}-{self._last}", self._last, entry)
        self._keep(Kept(self._last, msgspec.json.encode(event), written=self._path is None))
        self._wake.set()
        if self._path is None:
            self._on_ready()

    def next(self) -> Kept | None:
        """The oldest event, once it may be sent."""
        if not self._kept or not (self._kept[0].written or self._failing):
            return None
        return self._kept[0]

    def done(self, kept: Kept) -> None:
        """The broker has acknowledged it."""
        self._done = max(self._done, kept.number)
        while self._kept and self._kept[0].number <= kept.number:
            self._kept_bytes -= len(self._kept.popleft().payload)
        self._wake.set()

    async def run(self) -> None:
        """Write until cancelled; then what is left, at once."""
        if self._path is None:
            return
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                if not await self._write(self._runner):
                    await asyncio.sleep(real_seconds(RETRY_S))
                    self._wake.set()
        finally:
            await asyncio.shield(self._write(_at_once))
            if self._fd >= 0:
                with suppress(OSError):
                    os.close(self._fd)
                self._fd = -1

    def _keep(self, kept: Kept) -> None:
        self._kept.append(kept)
        self._kept_bytes += len(kept.payload)
        while len(self._kept) > MAX_KEPT or (self._kept_bytes > MAX_KEPT_BYTES and len(self._kept) > 1):
            self._kept_bytes -= len(self._kept.popleft().payload)
            self.dropped += 1

    async def _write(self, runner: Runner) -> bool:
        """Whether everything is on the disk that should be."""
        new = [kept for kept in self._kept if not kept.written]
        done = self._done
        if not new and done == self._done_written:
            return True
        lines = [kept.payload for kept in new]
        if done > self._done_written:
            lines.append(b'{"done":%d}' % done)
        live = [kept.payload for kept in self._kept]
        surplus = self._size - self._kept_bytes
        anew = self._fd < 0 or surplus > max(SPARE_BYTES, self._kept_bytes)

        def write() -> None:
            if anew:
                self._replace([b'{"done":%d}' % done, *live])
            else:
                self._append(lines, durable=bool(new))

        try:
            await runner(write)
        except OSError as error:
            if not self._failing:  # the journal, in the same folder, raises the alarm
                _log.warning("outbox: %s; alarm events are sent unkept", error.strerror)
            self._failing = True
            self._on_ready()
            return False
        self._failing = False
        self._done_written = done
        for kept in new:
            kept.written = True
        self._on_ready()
        return True

    def _append(self, lines: list[bytes], *, durable: bool) -> None:
        data = (b"\n" if self._torn else b"") + b"".join(checked(line) + b"\n" for line in lines)
        self._torn = True
        _write_all(self._fd, data)
        self._torn = False
        self._size += len(data)
        if durable:
            os.fsync(self._fd)

    def _replace(self, lines: list[bytes]) -> None:
        """Write the whole file anew; at no instant is there none."""
        if self._path is None:
            return
        data = b"".join(checked(line) + b"\n" for line in lines)
        new = self._path.with_suffix(".new")
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            _write_all(fd, data)
            os.fsync(fd)
            new.replace(self._path)
            sync_folder(self._path.parent)
        except OSError:
            os.close(fd)
            raise
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._size, self._torn = fd, len(data), False

    def _read(self) -> None:
        """Take in what an earlier run left; a line that is not what was written is counted and left out."""
        if self._path is None or not self._path.exists():
            return
        try:
            with self._path.open("rb") as source:
                while line := source.readline(MAX_LINE_BYTES):
                    self._take(line)
        except OSError as error:
            _log.warning("outbox: %s cannot be read (%s); events of earlier runs are not sent", self._path, error)
        while self._kept and self._kept[0].number <= self._done:
            self._kept_bytes -= len(self._kept.popleft().payload)
        self._done_written = self._done

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            body, vouched = unchecked(line)
            said = msgspec.json.decode(body, type=_Line)
        except (LineError, msgspec.DecodeError, UnicodeDecodeError):
            vouched, said, body = False, _Line(), b""
        if not vouched:
            self.unreadable += 1
        elif said.done is not None:
            self._done = max(self._done, said.done)
            self._last = max(self._last, said.done)
        elif said.number is not None and said.number > self._last:
            self._last = said.number
            self._keep(Kept(said.number, body, written=True))


async def _at_once(work: Callable[[], object]) -> object:
    return work()


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
