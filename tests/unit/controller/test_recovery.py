"""What a restart begins from: the newest of snapshot, spare and journal, whichever of them the disk took."""

import errno
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.alarm.types import Alarm, AlarmChange, AlarmClass, AlarmState
from controller.clock import UtcClock
from controller.journal.recovery import recovered
from controller.journal.spare import FILE_NAME, SLOT_BYTES, Spare, read_spare
from controller.journal.standing import FILE_NAME as SNAPSHOT
from controller.journal.standing import Standing, Times, standing_of, write_standing
from controller.journal.telling import Stamp, entry_of
from controller.journal.writer import JournalWriter

RUN = "20180829T230000Z"


def alarm(occurrence: int, state: AlarmState = AlarmState.UNACKNOWLEDGED, key: str = "leak") -> Alarm:
    return Alarm(key, state, AlarmClass.EMERGENCY, f"number {occurrence}", (), occurrence, 0)


def snapshot(number: int, seq: int = 0, run: str = RUN, *alarms: Alarm) -> Standing:
    clock = UtcClock(0)
    standing = standing_of(alarms or (alarm(number),), Times(0, clock.utc, clock.ns_of))
    return msgspec.structs.replace(standing, number=number, seq=seq, run=run)


def tell(folder: Path, run: str, *told: tuple[int, Alarm]) -> None:
    """Entries of alarms with their running numbers."""
    clock = UtcClock(0)
    writer = JournalWriter(folder, run, max_file_bytes=1_000_000, max_files=8)
    entries = [
        entry_of(AlarmChange(one, AlarmState.NORMAL, "raised"), Stamp(seq, clock.utc(seq), float(seq), 0))
        for seq, one in told
    ]
    writer.append(entries, durable=True)
    writer.close()


def occurrences(folder: Path) -> dict[str, int]:
    standing, _ = recovered(folder)
    return {} if standing is None else {one.key: one.occurrence for one in standing.alarms}


def test_what_the_journal_says_after_the_snapshot_is_newer(tmp_path: Path) -> None:
    """As after a disk that took entries, but no new file."""
    write_standing(tmp_path, snapshot(5, 2, RUN, alarm(1), alarm(9, key="nodes")))
    tell(tmp_path, RUN, (1, alarm(0)), (2, alarm(1)), (3, alarm(2)), (4, alarm(3, AlarmState.LATCHED)))
    standing, told = recovered(tmp_path)
    assert told == ""
    assert standing is not None
    assert occurrences(tmp_path) == {"leak": 3, "nodes": 9}
    assert {one.state for one in standing.alarms if one.key == "leak"} == {"latched"}


def test_what_the_journal_says_before_it_or_of_another_run_is_not(tmp_path: Path) -> None:
    """A clock without a battery: the other run may seem to be the later one."""
    tell(tmp_path, RUN, (3, alarm(3)), (4, alarm(4)))
    tell(tmp_path, "20190101T000000Z", (90, alarm(2)))
    write_standing(tmp_path, snapshot(7, 4, RUN, alarm(4)))
    assert occurrences(tmp_path) == {"leak": 4}
    write_standing(tmp_path, snapshot(8, 4, "", alarm(5)))  # from before there were runs in it
    assert occurrences(tmp_path) == {"leak": 5}


def test_two_starts_in_one_second_are_not_mixed(tmp_path: Path) -> None:
    tell(tmp_path, RUN, (1, alarm(1)), (50, alarm(50)))
    tell(tmp_path, RUN, (1, alarm(51)), (2, alarm(52)), (3, alarm(53)))
    write_standing(tmp_path, snapshot(2, 2, RUN, alarm(52)))
    assert occurrences(tmp_path) == {"leak": 53}


def test_the_newest_of_snapshot_and_spare_counts(tmp_path: Path) -> None:
    spare = Spare(tmp_path)
    spare.prepare()
    assert read_spare(tmp_path) is None
    write_standing(tmp_path, snapshot(1))
    assert occurrences(tmp_path) == {"leak": 1}
    for number in (2, 3, 4):
        spare.write(snapshot(number))
        assert occurrences(tmp_path) == {"leak": number}
    write_standing(tmp_path, snapshot(5))
    assert occurrences(tmp_path) == {"leak": 5}
    again = Spare(tmp_path)
    again.prepare()  # after a restart: what is there stays, the older slot is written next
    assert again._slot == 1  # 3 was written there, 4 in the other
    again.write(snapshot(6))
    assert occurrences(tmp_path) == {"leak": 6}
    assert (tmp_path / FILE_NAME).stat().st_size == 2 * SLOT_BYTES


def test_a_damaged_snapshot_leaves_spare_and_journal(tmp_path: Path) -> None:
    spare = Spare(tmp_path)
    spare.prepare()
    spare.write(snapshot(2, 10, RUN, alarm(2), alarm(7, key="disk")))
    tell(tmp_path, RUN, (9, alarm(1)), (11, alarm(3)))
    (tmp_path / SNAPSHOT).write_bytes(b"{")
    standing, told = recovered(tmp_path)
    assert standing is not None
    assert occurrences(tmp_path) == {"leak": 3, "disk": 7}
    assert "is damaged" in told
    assert "gathered from the journal" in told


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 700), number=st.integers(3, 30))
def test_a_kill_in_the_middle_of_a_slot_leaves_the_other(
    tmp_path_factory: pytest.TempPathFactory, cut: int, number: int
) -> None:
    folder = tmp_path_factory.mktemp("spare")
    spare = Spare(folder)
    spare.prepare()
    spare.write(snapshot(1))
    spare.write(snapshot(2))
    with pytest.MonkeyPatch.context() as patch:
        write, left = os.pwrite, [cut]

        def torn(fd: int, data: bytes, at: int) -> int:
            if not left[0]:
                raise OSError(errno.EIO, "as if killed")
            count = write(fd, data[: left[0]], at)
            left[0] -= count
            return count

        patch.setattr("controller.journal.spare.os.pwrite", torn)
        try:
            spare.write(snapshot(number))
            whole = True
        except OSError:
            whole = False
    kept = read_spare(folder)
    assert kept is not None
    assert kept.number in ({number} if whole else {2, number})  # or only the line's end was torn off


def test_what_does_not_fit_or_cannot_be_read_is_told(tmp_path: Path) -> None:
    spare = Spare(tmp_path)
    with pytest.raises(OSError, match="No such file"):
        spare.write(snapshot(1))
    spare.prepare()
    many = [alarm(1, key=f"nodes:{number}" + "x" * 60) for number in range(1000)]
    with pytest.raises(OSError, match="do not fit"):
        spare.write(snapshot(1, 0, RUN, *many))
    (tmp_path / FILE_NAME).write_bytes(os.urandom(1000))
    assert read_spare(tmp_path) is None
    (tmp_path / FILE_NAME).unlink()
    (tmp_path / FILE_NAME).mkdir()
    standing, told = recovered(tmp_path)
    assert standing is None
    assert "directory" in told
