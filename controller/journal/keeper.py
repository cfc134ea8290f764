"""Keeps the journal while a controller runs: batches, urgency, readings, the file of standing alarms, disks that fail.

It decides nothing and never makes anybody wait; what is written where is next door.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from controller.alarm.types import Alarm
from controller.journal.entries import AlarmEntry, AnyEntry, OperatorEntry
from controller.journal.readings import Readings
from controller.journal.recovery import recovered
from controller.journal.spare import Spare
from controller.journal.standing import FILE_NAME, Standing, Times, alarms_of, standing_of, write_standing
from controller.journal.writer import JournalWriter
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.scaled_loop import real_seconds

MAX_UNWRITTEN = 10_000  # entries; then the oldest make way: the disk has been full for long
MAX_REFUSED = 60  # requests of a batch; more is somebody who tries, and must not push out what matters
RETRY_S = 5.0  # of the machine's time

Runner = Callable[[Callable[[], object]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is kept, and how often it is written while nothing happens."""

    max_file_bytes: int
    max_files: int
    flush_s: float


class Keeper:
    """One journal folder; `run` it as a task. All but `run` is called on the loop and returns at once."""

    def __init__(
        self,
        folder: Path,
        stamp: str,
        settings: Settings,
        times: Times,
        runner: Runner,
        on_trouble: Callable[[str | None], None],
        site: str = "",
    ) -> None:
        """Open the journal; `runner` does what touches the disk; `on_trouble` hears why it fails, None when it works.

        Raises:
            ControllerError: the folder cannot be made or written to.
        """
        self._folder = folder
        self._site = site
        self._flush_s = settings.flush_s
        self._journal = JournalWriter(
            folder, stamp, max_file_bytes=settings.max_file_bytes, max_files=settings.max_files
        )
        self._spare = Spare(folder)
        with suppress(OSError):  # a disk that is full from the start; the journal says so as soon as it is written
            self._spare.prepare()
        self.knew = False  # whether `recover` found how alarms of this site stood, be it that none did
        self._run = stamp
        self._number = 0
        self._runner = runner
        self._on_trouble = on_trouble
        self._unwritten: deque[AnyEntry] = deque(maxlen=MAX_UNWRITTEN)
        self._standing: Standing | None = None  # as it is to be on the disk, where it is not yet
        self._written: Standing | None = None  # as it is there, if nobody took the file away
        self._readings = Readings(times.now_ns)
        self._refused = 0
        self._urgent = asyncio.Event()
        self._stopping = False
        self._trouble: str | None = None

    def recover(self, times: Times) -> tuple[list[Alarm], str]:
        """Alarms as they stood when the last controller ended, however it did; and what is to be said of it."""
        standing, told = recovered(self._folder)
        self._number = 0 if standing is None else standing.number
        self.knew = standing is not None and standing.site in {"", self._site}
        if standing is not None and standing.site not in {"", self._site}:
            return [], f"; alarms of the site {standing.site!r} stand in {self._folder}: they are none of ours"
        return ([] if standing is None else alarms_of(standing, times)), told

    def note(self, entry: AnyEntry) -> None:
        """Take an entry; an alarm's, or what a person did, is on the disk soon, others with the next batch."""
        if isinstance(entry, OperatorEntry) and not entry.accepted:
            self._refused += 1
            if self._refused > MAX_REFUSED:
                return
        elif isinstance(entry, AlarmEntry | OperatorEntry):
            self._urgent.set()
        self._unwritten.append(entry)

    def stand(self, alarms: Iterable[Alarm], times: Times, seq: int = 0) -> None:
        """How alarms stand now; to be called before their entries, of which `seq` is the last, are noted."""
        self._number += 1
        standing = standing_of(alarms, times, self._site)
        self._standing = msgspec.structs.replace(standing, number=self._number, run=self._run, seq=seq)

    def read(self, now_ns: int, blocks: Iterable[ScalarBlock], head: Callable[[], dict[str, Any]]) -> None:
        """Slow values; `head` gives the head of an entry when one is full. On a failing disk they are let go."""
        if self._trouble is not None:
            return
        if self._readings.due(now_ns):  # before what comes now, which is of the next second
            self._unwritten.append(self._readings.entry(head()))
        for block in blocks:
            self._readings.take(now_ns, block)

    async def run(self) -> None:
        """Batches while nothing happens, at once and durably on an alarm; ends after the last batch."""
        while not self._stopping:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._flush_s):
                    await self._urgent.wait()
            durable = self._urgent.is_set()
            self._urgent.clear()
            if not await self._write_batch(durable=durable) and durable:
                await asyncio.sleep(real_seconds(RETRY_S))
                self._urgent.set()  # what was urgent stays so
        await self._write_batch(durable=True)  # and what came while the last one was written

    def stop(self, head: Callable[[], dict[str, Any]]) -> None:
        """Let `run` write what is left, readings among it, and end."""
        if self._readings.rows and self._trouble is None:
            self._unwritten.append(self._readings.entry(head()))
        self._stopping = True
        self._urgent.set()

    def close(self) -> None:
        """Give the files back; only when `run` has ended."""
        with suppress(OSError):
            self._journal.close()

    async def _write_batch(self, *, durable: bool) -> bool:
        """Whether everything is written."""
        batch, standing = list(self._unwritten), self._standing
        if not batch and standing is None:
            return True
        failed: list[OSError] = []
        known = standing or self._written
        stood, appended = False, False

        def write() -> None:
            nonlocal stood, appended
            if known is not None and (known is standing or self._gone()):
                # First: what stands matters more than the story of how it came to.
                stood = self._write_standing(known, failed)
            try:
                self._journal.append(batch, durable=durable)
                appended = True
            except OSError as error:
                failed.append(error)

        try:
            await self._runner(write)
        except OSError as error:
            failed.append(error)
        if stood:
            self._written = known
        if stood and self._standing is standing:
            self._standing = None
        if appended:
            written = {id(entry) for entry in batch}
            while self._unwritten and id(self._unwritten[0]) in written:  # more came, the oldest may be gone
                self._unwritten.popleft()
            self._refused = 0
        self._now(f"journal: {failed[0].strerror}; free the disk or mend [journal]" if failed else None)
        return not failed

    def _gone(self) -> bool:
        """Whether somebody took the file of standing alarms away."""
        return not (self._folder / FILE_NAME).exists()

    def _write_standing(self, standing: Standing, failed: list[OSError]) -> bool:
        """Whether the file was replaced; where no room is left for that, the spare has some."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)  # people take folders away, too
            write_standing(self._folder, standing)
        except OSError as error:
            failed.append(error)
            with suppress(OSError):
                self._spare.write(standing)
            return False
        return True

    def _now(self, trouble: str | None) -> None:
        """Alarms do not wait for disks: keep what fits, say so once, try again."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._on_trouble(trouble)
