"""What a `kill -9` or a power cut leaves: alarms stand as they stood, and the journal is read whatever it caught."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controller.alarm.types import Alarm, AlarmClass, AlarmState, Suppression
from controller.clock import UtcClock
from controller.errors import ControllerError
from controller.journal.entries import AlarmEntry
from controller.journal.reader import journal_files, read_entries
from controller.journal.standing import FILE_NAME, Times, read_standing, standing_of, write_standing
from firmware_bridge.units import s_to_ns
from tests.support.processes import alive, children_of, start
from tests.support.shipped import CONFIGS

LEAKCTL = Path(sys.executable).parent / "leakctl"
ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

CONTROLLER = f"""
format = 1
site = "{CONFIGS / "sites" / "soyuz-orbital-module.toml"}"

[[links]]
kind = "serial"
port = "/dev/no-such-port"

[mqtt]
enabled = false

[health] # every node is lost at once
startup_grace_s = 0.05
lost_after_s = 0.05
"""


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes to end, by their id, whatever the test does."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        for pid in [*children_of(process.pid), process.pid]:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def killed(process: "subprocess.Popen[str]") -> None:
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def occurrences(folder: Path) -> list[int]:
    """Of the leak's alarm, as the journal tells them."""
    told = [e for e in read_entries(folder) if isinstance(e, AlarmEntry) and e.key == "leak"]
    return [entry.occurrence for entry in told]


def kills(started: list["subprocess.Popen[str]"], folder: Path, times: int) -> None:
    """Kill a busy writer at random moments; nothing that it called written may be missing or go back."""
    random = np.random.default_rng(3)
    reached = 0
    for number in range(times):
        stamp = f"2018082{number // 60 % 10}T23{number % 60:02d}00Z"
        process = start(started, sys.executable, "-m", "tests.support.alarm_writer", folder, stamp, cwd=ROOT)
        assert process.stdout is not None
        last: list[str] = []
        for _ in range(int(random.integers(1, 40))):
            last = process.stdout.readline().split()
        killed(process)
        whole = [line.split() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        occurrence, state = (whole or [last])[-1]  # the last of which it said that it was on the disk
        standing = read_standing(folder)
        assert standing is not None
        (leak,) = [alarm for alarm in standing.alarms if alarm.key == "leak"]
        # The kill may have come between a later write and its word; that goes on by less than one round.
        assert int(occurrence) <= leak.occurrence <= int(occurrence) + 1
        if leak.occurrence == int(occurrence) and state == "unacknowledged":
            assert leak.state in {"unacknowledged", "latched_unacknowledged", "acknowledged", "latched"}
        assert leak.alarm_class == "emergency"
        assert leak.state != "normal"
        assert leak.occurrence >= reached
        reached = leak.occurrence
        files = sorted(journal_files(folder), key=lambda path: path.stat().st_mtime_ns)
        told = [n for file in files for n in occurrences(file)]
        assert told == sorted(told)  # in order, over all restarts
        assert int(occurrence) in told or len(files) == 4
        assert len(files) <= 4
        torn = [entry for file in files[-1:] for entry in read_entries(file) if isinstance(entry, int)]
        assert len(torn) <= 1
    assert reached > times


def test_a_writer_killed_at_random_moments_forgets_nothing(
    started: list["subprocess.Popen[str]"], tmp_path: Path
) -> None:
    kills(started, tmp_path, 6)


@pytest.mark.slow
def test_a_writer_killed_a_hundred_times_forgets_nothing(
    started: list["subprocess.Popen[str]"], tmp_path: Path
) -> None:
    kills(started, tmp_path, 100)


def next_alarms(process: "subprocess.Popen[str]", count: int) -> dict[str, dict[str, Any]]:
    """The next alarm entries of so many keys."""
    found: dict[str, dict[str, Any]] = {}
    assert process.stdout is not None
    while len(found) < count:
        line = process.stdout.readline()
        assert line, "it ended"
        told = json.loads(line)
        if told["kind"] == "alarm":
            found[told["key"]] = told
    return found


def test_a_controller_that_was_killed_stands_where_it_stood(
    started: list["subprocess.Popen[str]"], tmp_path: Path
) -> None:
    config, folder = tmp_path / "controller.toml", tmp_path / "journal"
    config.write_text(CONTROLLER, encoding="utf-8")
    folder.mkdir()
    clock = UtcClock(0)
    shelf = Suppression("Gerst", "shelved", AlarmClass.CAUTION, s_to_ns(3600.0))
    repair = Suppression("Gerst", "its plug is wet", AlarmClass.WARNING, s_to_ns(7200.0))
    before = (
        Alarm("leak", AlarmState.LATCHED_UNACKNOWLEDGED, AlarmClass.EMERGENCY, "leak", ("heard",), 7, s_to_ns(-60.0)),
        Alarm("siren", AlarmState.RETURNED_UNACKNOWLEDGED, AlarmClass.CAUTION, "siren", (), 3, s_to_ns(-50.0)),
        Alarm("links", AlarmState.SHELVED, AlarmClass.ADVISORY, "poor line: A", (), 2, 0, suppression=shelf),
        Alarm("nodes:B", AlarmState.OUT_OF_SERVICE, AlarmClass.ADVISORY, "B", (), 0, 0, suppression=repair),
        Alarm("broker", AlarmState.NORMAL, AlarmClass.ADVISORY, "broker", (), 12, 0),
    )
    write_standing(folder, standing_of(before, Times(0, clock.utc, clock.ns_of)))
    expected = {alarm.key: (alarm.state.value, alarm.occurrence) for alarm in before}
    nodes: dict[str, Any] = {}
    for round_ in range(3):
        process = start(started, LEAKCTL, "run", config, "--json", "--journal", folder, cwd=ROOT)
        told = next_alarms(process, 5)
        assert {k: (told[k]["state"], told[k]["occurrence"]) for k in expected if k != "broker"} == {
            k: v for k, v in expected.items() if k != "broker"
        }
        assert all(told[key]["cause"] == "recovered" for key in expected if key != "broker")
        assert told["leak"]["alarm_class"] == "emergency"
        assert told["nodes"]["state"] == "unacknowledged"
        assert "B" not in told["nodes"]["members"]  # it is out of service
        if round_:
            assert (told["nodes"]["cause"], told["nodes"]["occurrence"]) == ("recovered", nodes["occurrence"])
        nodes = told["nodes"]
        wait_until_standing(folder, "nodes")
        killed(process)
        if round_ == 0:
            leave_a_torn_line(folder)
        if round_ == 1:  # and the small file is damaged: the journal knows as well
            path = folder / FILE_NAME
            path.write_bytes(path.read_bytes()[:-40])
            expected.pop("broker")  # of which it never told
    listed = subprocess.run(
        [str(LEAKCTL), "alarms", str(folder), "--json"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    standing = {alarm["key"]: alarm for alarm in json.loads(listed.stdout)["alarms"]}
    assert {key: (standing[key]["state"], standing[key]["occurrence"]) for key in expected} == expected
    assert standing["links"]["quiet"]["by"] == "Gerst"
    assert 3000.0 < standing["links"]["quiet"]["left_s"] <= 3600.0


def wait_until_standing(folder: Path, key: str) -> None:
    """Until the disk has what was told: that is what a kill leaves."""
    for _ in range(600):
        with suppress(ControllerError):  # the file that we damaged is not replaced yet
            standing = read_standing(folder)
            if standing is not None and any(alarm.key == key for alarm in standing.alarms):
                return
        signal.sigtimedwait([], 0.05)
    raise AssertionError(f"{key} is not on the disk")


def leave_a_torn_line(folder: Path) -> None:
    """As a power cut in the middle of a write does."""
    newest = max(journal_files(folder), key=lambda path: path.stat().st_mtime_ns)
    with newest.open("ab") as file:
        file.write(b'{"kind":"alarm","version":1,"seq":99,"ut')
