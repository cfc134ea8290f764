"""Recordings that were cut, damaged or made by somebody with bad intent: read as far as they go, or refused."""

import os
import pickle
import tracemalloc
from pathlib import Path

import pytest
from click.testing import CliRunner

from controller.cli.replay import replay
from controller.evidence.replay import recorded_parts
from controller.evidence.state import thaw
from firmware_bridge.errors import RecordingError
from firmware_bridge.links import recording_file
from firmware_bridge.links.recording_file import Head, RecordingWriter, open_recording, read_marks
from firmware_bridge.session.tape import Mark, Role, link_topic
from firmware_bridge.units import NS_PER_S

TOPIC = link_topic("/dev/ttyACM0", Role.FROM_NODE)


def head(run: str = "run", began_ns: int = 1_800_000_000_000_000_000) -> Head:
    return Head(
        run=run,
        software="leakloc test",
        origin_ns=5,
        origin_utc_ns=began_ns,
        site=b"{}",
        controller=b"{}",
        compartment="lab",
        links=("/dev/ttyACM0",),
    )


def written(path: Path, *data: bytes, of: Head | None = None, state: bytes | None = None) -> Path:
    writer = RecordingWriter(path, of or head(), 1, state)
    for second, piece in enumerate(data, start=1):
        writer.write([Mark(TOPIC, second * NS_PER_S, second * NS_PER_S, piece)])
    writer.close()
    return path


def refused(path: Path) -> str:
    done = CliRunner().invoke(replay, [str(path)])
    assert done.exit_code == 2, done.output
    assert done.stderr.startswith("leakctl: ")
    return done.stderr


def test_every_cut_of_the_last_kilobyte_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mcap", b"one", b"two", b"three")
    whole = path.read_bytes()
    expected = list(read_marks(open_recording(path)))
    for length in range(len(whole) - 1024, len(whole)):
        path.write_bytes(whole[:length])
        found = list(read_marks(open_recording(path)))
        assert found == expected[: len(found)]


def test_a_chunk_that_would_fill_the_memory_ends_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight million zeros are 300 bytes of zstd; what is bounded is what they would become."""
    path = written(tmp_path / "a.mcap", b"first", bytes(8_000_000), b"last")
    assert path.stat().st_size < 20_000
    assert len(list(read_marks(open_recording(path)))) == 3
    monkeypatch.setattr(recording_file, "MAX_CHUNK_BYTES", 4_000_000)
    recorded = open_recording(path)
    tracemalloc.start()
    try:
        assert [one.data for one in read_marks(recorded)] == [b"first"]
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mcap"
    os.mkfifo(pipe)
    assert "is no ordinary file" in refused(pipe)
    folder = tmp_path / "folder.mcap"
    folder.mkdir()
    assert "no recording in" in refused(folder)
    empty = tmp_path / "empty.mcap"
    empty.touch()
    assert "is no recording" in refused(empty)


def test_one_unreadable_file_of_a_folder_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    written(tmp_path / "a.mcap", b"x", of=head("old"))
    new = written(tmp_path / "b.mcap", b"x", of=head("new", 1_800_000_100_000_000_000))
    (tmp_path / "c.mcap").touch()  # as a full disk leaves it
    left_out: list[str] = []
    (part,) = recorded_parts(tmp_path, left_out.append)
    assert part.path == new
    assert left_out == [f"{tmp_path / 'c.mcap'} is no recording"]
    new.unlink()
    (tmp_path / "a.mcap").unlink()
    with pytest.raises(RecordingError, match=r"c\.mcap is no recording"):
        recorded_parts(tmp_path)


@pytest.mark.parametrize("parts", [(1, 2, 3, 4, 5), (None,) * 5, [], {}, ([],) * 5])
def test_a_state_of_other_things_is_refused(parts: object) -> None:
    with pytest.raises(RecordingError, match="something else"):
        thaw(pickle.dumps(parts))


def test_a_head_that_is_no_site_is_refused_in_a_sentence(tmp_path: Path) -> None:
    assert "a.mcap" in refused(written(tmp_path / "a.mcap", b"x"))
