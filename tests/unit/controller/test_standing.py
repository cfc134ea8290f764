"""How alarms stand, on the disk: whole or not there, the same after a restart, gathered from the journal without it."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.alarm.types import Alarm, AlarmChange, AlarmClass, AlarmState, Suppression
from controller.clock import UtcClock
from controller.errors import ControllerError
from controller.journal.recovery import gather_standing
from controller.journal.standing import (
    FILE_NAME,
    MAX_EVIDENCE,
    MAX_TEXT,
    Times,
    alarms_of,
    read_standing,
    standing_of,
    write_standing,
)
from controller.journal.telling import Stamp, entry_of
from controller.journal.writer import JournalWriter
from firmware_bridge.units import s_to_ns

NOW_NS = s_to_ns(1000.0)
SHELF = Suppression("Gerst", "shelved", AlarmClass.CAUTION, NOW_NS + s_to_ns(600.0))
LEAK = Alarm("leak", AlarmState.LATCHED, AlarmClass.EMERGENCY, "leak", ("heard",), 7, s_to_ns(400.0), "Gerst")
NODES = replace(LEAK, key="nodes", state=AlarmState.SHELVED, alarm_class=AlarmClass.CAUTION, members=frozenset("AB"))
ALARMS = (LEAK, replace(NODES, suppression=SHELF, present=False), replace(LEAK, key="disk", state=AlarmState.NORMAL))


@pytest.fixture
def times() -> Times:
    clock = UtcClock(NOW_NS)
    return Times(NOW_NS, clock.utc, clock.ns_of)


def later(times: Times, boot_ns: int, away_s: float) -> Times:
    """After a restart `away_s` later, on a loop that begins at `boot_ns`."""
    shift = boot_ns - times.now_ns - s_to_ns(away_s)
    return Times(boot_ns, lambda ns: times.utc_of(ns - shift), lambda utc: times.ns_of(utc) + shift)


def comparable(alarm: Alarm) -> Alarm:
    """Times to 10 ms: those of files are in milliseconds."""
    quiet = alarm.suppression
    if quiet is not None and quiet.until_ns is not None:
        quiet = replace(quiet, until_ns=round(quiet.until_ns, -7))
    return replace(alarm, told_ns=0, raised_ns=round(alarm.raised_ns, -7), suppression=quiet)


def test_what_is_written_is_read(tmp_path: Path, times: Times) -> None:
    assert read_standing(tmp_path) is None
    write_standing(tmp_path, standing_of(ALARMS, times))
    standing = read_standing(tmp_path)
    assert standing is not None
    assert [comparable(alarm) for alarm in alarms_of(standing, times)] == [comparable(alarm) for alarm in ALARMS]
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_times_go_on_over_a_restart(times: Times) -> None:
    """Half of the shelf's ten minutes pass while the controller is away; the leak is as old as it is."""
    again = later(times, boot_ns=s_to_ns(5.0), away_s=300.0)
    leak, nodes, _ = alarms_of(standing_of(ALARMS, times), again)
    assert (again.now_ns - leak.raised_ns) / 1e9 == pytest.approx(600.0 + 300.0, abs=0.002)
    assert nodes.suppression is not None
    assert nodes.suppression.until_ns is not None
    assert (nodes.suppression.until_ns - again.now_ns) / 1e9 == pytest.approx(300.0, abs=0.002)


@pytest.mark.parametrize("away_s", [-1e6, 1e6])
def test_a_clock_that_was_set_keeps_nobody_quiet_for_longer(times: Times, away_s: float) -> None:
    """Without a battery it starts in the past; and it may jump ahead."""
    again = later(times, boot_ns=s_to_ns(5.0), away_s=away_s)
    leak, nodes, _ = alarms_of(standing_of(ALARMS, times), again)
    assert leak.raised_ns <= again.now_ns
    assert nodes.suppression is not None
    assert nodes.suppression.until_ns is not None
    assert nodes.suppression.until_ns <= again.now_ns + s_to_ns(600.0)


@settings(max_examples=60)
@given(cut=st.integers(0, 5000), bit=st.integers(0, 7), torn=st.booleans())
def test_no_damage_is_taken_for_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, cut: int, bit: int, torn: bool
) -> None:
    folder = tmp_path_factory.mktemp("standing")
    clock = UtcClock(NOW_NS)
    write_standing(folder, standing_of(ALARMS, Times(NOW_NS, clock.utc, clock.ns_of)))
    path = folder / FILE_NAME
    data = bytearray(path.read_bytes())
    place = cut % (len(data) - 1)
    if torn:
        data = data[:place]
    else:
        data[place] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(ControllerError, match="is damaged"):
        read_standing(folder)


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, times: Times, monkeypatch: pytest.MonkeyPatch) -> None:
    write_standing(tmp_path, standing_of(ALARMS, times))
    before = (tmp_path / FILE_NAME).read_bytes()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("controller.journal.standing.os.write", full)
    with pytest.raises(OSError, match="No space left"):
        write_standing(tmp_path, standing_of((), times))
    monkeypatch.undo()
    assert (tmp_path / FILE_NAME).read_bytes() == before
    write_standing(tmp_path, standing_of((), times))
    standing = read_standing(tmp_path)
    assert standing is not None
    assert standing.alarms == ()


def test_texts_are_bounded(times: Times) -> None:
    wordy = replace(LEAK, text="x" * 10_000, evidence=("y" * 10_000,) * 1000)
    (written,) = standing_of((wordy,), times).alarms
    assert len(written.text) == MAX_TEXT
    assert [len(line) for line in written.evidence] == [MAX_TEXT] * MAX_EVIDENCE


def test_a_state_of_a_newer_version_is_taken_for_the_gravest(times: Times) -> None:
    standing = standing_of((LEAK,), times)
    (one,) = standing.alarms
    strange = type(one)(**{f: getattr(one, f) for f in one.__struct_fields__} | {"state": "asleep", "alarm_class": "x"})
    (alarm,) = alarms_of(type(standing)(standing.utc, (strange,)), times)
    assert (alarm.state, alarm.alarm_class) == (AlarmState.UNACKNOWLEDGED, AlarmClass.EMERGENCY)


def test_without_the_file_the_journal_says_how_alarms_stand(tmp_path: Path, times: Times) -> None:
    """The last entry on each counts, over files in the order of their writing and past torn lines."""
    assert gather_standing(tmp_path) is None
    for age, (stamp, alarms) in enumerate(
        {
            "20180829T000000Z": (replace(LEAK, occurrence=6), replace(ALARMS[2], occurrence=1)),
            "19700101T000000Z": ALARMS,  # without a battery, the clock of the second start was wrong
        }.items()
    ):
        writer = JournalWriter(tmp_path, stamp, max_file_bytes=1_000_000, max_files=8)
        at = Stamp(1, times.utc_of(NOW_NS), 1000.0, 0)
        told = [entry_of(AlarmChange(alarm, AlarmState.NORMAL, "raised"), at) for alarm in alarms]
        writer.append(told, durable=True)
        writer.close()
        with writer.path.open("ab") as file:
            file.write(b'{"kind":"alarm","version":1,"seq":99,"ut')
        os.utime(writer.path, ns=(age * 10**9, age * 10**9))
    standing = gather_standing(tmp_path)
    assert standing is not None
    found = {alarm.key: comparable(alarm) for alarm in alarms_of(standing, times)}
    assert found == {alarm.key: comparable(alarm) for alarm in ALARMS}
