"""Which marks go to disk, and when: a whole run in parts, and what was around an event. The format is recording_file's.

Marks are taken on the loop and cost it nothing but memory; `write` touches the disk and belongs beside the loop.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from firmware_bridge.links.recording_file import SUFFIX, Head, RecordingWriter
from firmware_bridge.session.tape import Mark
from firmware_bridge.units import NS_PER_S, s_to_ns

MAX_UNWRITTEN_BYTES = 128 << 20  # a disk that is a quarter of an hour behind a rig of arrays: that part is given up
MAX_HELD_BYTES = 96 << 20  # of what comes before an event; less than may wait for the disk, where it goes in one piece
MAX_EVENT_BYTES = 256 << 20  # 15 minutes of a rig of arrays are half of it: a line that floods must not fill the disk
PART_BYTES = 64 << 20  # of a whole run: the unit in which the oldest makes way
MAX_EVENT_NS = 900 * NS_PER_S  # an alarm that never ends must not fill the disk alone
RETRY_NS = 60 * NS_PER_S  # after a full disk, or a flood
_MARK_OVERHEAD_BYTES = 200  # what a mark takes in memory beside its data

State = Callable[[], bytes | None]
"""What the rooms remember now, so that a replay can begin here; None where they cannot say."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is kept.

    `events` and `whole` are folders, None for none. Around an event at least `before_s` are kept, at most twice that.
    """

    events: Path | None = None
    whole: Path | None = None
    before_s: float = 60.0
    after_s: float = 60.0
    max_events_bytes: int = 512_000_000
    max_whole_bytes: int = 4_000_000_000


@dataclass(slots=True)
class _Block:
    """A stretch of marks with what was remembered before the first."""

    since_ns: int
    state: bytes | None
    marks: list[Mark] = field(default_factory=list)
    bytes: int = 0


@dataclass(slots=True)
class _Part:
    """One file to be written: what is to go into it, and whether it ends there."""

    path: Path
    number: int
    state: bytes | None
    marks: list[Mark]
    ends: bool = False
    until_ns: int = 0
    began_ns: int = 0
    bytes: int = 0


class Recorder:
    """Keeps the marks of one run."""

    def __init__(
        self, head: Head, settings: Settings, stamp: Callable[[int], str], now_ns: int, state: bytes | None
    ) -> None:
        """Begin at `now_ns` with `state`, before the first mark; `stamp` names instants of the loop for file names."""
        self._head = head
        self._settings = settings
        self._stamp = stamp
        self._blocks: deque[_Block] = deque([_Block(now_ns, state)])
        self._whole = self._new_whole(now_ns, state, 1) if settings.whole else None
        self._event: _Part | None = None
        self._parts: list[_Part] = [self._whole] if self._whole else []
        self._unwritten_bytes = 0
        self._writers: dict[Path, RecordingWriter] = {}
        self._not_before_ns = 0
        self._hold_from_ns = 0
        self._disk = threading.Lock()  # whoever waited for a write may be told to stop, and the write goes on
        self.given_up = 0
        self.overflowed = 0

    def mark(self, mark: Mark) -> None:
        """Take one; never waits."""
        size = len(mark.data) + _MARK_OVERHEAD_BYTES
        if self._blocks and self._settings.events is not None:
            block = self._blocks[-1]
            block.marks.append(mark)
            block.bytes += size
            self._bound_held(mark.now_ns)
        for part in (self._whole, self._event):
            if part is not None:
                part.marks.append(mark)
                part.bytes += size
                self._unwritten_bytes += size

    def settle(self, now_ns: int, state: State) -> None:
        """Between two steps, when nothing is half done: begin new blocks and parts where they are due."""
        before_ns = s_to_ns(self._settings.before_s)
        due_ns = self._blocks[-1].since_ns + before_ns if self._blocks else self._hold_from_ns
        if self._settings.events is not None and now_ns >= due_ns:
            self._blocks.append(_Block(now_ns, state()))
            while len(self._blocks) > 1 and now_ns - self._blocks[1].since_ns >= before_ns:
                self._blocks.popleft()
        if self._unwritten_bytes > MAX_UNWRITTEN_BYTES:
            self._give_up(now_ns)
        most_bytes = min(MAX_EVENT_BYTES, self._settings.max_events_bytes)
        if self._event is not None and (now_ns >= self._event.until_ns or self._event.bytes > most_bytes):
            self._end_event()
        if self._settings.whole is None or now_ns < self._not_before_ns:
            return
        if self._whole is None or self._whole.bytes >= PART_BYTES:
            number = 1
            if self._whole is not None:
                self._whole.ends = True
                number = self._whole.number + 1
            self._whole = self._new_whole(now_ns, state(), number)
            self._parts.append(self._whole)

    def keep(self, now_ns: int, why: str) -> None:
        """Something happened: what came before it goes to disk, and what comes after it."""
        if self._settings.events is None or now_ns < self._not_before_ns or not self._blocks:
            return
        until_ns = now_ns + s_to_ns(self._settings.after_s)
        if self._event is not None:
            self._event.until_ns = max(self._event.until_ns, min(until_ns, self._event.began_ns + MAX_EVENT_NS))
            return
        marks = [mark for block in self._blocks for mark in block.marks]
        name = f"{self._stamp(now_ns)}-{why}{SUFFIX}"
        part = _Part(self._settings.events / name, 1, self._blocks[0].state, marks, until_ns=until_ns, began_ns=now_ns)
        part.bytes = sum(block.bytes for block in self._blocks)
        self._unwritten_bytes += part.bytes
        self._event = part
        self._parts.append(part)

    def end(self) -> None:
        """The run is over: the next `write` is the last."""
        for part in (self._whole, self._event):
            if part is not None:
                part.ends = True
        self._whole = self._event = None

    def take(self) -> list[_Part]:
        """What is to be written, for `write`; on the loop."""
        taken = []
        for part in self._parts:
            taken.append(_Part(part.path, part.number, part.state, part.marks, part.ends))
            part.marks, part.state = [], None
        self._parts = [part for part in self._parts if not part.ends]
        self._unwritten_bytes = 0
        return taken

    def write(self, parts: list[_Part]) -> None:
        """Put what was taken on disk, and make room. Blocking; raises OSError, after which `failed` must be told."""
        with self._disk:
            self._write(parts)

    def _write(self, parts: list[_Part]) -> None:
        for part in parts:
            writer = self._writers.get(part.path)
            if writer is None:
                writer = RecordingWriter(part.path, self._head, part.number, part.state)
                self._writers[part.path] = writer
                self._make_room(part.path.parent)
            if part.marks:
                writer.write(part.marks)
            if part.ends:
                self._writers.pop(part.path).close()

    def failed(self, now_ns: int) -> None:
        """The disk is full or gone: what is open is given up, and tried anew after a while."""
        self._give_up(now_ns)
        with self._disk:
            for writer in self._writers.values():
                writer.abandon()
            self._writers.clear()

    def _bound_held(self, now_ns: int) -> None:
        """A line that floods costs what was before it, and in the end a minute of evidence, never the memory."""
        while self._blocks and sum(block.bytes for block in self._blocks) > MAX_HELD_BYTES:
            self._blocks.popleft()
        if not self._blocks:
            self.overflowed += 1
            self._hold_from_ns = now_ns + RETRY_NS

    def _give_up(self, now_ns: int) -> None:
        self.given_up += 1
        self._whole = self._event = None
        self._parts.clear()
        self._unwritten_bytes = 0
        self._not_before_ns = now_ns + RETRY_NS

    def _end_event(self) -> None:
        if self._event is not None:
            self._event.ends = True
            self._event = None

    def _new_whole(self, now_ns: int, state: bytes | None, number: int) -> _Part:
        assert self._settings.whole is not None  # noqa: S101 - asked only where there is one
        name = f"{self._head.run}-{number:04d}-{self._stamp(now_ns)}{SUFFIX}"
        return _Part(self._settings.whole / name, number, state, [], began_ns=now_ns)

    def _make_room(self, folder: Path) -> None:
        """The oldest recordings make way; what is being written never does."""
        of_events = folder == self._settings.events
        most = self._settings.max_events_bytes if of_events else self._settings.max_whole_bytes
        files = sorted(
            (path for path in folder.glob(f"*{SUFFIX}") if path not in self._writers),
            key=lambda path: path.stat().st_mtime,
        )
        sizes = {path: path.stat().st_size for path in files}
        total = sum(sizes.values())
        for path in files:
            if total <= most:
                break
            path.unlink(missing_ok=True)
            total -= sizes[path]
