"""Images as processes: what is said where there is none or one dies, and that nothing stays behind."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from firmware_bridge.wire.codec import decode
from firmware_bridge.wire.commands import Capture, Ping, TriggerRole
from firmware_bridge.wire.framing import Packet
from firmware_bridge.wire.reports import Ack, BurstPiece, Pong
from sim.attach.image import process as processes
from sim.attach.image.nodes import programs
from sim.attach.image.process import NodeProcess
from sim.cli.main import main
from sim.errors import NodeImageError
from sim.node.board import Board, BurstOrder
from sim.node.oscillator import Oscillator
from sim.node.program import Program, ProgramMaker
from tests.support.endpoints import BOARD, OFFSET_NS, NodeOnABench
from tests.support.firmware import built
from tests.support.processes import alive, children_of


def images() -> list[int]:
    """Our children, without the one that looked for them."""
    return [pid for pid in children_of(os.getpid()) if alive(pid)]


def test_without_an_image_it_is_said_how_to_make_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "ROOT", tmp_path)
    told = CliRunner().invoke(main, ["run", "bench-box", "--small", "--speed", "max", "--nodes", "native"])
    assert told.exit_code == 2
    assert "make firmware" in told.output
    with pytest.raises(NodeImageError, match="no node image"), programs("qemu"):
        pass


def test_an_image_that_ends_is_told_of_and_nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    built("native")
    with programs("native") as program:
        node = NodeOnABench(program)
        (child,) = images()
        assert node.tell(Ping(1))
        os.kill(child, signal.SIGKILL)
        with pytest.raises(NodeImageError, match="ended with status"):
            node.tell(Ping(2))
    assert not alive(child)


def test_what_is_no_image_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(NodeImageError, match="does not start"):
        NodeProcess("native", tmp_path / "nothing")


def test_two_images_live_side_by_side() -> None:
    built("native")
    with programs("native") as program:
        one, other = NodeOnABench(program), NodeOnABench(program)
        assert len(images()) == 2
        one.now_ns += 1000
        stamps = [decode(node.tell(Ping(5))[0]) for node in (one, other)]
        assert stamps == [Pong(5, 1_000_001_000 + OFFSET_NS, 1_000_001_000 + OFFSET_NS),
                          Pong(5, 1_000_000_000 + OFFSET_NS, 1_000_000_000 + OFFSET_NS)]  # fmt: skip
    assert images() == []


def test_a_pong_says_when_it_left_not_when_it_was_asked_for() -> None:
    """The line is busy with a piece of a burst when the ping comes: the firmware stamps what leaves, as it leaves."""
    built("native")
    with programs("native") as program:
        node = NodeOnABench(program, baud=921_600)
        node.tell(Capture(1, 4096, TriggerRole.AT_TIME, 0))
        node.run(0.03)
        asked_ns = node.node_ns
        said = [decode(packet) for packet in [*node.tell(Ping(5)), *node.run(0.2)]]
        (pong,) = [report for report in said if isinstance(report, Pong)]
        assert pong.received_ns == asked_ns
        assert asked_ns < pong.sent_ns < asked_ns + 30_000_000  # a piece of 2 x 512 samples takes 22 ms
        assert sum(isinstance(report, BurstPiece) for report in said) >= 6


MANY = Board(  # 2 MB of memory hold 65,536 samples of sixteen channels
    uid=BOARD.uid,
    channels=BOARD.channels[1:3] * 8,
    features=BOARD.features,
    burst_rate_hz=BOARD.burst_rate_hz,
    longest_burst=65_536,
)


def bursts_on_the_way(program: ProgramMaker, lengths_and_waits: list[tuple[int, float]]) -> tuple[list[str], list[int]]:
    """Ask for bursts, waiting after each; what was answered, and how long the bursts were that came through whole."""

    def many(*_: object, **more: object) -> Program:
        return program(MANY, Oscillator(OFFSET_NS, 0.0), lambda: np.zeros(0, dtype=np.int32), **more)  # type: ignore[arg-type]

    def heard(order: BurstOrder) -> NDArray[np.int16]:
        return np.random.default_rng(order.burst_id).integers(-9999, 9999, (16, order.samples), dtype=np.int16)

    node = NodeOnABench(many, baud=921_600)
    said = []
    for number, (samples, wait_s) in enumerate(lengths_and_waits):
        said += node.tell(Capture(number, samples, TriggerRole.AT_TIME, 0), number)
        said += node.run(wait_s, heard)
    messages = [decode(packet) for packet in said]
    results = [message.result.name for message in messages if isinstance(message, Ack)]
    pieces: dict[int, list[BurstPiece]] = {}
    for message in messages:
        if isinstance(message, BurstPiece):
            pieces.setdefault(message.burst_id, []).append(message)
    whole = []
    for number, parts in pieces.items():
        counts = np.concatenate([part.counts for part in parts], axis=1)
        assert np.array_equal(counts, np.random.default_rng(number).integers(-9999, 9999, counts.shape, dtype=np.int16))
        whole.append(counts.shape[1])
    return results, whole


def test_a_memory_full_of_bursts_is_busy_and_then_free_again() -> None:
    built("native")
    with programs("native") as program:
        results, whole = bursts_on_the_way(program, [(40_000, 1.0), (40_000, 1.0), (40_000, 20.0), (40_000, 20.0)])
    assert results == ["DONE", "BUSY", "BUSY", "DONE"]
    assert whole == [40_000, 40_000]


def test_bursts_lie_in_memory_as_in_a_ring_and_none_harms_another() -> None:
    """The third goes before the second, which is still there, the fourth behind it; a fifth would hit the second."""
    built("native")
    # 25,000 samples of sixteen channels are 0.8 MB and take 8.8 s: the first has left when the third is asked for.
    asked = [(25_000, 0.5), (25_000, 10.0), (20_000, 0.5), (3_000, 0.5), (4_000, 30.0)]
    with programs("native") as program:
        results, whole = bursts_on_the_way(program, asked)
    assert results == ["DONE", "DONE", "DONE", "DONE", "BUSY"]
    assert whole == [25_000, 25_000, 20_000, 3_000]


def test_line_bytes_that_are_no_frames_do_not_stop_it() -> None:
    built("native")
    with programs("native") as program:
        node = NodeOnABench(program)
        noise = np.random.default_rng(3).integers(0, 256, 100_000, dtype=np.uint8).tobytes()
        assert node.tell_bytes(noise + b"\x00") == []
        (packet,) = node.tell(Ping(1))
        assert isinstance(packet, Packet)
