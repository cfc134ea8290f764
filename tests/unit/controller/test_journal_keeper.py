"""The journal while a controller runs, in virtual time: batches, urgency, disks that fail and come back."""

import asyncio
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controller.alarm.types import Alarm, AlarmClass, AlarmState
from controller.clock import UtcClock
from controller.journal.entries import AnyEntry, ReadingsEntry
from controller.journal.keeper import MAX_REFUSED, MAX_UNWRITTEN, Keeper, Settings
from controller.journal.reader import read_entries
from controller.journal.standing import FILE_NAME, Times, read_standing, standing_of, write_standing
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.units import Quantity, s_to_ns
from sim.virtual_time import run_virtual
from tests.support.entries import entries, note

FLUSH_S = 60.0
ALARM = entries()["alarm"]
LEAK = Alarm("leak", AlarmState.UNACKNOWLEDGED, AlarmClass.WARNING, "leak", (), 1, 0)


class Disk:
    """Does the keeper's writing; counts it, and is full when told to be."""

    def __init__(self) -> None:
        self.writes_s: list[float] = []
        self.full = False
        self.troubles: list[str | None] = []

    async def run(self, work: Callable[[], object]) -> object:
        self.writes_s.append(now_s())
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return work()


def now_s() -> float:
    return asyncio.get_running_loop().time()


def times() -> Times:
    clock = UtcClock(0)
    return Times(s_to_ns(now_s()), clock.utc, clock.ns_of)


def keeper(folder: Path, disk: Disk) -> Keeper:
    settings = Settings(max_file_bytes=1_000_000, max_files=4, flush_s=FLUSH_S)
    return Keeper(folder, "20180829T230000Z", settings, times(), disk.run, disk.troubles.append, "here")


def head() -> dict[str, Any]:
    return {"seq": 0, "utc": "2018-08-29T23:00:00.000Z", "t_s": now_s()}


def written(folder: Path) -> list[AnyEntry]:
    return [entry for entry in read_entries(folder) if not isinstance(entry, int)]


def test_notes_wait_for_the_batch_and_an_alarm_does_not(tmp_path: Path) -> None:
    async def story() -> None:
        disk = Disk()
        kept = keeper(tmp_path, disk)
        running = asyncio.create_task(kept.run())
        for seq in range(10):
            kept.note(note(seq))
            await asyncio.sleep(5.0)
        assert disk.writes_s == []
        kept.stand([LEAK], times())
        kept.note(ALARM)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert disk.writes_s == [50.0]  # with all that came before it
        assert len(written(tmp_path)) == 11
        standing = read_standing(tmp_path)
        assert standing is not None
        assert [alarm.key for alarm in standing.alarms] == ["leak"]
        kept.note(note(11))
        await asyncio.sleep(FLUSH_S + 1.0)
        assert disk.writes_s == [50.0, 50.0 + FLUSH_S]
        kept.stop(head)
        await running
        kept.close()

    run_virtual(story())


def test_alarms_of_another_site_are_none_of_ours(tmp_path: Path) -> None:
    async def story() -> None:
        write_standing(tmp_path, standing_of([LEAK], times(), "another"))
        alarms, told = keeper(tmp_path, Disk()).recover(times())
        assert alarms == []
        assert "alarms of the site 'another' stand in" in told
        write_standing(tmp_path, standing_of([LEAK], times(), "here"))
        alarms, told = keeper(tmp_path, Disk()).recover(times())
        assert [alarm.key for alarm in alarms] == ["leak"]
        assert told == ""

    run_virtual(story())


def test_a_full_disk_is_told_once_and_nothing_is_lost_when_it_has_room_again(tmp_path: Path) -> None:
    async def story() -> None:
        disk = Disk()
        kept = keeper(tmp_path, disk)
        running = asyncio.create_task(kept.run())
        disk.full = True
        kept.stand([LEAK], times())
        kept.note(ALARM)
        await asyncio.sleep(300.0)
        assert disk.troubles == ["journal: No space left on device; free the disk or mend [journal]"]
        assert 10 < len(disk.writes_s) <= 61  # again and again, but not all the time
        kept.note(note(2))
        disk.full = False
        await asyncio.sleep(10.0)
        assert disk.troubles[1:] == [None]
        assert [entry.seq for entry in written(tmp_path)] == [ALARM.seq, 2]
        assert (tmp_path / FILE_NAME).exists()
        kept.stop(head)
        await running

    run_virtual(story())


def test_a_folder_that_somebody_took_away_is_made_anew_with_how_alarms_stand(tmp_path: Path) -> None:
    async def story() -> None:
        disk, folder = Disk(), tmp_path / "journal"
        kept = keeper(folder, disk)
        running = asyncio.create_task(kept.run())
        kept.stand([LEAK], times())
        kept.note(ALARM)
        await asyncio.sleep(1.0)
        shutil.rmtree(folder)
        kept.note(note(2))
        await asyncio.sleep(FLUSH_S + 1.0)
        standing = read_standing(folder)
        assert standing is not None
        assert [alarm.key for alarm in standing.alarms] == ["leak"]
        assert [entry.seq for entry in written(folder)] == [2]
        assert disk.troubles in ([], [None])
        kept.stop(head)
        await running
        kept.close()

    run_virtual(story())


def test_while_the_disk_is_full_nothing_grows_without_bound(tmp_path: Path) -> None:
    async def story() -> None:
        disk = Disk()
        kept = keeper(tmp_path, disk)
        running = asyncio.create_task(kept.run())
        disk.full = True
        kept.note(ALARM)
        await asyncio.sleep(1.0)
        for seq in range(MAX_UNWRITTEN + 500):
            kept.note(note(seq))
            kept.read(s_to_ns(float(seq)), [block(float(seq))], head)
        disk.full = False
        await asyncio.sleep(10.0)
        told = written(tmp_path)
        assert [entry.seq for entry in told] == list(range(500, MAX_UNWRITTEN + 500))  # the newest
        kept.stop(head)
        await running

    run_virtual(story())


def test_whoever_is_refused_again_and_again_fills_no_disk(tmp_path: Path) -> None:
    refused, done = entries()["asked in vain"], entries()["asked"]

    async def story() -> None:
        disk = Disk()
        kept = keeper(tmp_path, disk)
        running = asyncio.create_task(kept.run())
        for _ in range(10_000):
            kept.note(refused)
        await asyncio.sleep(FLUSH_S / 2)
        assert disk.writes_s == []  # nor does it keep the disk busy
        kept.note(done)
        await asyncio.sleep(1.0)
        assert written(tmp_path) == [refused] * MAX_REFUSED + [done]
        kept.stop(head)
        await running

    run_virtual(story())


def test_what_comes_during_a_slow_write_is_written_with_the_next(tmp_path: Path) -> None:
    async def story() -> None:
        disk = Disk()
        kept = keeper(tmp_path, disk)
        quick = disk.run

        async def slow(work: Callable[[], object]) -> object:
            result = await quick(work)
            await asyncio.sleep(7.0)
            return result

        kept._runner = slow
        running = asyncio.create_task(kept.run())
        for seq in range(100):
            kept.note(note(seq))
            if seq % 10 == 0:
                kept.note(ALARM)
            await asyncio.sleep(1.0)
        kept.stop(head)
        await running
        assert [entry.seq for entry in written(tmp_path) if entry != ALARM] == list(range(100))
        assert [entry for entry in written(tmp_path) if entry == ALARM] == [ALARM] * 10

    run_virtual(story())


def block(value: float, count: int = 1) -> ScalarBlock:
    values = np.full(count, value)
    return ScalarBlock("P1", "P1-pressure", Quantity.PRESSURE, np.zeros(count, dtype=np.int64), values, 1e5)


def test_readings_are_means_of_a_second_with_their_gaps(tmp_path: Path) -> None:
    async def story() -> None:
        kept = keeper(tmp_path, Disk())
        running = asyncio.create_task(kept.run())
        for step in range(4 * 130):
            second = step // 4
            quiet = 10 <= second < 20
            kept.read(s_to_ns(now_s()), [] if quiet else [block(float(second) + 0.1 * (step % 4))], head)
            await asyncio.sleep(0.25)
        kept.stop(head)
        await running

    run_virtual(story())
    told = [entry for entry in written(tmp_path) if isinstance(entry, ReadingsEntry)]
    assert [len(entry.values["P1-pressure"]) for entry in told] == [
        60,
        60,
        9,
    ]  # what ends in the middle of a second, does
    values = [value for entry in told for value in entry.values["P1-pressure"]]
    expected = [None if 10 <= second < 20 else round(second + 0.15, 2) for second in range(129)]
    assert values == pytest.approx(expected)  # None stands for itself
    assert [entry.since_t_s for entry in told] == [0.0, 60.0, 120.0]


def test_values_that_are_none_are_null(tmp_path: Path) -> None:
    async def story() -> None:
        kept = keeper(tmp_path, Disk())
        running = asyncio.create_task(kept.run())
        for second, value in enumerate((1.0, float("nan"), float("inf"), 2.0, 3.0)):
            kept.read(s_to_ns(float(second)), [block(value)], head)
        kept.stop(head)
        await running

    run_virtual(story())
    (told,) = [entry for entry in written(tmp_path) if isinstance(entry, ReadingsEntry)]
    assert told.values["P1-pressure"] == (1.0, None, None, 2.0)
