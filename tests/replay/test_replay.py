"""A recorded run, decided again: bit by bit, from its beginning, from a later part, and from around an event."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from controller.cli.replay import replay
from controller.evidence.replay import Replay, recorded_parts
from controller.evidence.state import thaw
from controller.journal.entries import AlarmEntry, AnyEntry, FixEntry, NoteEntry, to_json
from firmware_bridge.errors import RecordingError
from firmware_bridge.links import recording
from firmware_bridge.links.recording import Settings
from firmware_bridge.links.recording_file import open_recording, read_marks
from sim.virtual_time import run_virtual
from tests.support.virtual_rig import run_virtual_rig, scenario

RUN_S = 150.0  # learns the noise, hears the leak that opens at 90 s, and locates it
pytestmark = pytest.mark.timeout(600)  # a run, and its replays
SMALL_PART_BYTES = 4 << 20


@dataclass(frozen=True)
class Kept:
    """One recorded run: what was decided then, and where its recordings are."""

    entries: tuple[AnyEntry, ...]
    whole: Path
    events: Path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("recordings")
    settings = Settings(events=folder / "events", whole=folder / "whole", before_s=20.0, after_s=20.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "PART_BYTES", SMALL_PART_BYTES)
        run = run_virtual(run_virtual_rig(scenario(), RUN_S, recording=settings))
    decided = tuple(entry for _, entry in run.entries if not isinstance(entry, NoteEntry))
    return Kept(decided, folder / "whole", folder / "events")


def again(path: Path) -> tuple[Replay, list[AnyEntry]]:
    one = Replay(recorded_parts(path))
    return one, [entry for moment in one.moments() for entry in moment.entries]


def lines(entries: list[AnyEntry] | tuple[AnyEntry, ...]) -> list[bytes]:
    return [to_json(entry) for entry in entries]


def test_the_whole_run_is_decided_again_bit_by_bit(kept: Kept) -> None:
    one, entries = again(kept.whole)
    assert lines(entries) == lines(kept.entries)  # numbers and UTC too
    assert any(isinstance(entry, FixEntry) for entry in entries)
    assert (one.comparison.differences, one.comparison.first) == (0, None)
    assert one.comparison.decisions == len(entries)
    assert one.comparison.sent > 1000  # pings alone: seven nodes, a second each


def test_a_later_part_goes_on_from_what_was_remembered(kept: Kept) -> None:
    parts = sorted(kept.whole.iterdir())
    assert len(parts) >= 3
    one, entries = again(parts[2])
    assert one.comparison.differences == 0
    assert entries
    assert lines(entries) == [line for line in lines(kept.entries) if line in set(lines(entries))]


def test_what_was_around_an_alarm_is_kept_and_decided_again(kept: Kept) -> None:
    files = sorted(kept.events.iterdir())
    assert files
    one, entries = again(files[0])
    assert one.comparison.differences == 0
    alarms = [entry for entry in entries if isinstance(entry, AlarmEntry)]
    assert alarms
    times = [moment.elapsed_s for moment in Replay(recorded_parts(files[0])).moments()]
    first = next(
        entry.t_s
        for entry in kept.entries
        if entry.utc.replace("-", "").replace(":", "").replace(".", "") == files[0].name.split("-")[0]
    )
    assert 20.0 <= first - times[0] <= 40.0  # one block to two
    assert times[-1] - first >= 20.0 - 0.5


def test_a_recording_that_was_cut_off_is_replayed_as_far_as_it_goes(kept: Kept, tmp_path: Path) -> None:
    whole = min(kept.whole.iterdir()).read_bytes()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(whole[: len(whole) * 6 // 10])
    one, entries = again(cut)
    assert one.comparison.differences == 0
    marks = sum(1 for _ in read_marks(open_recording(cut)))
    assert 0 < marks < sum(1 for _ in read_marks(open_recording(min(kept.whole.iterdir()))))
    assert lines(entries) == lines(kept.entries)[: len(entries)]


def test_a_damaged_byte_ends_the_replay_where_it_stands(kept: Kept, tmp_path: Path) -> None:
    data = bytearray(min(kept.whole.iterdir()).read_bytes())
    data[len(data) // 2] ^= 1
    damaged = tmp_path / "damaged.mcap"
    damaged.write_bytes(data)
    one, _ = again(damaged)
    assert one.comparison.differences == 0


def test_a_state_that_would_do_something_is_not_read() -> None:
    evil = b"cos\nsystem\n(S'true'\ntR."
    with pytest.raises(RecordingError, match="has no place in it"):
        thaw(evil)


def test_the_command_prints_decisions_and_says_that_they_are_the_same(kept: Kept) -> None:
    done = CliRunner().invoke(replay, [str(kept.whole), "--json"])
    assert done.exit_code == 0
    assert [line.encode() for line in done.stdout.splitlines()] == lines(kept.entries)
    assert '"same": true' in done.stderr
    told = CliRunner().invoke(replay, [str(min(kept.events.iterdir()))])
    assert told.exit_code == 0
    assert "all as recorded" in told.stderr


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.mcap"
    other.write_bytes(b"nothing of ours")
    for path, why in ((other, "is no recording"), (tmp_path, "is no recording")):
        done = CliRunner().invoke(replay, [str(path)])
        assert done.exit_code == 2
        assert why in done.stderr


def test_speed_is_a_number_or_max(kept: Kept) -> None:
    path = str(min(kept.events.iterdir()))
    assert CliRunner().invoke(replay, [path, "--speed", "1000"]).exit_code == 0
    refused = CliRunner().invoke(replay, [path, "--speed", "0"])
    assert refused.exit_code == 2
    assert "neither max nor a number" in refused.stderr
