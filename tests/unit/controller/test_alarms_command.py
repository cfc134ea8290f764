"""leakctl alarms and leakctl journal, as people type them."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from controller.alarm.types import Alarm, AlarmChange, AlarmClass, AlarmState, Suppression
from controller.cli.journal import _followed
from controller.cli.main import main as leakctl
from controller.clock import UtcClock
from controller.journal.entries import KINDS, AnyEntry
from controller.journal.standing import FILE_NAME, Times, standing_of, write_standing
from controller.journal.telling import Stamp, entry_of
from controller.journal.writer import JournalWriter
from firmware_bridge.units import s_to_ns
from tests.support.entries import entries, note

SHELF = Suppression("Artemyev", "shelved", AlarmClass.CAUTION, s_to_ns(600.0))
LEAK = Alarm("leak", AlarmState.UNACKNOWLEDGED, AlarmClass.WARNING, "leak, place unknown", ("heard",), 3, 0)
NODES = Alarm("nodes", AlarmState.ACKNOWLEDGED, AlarmClass.CAUTION, "node lost: A", (), 1, 0, "Gerst")
LINKS = Alarm("links", AlarmState.SHELVED, AlarmClass.ADVISORY, "poor line: B", (), 1, 0, suppression=SHELF)
DISK = replace(NODES, key="disk", state=AlarmState.NORMAL)


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(leakctl, [str(argument) for argument in arguments])


def at(minute: int, alarm: Alarm, cause: str = "raised", seq: int = 1) -> AnyEntry:
    stamp = Stamp(seq, f"2018-08-29T23:{minute:02d}:00.000Z", 60.0 * minute, 0)
    return entry_of(AlarmChange(alarm, AlarmState.NORMAL, cause), stamp)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An hour of a journal."""
    writer = JournalWriter(tmp_path, "20180829T230000Z", max_file_bytes=1_000_000, max_files=8)
    told = [at(0, NODES), at(10, LINKS, "shelved by Artemyev"), at(30, LEAK), at(40, DISK, "returned")]
    writer.append([note(0), *told, *entries().values(), at(59, LEAK, "new evidence")], durable=True)
    writer.close()
    with writer.path.open("ab") as file:
        file.write(b'{"kind":"alarm","ver')
    return tmp_path


def test_what_stands_is_listed_gravest_first_and_what_is_quiet_last(tmp_path: Path) -> None:
    clock = UtcClock(0)
    write_standing(tmp_path, standing_of((LINKS, DISK, NODES, LEAK), Times(0, clock.utc, clock.ns_of)))
    shown = invoke("alarms", tmp_path)
    assert shown.exit_code == 0
    first, *lines = shown.output.splitlines()
    assert first.endswith("3 alarms")
    assert [line.split()[1] for line in lines] == ["leak", "nodes", "links"]
    assert "WARNING    leak #3  unacknowledged  since" in lines[0]
    assert lines[1].endswith("node lost: A  (acknowledged by Gerst)")
    assert "(shelved, Artemyev until" in lines[2]
    told = json.loads(invoke("alarms", tmp_path, "--json").output)
    assert {alarm["key"]: alarm["state"] for alarm in told["alarms"]}["disk"] == "normal"


def test_without_its_file_the_journal_says_what_stands(folder: Path) -> None:
    shown = invoke("alarms", folder)
    assert "leak #3" in shown.output or "leak #1" in shown.output
    (folder / FILE_NAME).write_bytes(b"{}")
    damaged = invoke("alarms", folder)
    assert damaged.exit_code == 0
    assert "is damaged" in damaged.output
    assert "gathered from the journal" in damaged.output


def test_a_folder_without_a_journal_is_told_so(tmp_path: Path) -> None:
    for arguments in (("alarms", tmp_path), ("alarms", tmp_path, "--stats"), ("journal", tmp_path)):
        shown = invoke(*arguments)
        assert shown.exit_code == 2
        assert "journal" in shown.output
        assert "Traceback" not in shown.output


def test_statistics(folder: Path) -> None:
    shown = invoke("alarms", folder, "--stats", "--json")
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.output)
    assert told["announced"] >= 1
    assert set(told["by_class"]) == {"emergency", "warning", "caution", "advisory"}
    words = invoke("alarms", folder, "--stats", "--since", "2018-08-29T23:20")
    assert words.exit_code == 0, words.output
    assert "per 10 minutes" in words.output
    assert "in flood" in words.output


def test_the_journal_by_kind_time_and_class(folder: Path) -> None:
    def told(*arguments: str) -> list[dict[str, object]]:
        shown = CliRunner().invoke(leakctl, ["journal", str(folder), "--json", *arguments])
        assert shown.exit_code == 0
        return [json.loads(line) for line in shown.stdout.splitlines()]

    assert {entry["kind"] for entry in told("--kind", "alarm", "--kind", "operator")} == {"alarm", "operator"}
    late = told("--kind", "alarm", "--since", "2018-08-29T23:30", "--until", "2018-08-29T23:59:00+00:00")
    assert [entry["key"] for entry in late] == ["leak", "disk"]
    assert {entry["alarm_class"] for entry in told("--class", "warning")} == {"warning"}
    assert len(told("--class", "caution")) > len(told("--class", "warning"))
    assert any(entry["kind"] == "readings" for entry in told())


def test_torn_lines_are_counted_and_readings_do_not_drown_people(folder: Path) -> None:
    shown = CliRunner().invoke(leakctl, ["journal", str(folder)])
    assert shown.exit_code == 0
    assert "1 line is unreadable" in shown.stderr
    assert "sensors read every" not in shown.stdout
    assert "sensors read every" in CliRunner().invoke(leakctl, ["journal", str(folder), "--kind", "readings"]).stdout


def test_what_cannot_be_asked_is_refused_with_what_can(folder: Path) -> None:
    bogus = invoke("journal", folder, "--kind", "bogus")
    assert bogus.exit_code == 2
    assert all(kind in bogus.output for kind in KINDS)
    when = invoke("journal", folder, "--since", "yesterday")
    assert when.exit_code == 2
    assert "2018-08-29T23:00" in when.output
    foreign = folder / "letter.txt"
    foreign.write_text("Dear crew,\n" * 50, encoding="utf-8")
    shown = invoke("journal", foreign)
    assert shown.exit_code == 2
    assert "is no journal of ours" in shown.output


def test_following_goes_on_over_batches_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time it would wait, something is written: half a line, the rest, a new file."""
    monkeypatch.setattr("controller.cli.journal.POLL_S", 0.001)
    first = JournalWriter(tmp_path, "20180829T230000Z", max_file_bytes=1_000_000, max_files=8)
    first.append([note(1)], durable=True)
    waits = 0

    class Waiting(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            nonlocal waits
            waits += 1
            if waits == 1:
                first.append([note(2), note(3)], durable=False)
            elif waits == 2:
                first.append([note(4)], durable=False)
                second = JournalWriter(tmp_path, "20180829T230001Z", max_file_bytes=1_000_000, max_files=8)
                second.append([note(5)], durable=True)
                second.close()
            elif waits > 3:
                raise KeyboardInterrupt
            return False

    monkeypatch.setattr("controller.cli.journal.threading.Event", Waiting)
    seen: list[int] = []
    following = _followed(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        while True:
            entry = next(following)
            seen.append(entry if isinstance(entry, int) else entry.seq)
    first.close()
    assert seen == [1, 2, 3, 4, 5]
