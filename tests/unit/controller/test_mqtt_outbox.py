"""Alarm events on disk: kept until acknowledged, in order, over restarts, torn files, full disks and broken ones."""

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from controller.journal.entries import AlarmEntry
from controller.outputs.mqtt import outbox as room
from controller.outputs.mqtt.outbox import FILE_NAME, AlarmEvent, Outbox
from tests.support.entries import entries


def alarm(seq: int, text: str = "leak") -> AlarmEntry:
    entry = entries()["alarm"]
    assert isinstance(entry, AlarmEntry)
    return msgspec.structs.replace(entry, seq=seq, text=text)


async def inline(work: Callable[[], object]) -> object:
    return work()


class Disk:
    """A runner whose disk can be full."""

    full = False

    async def __call__(self, work: Callable[[], object]) -> object:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return work()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def opened(folder: Path, run: str, runner: room.Runner = inline) -> tuple[Outbox, "asyncio.Task[None]"]:
    outbox = Outbox(folder, run, runner, lambda: None)
    return outbox, asyncio.create_task(outbox.run())


async def ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


def sent(outbox: Outbox, most: int = 1_000_000) -> list[AlarmEvent]:
    """What a broker that acknowledges at once would get."""
    told: list[AlarmEvent] = []
    while len(told) < most and (kept := outbox.next()) is not None:
        told.append(msgspec.json.decode(kept.payload, type=AlarmEvent))
        outbox.done(kept)
    return told


async def test_what_was_not_acknowledged_is_there_after_a_restart_under_its_own_id(tmp_path: Path) -> None:
    first, task = await opened(tmp_path, "aa")
    for seq in range(5):
        first.put(alarm(seq))
    assert first.next() is None, "an event is on the disk before it may be sent"
    await settle()
    assert [event.number for event in sent(first, 2)] == [1, 2]
    await settle()
    task.cancel()  # what follows stands for a kill: nothing of the first is used any more
    await asyncio.wait([task])
    second, task = await opened(tmp_path, "bb")
    second.put(alarm(9))
    await settle()
    assert [event.id for event in sent(second)] == ["aa-3", "aa-4", "aa-5", "bb-6"]
    await ended(task)
    third, task = await opened(tmp_path, "cc")
    assert (third.waiting, third.unreadable) == (0, 0)
    third.put(alarm(1))
    await settle()
    assert sent(third)[0].number == 7
    await ended(task)


async def test_a_torn_file_costs_its_last_line_at_most(tmp_path: Path) -> None:
    outbox, task = await opened(tmp_path, "aa")
    for seq in range(3):
        outbox.put(alarm(seq))
    await settle()
    whole = (tmp_path / FILE_NAME).read_bytes()
    await ended(task)
    starts = [0, *(at + 1 for at, byte in enumerate(whole) if byte == ord("\n"))]
    for length in range(0, len(whole), 37):
        (tmp_path / FILE_NAME).write_bytes(whole[:length])
        torn = Outbox(tmp_path, "bb", inline, lambda: None)
        complete = sum(start <= length + 1 for start in starts[2:])  # the first line says what is done
        assert [event.number for event in sent(torn)] == list(range(1, complete + 1))
    flipped = whole.replace(b'"leak', b'"1eak', 1)
    (tmp_path / FILE_NAME).write_bytes(flipped)
    damaged = Outbox(tmp_path, "bb", inline, lambda: None)
    assert damaged.unreadable == 1
    assert damaged.waiting == 2


async def test_a_full_disk_keeps_nobody_from_hearing_of_an_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "RETRY_S", 0.01)
    disk = Disk()
    outbox, task = await opened(tmp_path, "aa", disk)
    disk.full = True
    for seq in range(3):
        outbox.put(alarm(seq))
    await settle()
    assert [event.number for event in sent(outbox, 1)] == [1]
    disk.full = False
    async with asyncio.timeout(5):
        while not (tmp_path / FILE_NAME).exists():  # noqa: ASYNC110 - a disk has no event
            await asyncio.sleep(0.01)
    await ended(task)
    assert [event.id for event in sent(Outbox(tmp_path, "bb", inline, lambda: None))] == ["aa-2", "aa-3"]


async def test_memory_and_file_are_bounded_and_the_newest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_KEPT", 20)
    monkeypatch.setattr(room, "SPARE_BYTES", 4000)
    outbox, task = await opened(tmp_path, "aa")
    largest = 0
    for seq in range(500):
        outbox.put(alarm(seq))
        await settle()
        largest = max(largest, (tmp_path / FILE_NAME).stat().st_size)
    assert (outbox.waiting, outbox.dropped) == (20, 480)
    one = len((tmp_path / FILE_NAME).read_bytes().splitlines()[-1])
    assert largest < 2 * (20 * one) + 4000 + 2 * one
    await ended(task)
    assert [event.number for event in sent(Outbox(tmp_path, "bb", inline, lambda: None))] == list(range(481, 501))


async def test_without_a_folder_it_keeps_in_memory() -> None:
    outbox = Outbox(None, "aa", inline, lambda: None)
    outbox.put(alarm(1))
    assert [event.id for event in sent(outbox)] == ["aa-1"]
    await outbox.run()
