"""What is recorded, how much of it at most, and that a standard reader reads it."""

import errno
from pathlib import Path

import pytest
from mcap.reader import make_reader

from firmware_bridge.errors import RecordingError
from firmware_bridge.links import recording
from firmware_bridge.links.recording import Recorder, Settings
from firmware_bridge.links.recording_file import Head, RecordingWriter, open_recording, read_marks
from firmware_bridge.session.tape import Call, Mark, Role, call_data, call_of, link_of, link_topic, order_of, send_data
from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.commands import Capture, Levels, TriggerRole

HEAD = Head(
    run="run",
    software="leakloc test",
    origin_ns=5,
    origin_utc_ns=1_800_000_000_000_000_000,
    site=b"{}",
    controller=b"{}",
    compartment="lab",
    links=("/dev/ttyACM0",),
)
TOPIC = link_topic("/dev/ttyACM0", Role.FROM_NODE)
PAYLOAD = bytes(range(256)) * 4


def mark(at_s: float, data: bytes = PAYLOAD) -> Mark:
    return Mark(TOPIC, round(at_s * NS_PER_S), round(at_s * NS_PER_S) - 7, data)


class Run:
    """A recorder with a second hand: one mark a second, settled and written as the controller does."""

    def __init__(self, settings: Settings) -> None:
        self.recorder = Recorder(HEAD, settings, lambda at_ns: f"{at_ns // NS_PER_S:06d}", 0, b"state 0")
        self.second = 0

    def seconds(self, count: int, *, write: bool = True) -> None:
        for _ in range(count):
            self.second += 1
            self.recorder.mark(mark(self.second))
            self.recorder.settle(self.second * NS_PER_S, f"state {self.second}".encode)
            if write:
                self.recorder.write(self.recorder.take())

    def end(self) -> None:
        self.recorder.end()
        self.recorder.write(self.recorder.take())


def times_s(path: Path) -> list[int]:
    return [one.now_ns // NS_PER_S for one in read_marks(open_recording(path))]


def test_around_an_event_are_one_to_two_times_the_time_before_and_the_time_after(tmp_path: Path) -> None:
    for happens_s in (35, 45, 59):
        run = Run(Settings(events=tmp_path / str(happens_s), before_s=20.0, after_s=10.0))
        run.seconds(happens_s)
        run.recorder.keep(happens_s * NS_PER_S, "leak")
        run.seconds(60)
        (path,) = (tmp_path / str(happens_s)).iterdir()
        assert path.name == f"{happens_s:06d}-leak.mcap"
        kept = times_s(path)
        assert kept == list(range(kept[0], kept[-1] + 1))
        assert 20 <= happens_s - kept[0] + 1 <= 41
        assert kept[-1] == happens_s + 10
        assert (
            open_recording(path).state == f"state {kept[0] - 1}".encode()
        )  # what was remembered before the first mark


def test_what_happens_again_meanwhile_prolongs_it_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MAX_EVENT_NS", 50 * NS_PER_S)
    run = Run(Settings(events=tmp_path, before_s=20.0, after_s=10.0))
    run.seconds(30)
    run.recorder.keep(30 * NS_PER_S, "leak")
    for _ in range(20):
        run.seconds(5)
        if run.second < 75:
            run.recorder.keep(run.second * NS_PER_S, "leak")
    (path,) = tmp_path.iterdir()
    assert times_s(path)[-1] == 80


def test_events_take_no_more_than_their_share_of_the_disk(tmp_path: Path) -> None:
    run = Run(Settings(events=tmp_path, before_s=10.0, after_s=2.0, max_events_bytes=60_000))
    sizes = []
    for _ in range(30):
        run.seconds(15)
        run.recorder.keep(run.second * NS_PER_S, "leak")
        run.seconds(5)
        sizes.append(sum(path.stat().st_size for path in tmp_path.iterdir()))
    largest = max(path.stat().st_size for path in tmp_path.iterdir())
    assert max(sizes) <= 60_000 + largest  # the one that is written
    assert sum(times_s(path)[-1] > 590 for path in tmp_path.iterdir()) == 1  # the newest are there


def test_a_whole_run_is_kept_in_parts_that_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "PART_BYTES", 50_000)
    run = Run(Settings(whole=tmp_path))
    run.seconds(200)
    run.end()
    parts = [open_recording(path) for path in sorted(tmp_path.iterdir())]
    assert [part.part for part in parts] == list(range(1, len(parts) + 1))
    assert len(parts) > 3
    assert [s for part in parts for s in times_s(part.path)] == list(range(1, 201))


def test_a_disk_that_is_too_slow_or_full_costs_a_stretch_and_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MAX_UNWRITTEN_BYTES", 20_000)
    run = Run(Settings(whole=tmp_path))
    run.seconds(40, write=False)
    assert run.recorder.given_up == 1
    assert run.recorder.take() == []
    run.seconds(100)  # a minute later it begins anew, from what is remembered then
    run.end()
    again = max(open_recording(path).path for path in tmp_path.iterdir())
    kept = times_s(again)
    assert kept[-1] == 140
    assert open_recording(again).state == f"state {kept[0] - 1}".encode()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    other = Run(Settings(whole=tmp_path / "other"))
    other.seconds(3)
    monkeypatch.setattr(RecordingWriter, "write", full)
    other.recorder.mark(mark(4))
    with pytest.raises(OSError, match="no space"):
        other.recorder.write(other.recorder.take())
    other.recorder.failed(4 * NS_PER_S)
    assert times_s(next((tmp_path / "other").iterdir())) == [1, 2, 3]


def test_a_standard_reader_finds_topics_times_and_attachments(tmp_path: Path) -> None:
    run = Run(Settings(whole=tmp_path))
    run.seconds(3)
    run.end()
    (path,) = tmp_path.iterdir()
    with path.open("rb") as file:
        reader = make_reader(file)
        summary = reader.get_summary()
        assert summary is not None
        assert summary.statistics is not None
        assert summary.statistics.message_count == 3
        assert {attachment.name for attachment in reader.iter_attachments()} == {
            "site.json",
            "controller.json",
            "state.pickle",
        }
        found = [(channel.topic, message.log_time, message.data) for _, channel, message in reader.iter_messages()]
    assert found == [(TOPIC, HEAD.origin_utc_ns - 5 + s * NS_PER_S, PAYLOAD) for s in (1, 2, 3)]


def test_a_file_of_the_same_name_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    RecordingWriter(path, HEAD, 1, None).close()
    with pytest.raises(FileExistsError):
        RecordingWriter(path, HEAD, 1, None)


def test_any_cut_and_any_damage_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    writer = RecordingWriter(path, HEAD, 1, b"x" * 50)
    for second in range(5):
        writer.write([mark(second)])
    writer.close()
    whole = path.read_bytes()
    expected = list(read_marks(open_recording(path)))
    for length in range(0, len(whole), 37):
        for data in (whole[:length], whole[:length] + b"\xff" + whole[length + 1 :]):
            path.write_bytes(data)
            try:
                found = list(read_marks(open_recording(path)))
            except RecordingError:
                continue
            assert found == expected[: len(found)]


def test_marks_say_what_they_said() -> None:
    assert link_of(TOPIC) == ("/dev/ttyACM0", Role.FROM_NODE)
    assert link_of(link_topic("mqtt:leakloc/a/node/D", Role.CALL)) == ("mqtt:leakloc/a/node/D", Role.CALL)
    assert link_of("controller/steps") is None
    assert call_of(call_data(Call.OPEN_FAILED, "nothing: plug it in")) == (Call.OPEN_FAILED, "nothing: plug it in")
    assert call_of(call_data(Call.TICK)) == (Call.TICK, "")
    for command in (Capture(7, 16_384, TriggerRole.DRIVE, 2**60), Levels(1000)):
        text = send_data("A", 3, command).decode().partition(" ")[2]
        assert order_of(text) == ("A", 3, command)
    with pytest.raises(ValueError, match="no order"):
        order_of("A 3 00")


def test_a_line_that_floods_costs_evidence_and_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_HELD_BYTES", 20_000)  # a mark of these tests takes 1.2 kB: 16 of them
    run = Run(Settings(events=tmp_path, before_s=30.0, after_s=10.0))
    run.seconds(14)
    assert run.recorder.overflowed == 0
    run.seconds(10)
    assert run.recorder.overflowed == 1
    run.recorder.keep(24 * NS_PER_S, "leak")
    assert list(tmp_path.iterdir()) == []  # nothing is held that a replay could begin with
    run.seconds(60)  # it is held anew a minute after the flood
    assert run.recorder.overflowed == 1
    run.recorder.keep(84 * NS_PER_S, "leak")
    run.seconds(11)
    (path,) = tmp_path.iterdir()
    kept = times_s(path)
    assert kept == list(range(kept[0], 95))
    assert open_recording(path).state == f"state {kept[0] - 1}".encode()


def test_an_older_block_makes_way_for_the_newer_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_HELD_BYTES", 20_000)
    run = Run(Settings(events=tmp_path, before_s=10.0, after_s=1.0))
    run.seconds(28)
    run.recorder.keep(28 * NS_PER_S, "leak")
    run.seconds(2)
    assert run.recorder.overflowed == 0
    (path,) = tmp_path.iterdir()
    assert times_s(path)[0] == 21


def test_one_event_that_floods_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_EVENT_BYTES", 50_000)
    run = Run(Settings(events=tmp_path, before_s=10.0, after_s=600.0))
    run.seconds(5)
    run.recorder.keep(5 * NS_PER_S, "leak")
    run.seconds(200)
    (path,) = tmp_path.iterdir()
    assert len(times_s(path)) * (len(PAYLOAD) + 200) <= 50_000 + 2 * (len(PAYLOAD) + 200)
