"""A keeper on a disk that is full most of the time: says each occurrence of its alarm once the disk should hold it.

Run it by `python -m tests.support.full_disk_writer FOLDER STAMP`; it writes until it is killed.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

from controller.alarm.types import Alarm, AlarmChange, AlarmClass, AlarmState
from controller.clock import UtcClock
from controller.journal import keeper as room
from controller.journal.keeper import Keeper, Settings
from controller.journal.standing import Times
from controller.journal.telling import Stamp, entry_of

BALLAST = "ballast"
room.RETRY_S = 0.01  # the test has not all day


class Disk:
    """Does the keeper's writing, and counts how often that began and ended."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = asyncio.Condition()
        self.last = 0

    async def run(self, work: Callable[[], object]) -> object:
        self.begun += 1
        number = self.begun
        try:
            return await asyncio.to_thread(work)
        finally:
            async with self.ended:
                self.last = number
                self.ended.notify_all()

    async def writes(self) -> None:
        """Until all that was there before this call has been tried."""
        wanted = self.begun + 1
        async with self.ended:
            await self.ended.wait_for(lambda: self.last >= wanted)


def fill(folder: Path) -> None:
    """Take all the room that is left."""
    with suppress(OSError), (folder / BALLAST).open("ab", buffering=0) as ballast:
        while True:
            ballast.write(b"x" * 512)


async def main(folder: Path, stamp: str) -> None:
    clock = UtcClock(0)
    now = Times(0, clock.utc, clock.ns_of)
    disk = Disk()
    kept = Keeper(folder, stamp, Settings(50_000, 4, 60.0), now, disk.run, lambda _trouble: None)
    alarms, _ = kept.recover(now)
    occurrence = max((alarm.occurrence for alarm in alarms), default=0)
    task = asyncio.create_task(kept.run())
    for seq in count(1):
        if seq % 7 == 3:
            fill(folder)
        if seq % 7 == 0:
            (folder / BALLAST).unlink(missing_ok=True)
        occurrence += 1
        alarm = Alarm("leak", AlarmState.UNACKNOWLEDGED, AlarmClass.EMERGENCY, "x" * 300, (), occurrence, 0)
        change = AlarmChange(alarm, AlarmState.UNACKNOWLEDGED, "announced again")
        kept.stand([alarm], now, seq)
        kept.note(entry_of(change, Stamp(seq, clock.utc(seq), float(seq), 0)))
        await disk.writes()
        sys.stdout.write(f"{occurrence} {'full' if seq % 7 >= 3 else 'free'}\n")
        sys.stdout.flush()
        if task.done():
            task.result()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
