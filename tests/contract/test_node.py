"""A node against docs/protocol.md: what it must do whoever asks, and whatever it is made of."""

import tomllib

import numpy as np
import pytest

from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.codec import decode, encode, kind_of
from firmware_bridge.wire.commands import (
    Capture,
    Hello,
    Identify,
    Levels,
    Ping,
    Siren,
    SirenPattern,
    Start,
    Stop,
    Switch,
    TriggerRole,
)
from firmware_bridge.wire.framing import Deframer, Flags, Packet, encode_packet
from firmware_bridge.wire.reports import Ack, AckResult, BandLevels, BurstPiece, HelloAck, Pong, Samples, Status
from sim.node.board import WATCHDOG
from sim.node.oscillator import Oscillator
from sim.node.program import ProgramMaker
from tests.support.endpoints import BANDS_HZ, BOARD, OFFSET_NS, SLOW_COUNTS, TONE_COUNTS, NodeOnABench, reports, tone
from tests.support.firmware import ROOT

VECTORS = ROOT / "tests" / "vectors" / "wire-v1.toml"
REFUSED = tomllib.loads(VECTORS.read_text(encoding="utf-8"))["refused"]


@pytest.fixture
def node(make_node: ProgramMaker) -> NodeOnABench:
    return NodeOnABench(make_node)


def test_it_sends_a_delimiter_at_power_up_and_nothing_more_unasked(node: NodeOnABench) -> None:
    assert node.first == b"\x00"
    assert node.run(10.0) == []


@pytest.mark.parametrize("version", [1, 2, 7])
def test_it_says_who_it_is_to_every_version(node: NodeOnABench, version: int) -> None:
    (packet,) = node.tell(Hello(version, version), version=version)
    ack = decode(packet)
    assert isinstance(ack, HelloAck)
    assert (ack.uid, ack.features, ack.burst_rate_hz) == (BOARD.uid, BOARD.features, BOARD.burst_rate_hz)
    assert (ack.longest_burst, ack.channels, ack.min_version, ack.max_version) == (4096, BOARD.channels, 1, 1)
    assert (packet.boot_id, packet.sequence, packet.flags) == (3, 0, Flags.NONE)


def test_it_ignores_commands_of_another_version_and_reports(node: NodeOnABench) -> None:
    assert node.tell(Ping(1), version=2) == []
    assert node.tell_bytes(encode_packet(encode(Status(1, 0, 0, 0, 0, 300.0, 5.0), sequence=1))) == []
    assert node.tell_bytes(encode_packet(Packet(kind=13, sequence=0, payload=b"what it never heard of"))) == []


def test_any_chopping_of_its_input_is_the_same(node: NodeOnABench) -> None:
    data = b"\x00\x00" + b"".join(encode_packet(encode(Ping(i), sequence=i)) for i in range(3))
    packets = [packet for byte in data for packet in node.tell_bytes(bytes([byte]))]
    assert [decode(packet) for packet in packets] == [Pong(i, node.node_ns, node.node_ns) for i in range(3)]


def test_a_pong_has_the_nodes_own_time(node: NodeOnABench) -> None:
    (packet,) = node.tell(Ping(77))
    assert decode(packet) == Pong(77, NS_PER_S + OFFSET_NS, NS_PER_S + OFFSET_NS)
    assert packet.time_ns == NS_PER_S + OFFSET_NS


def test_a_pong_goes_out_ahead_of_pieces_that_wait(make_node: ProgramMaker) -> None:
    node = NodeOnABench(make_node, baud=921_600)
    node.tell(Capture(1, 4096, TriggerRole.AT_TIME, 0))
    packets = node.run(0.025)  # the 21 ms of the burst, and the first of its pieces is on the line
    assert len(reports(packets, BurstPiece)) < 2
    node.tell(Ping(5))
    said = [decode(packet) for packet in node.run(1.0)]
    assert [isinstance(report, Pong) for report in said[:2]].count(True) == 1  # at most the piece under way is first
    assert sum(isinstance(report, BurstPiece) for report in said) >= 7


def test_a_command_that_comes_twice_is_acknowledged_twice_and_done_once(node: NodeOnABench) -> None:
    capture = Capture(1, 100, TriggerRole.WAIT_EDGE, node.node_ns + NS_PER_S)
    answers = [node.answer(capture, sequence=9) for _ in range(2)]
    assert answers == [Ack(kind_of(Capture), 9, AckResult.DONE)] * 2  # done again, it would be busy
    again = node.answer(capture, sequence=10)
    assert (again.command_kind, again.command_sequence, again.result) == (20, 10, AckResult.BUSY)
    assert again.text


def test_hello_makes_it_forget_the_last_command(node: NodeOnABench) -> None:
    """A host that was started anew counts from 1 again: its first START may look like its predecessor's last."""
    node.tell(Start(1000), sequence=1)
    node.tell(Hello(1, 1))
    node.tell(Start(100), sequence=1)
    periods = {report.period_ns for report in reports(node.run(1.0), Samples) if isinstance(report, Samples)}
    assert periods == {100_000_000}


def test_it_streams_from_start_to_stop(node: NodeOnABench) -> None:
    packets = node.tell(Start(500)) + node.run(2.9)
    samples = [(packet, decode(packet)) for packet in packets if packet.kind == kind_of(Samples)]
    found = [(report.first_channel, report.counts.tolist()) for _, report in samples if isinstance(report, Samples)]
    # The two burst channels stand between the slow ones, which go in two frames therefore.
    assert found == [(0, [[SLOW_COUNTS[0]]]), (3, [list(SLOW_COUNTS[1:])])] * 6
    assert [packet.time_ns for packet, _ in samples[::2]] == [
        NS_PER_S + OFFSET_NS + i * NS_PER_S // 2 for i in range(6)
    ]
    assert [packet.sequence for packet, _ in samples] == list(range(12))
    assert len(reports(packets, Status)) == 3
    node.tell(Stop(), sequence=2)
    assert node.run(5.0) == []


def test_several_instants_go_into_one_frame_where_the_board_says_so(make_node: ProgramMaker) -> None:
    def four(*args: object, **more: object) -> object:
        return make_node(*args, **{**more, "samples_a_frame": 4})  # type: ignore[arg-type]

    node = NodeOnABench(four)  # type: ignore[arg-type]
    packets = node.tell(Start(100)) + node.run(0.79)
    samples = [report for report in reports(packets, Samples) if isinstance(report, Samples)]
    assert [report.counts.shape for report in samples] == [(4, 1), (4, 2)] * 2


def test_what_it_does_not_know_it_says_so(node: NodeOnABench) -> None:
    for kind, payload in ((25, b""), (kind_of(Siren), b"\x09"), (kind_of(Levels), b"\x01\x00\x00\x00")):
        (answer,) = map(decode, node.tell_bytes(encode_packet(Packet(kind, 5, payload))))
        assert isinstance(answer, Ack)
        assert (answer.command_kind, answer.command_sequence, answer.result) == (kind, 5, AckResult.UNKNOWN)


@pytest.mark.parametrize("refused", REFUSED, ids=[refused["name"] for refused in REFUSED])
def test_what_it_must_refuse_it_counts_and_does_not_do(node: NodeOnABench, refused: dict[str, str]) -> None:
    frame = bytes.fromhex(refused["frame"])
    (found,) = Deframer().feed(frame)
    answers = [decode(packet) for packet in node.tell_bytes(frame)]
    if isinstance(found, Packet) and found.kind >= kind_of(Hello) and found.version == 1:
        (ack,) = answers
        assert isinstance(ack, Ack)
        assert (ack.command_kind, ack.command_sequence, ack.result) == (found.kind, found.sequence, AckResult.UNKNOWN)
    else:
        assert answers == []
    assert (node.relays, node.program.siren, node.run(0.4)) == ([], SirenPattern.SILENT, [])
    (status,) = reports(node.tell(Start(1000), sequence=2) + node.run(0.5), Status)
    assert isinstance(status, Status)
    ours = isinstance(found, Packet) and found.kind < kind_of(Hello)  # a line that echoes: nobody's damage
    assert status.bad_frames == (0 if ours else 1)


def test_status_counts_what_was_no_frame(node: NodeOnABench) -> None:
    node.tell_bytes(b"\x05garbage\x00" + b"\x01" * 5000 + b"\x00\x00")
    node.tell_bytes(encode_packet(Packet(kind_of(Siren), 5, b"\x09")))
    (status,) = reports(node.tell(Start(1000)) + node.run(0.5), Status)
    assert isinstance(status, Status)
    assert (status.bad_frames, status.dropped_frames, status.uptime_s) == (3, 0, 1)


def test_the_pieces_of_a_burst_are_in_order_and_agree(node: NodeOnABench) -> None:
    node.tell(Capture(4, 1200, TriggerRole.WAIT_EDGE, node.node_ns + NS_PER_S))
    order = node.program.edge(node.now_ns + 1000)
    assert order is not None
    counts = np.arange(2400).reshape(2, 1200).astype(np.int16)
    node.program.recorded(node.now_ns, order, counts, saturated=False)
    packets = node.said()
    pieces = [piece for piece in map(decode, packets) if isinstance(piece, BurstPiece)]
    assert [piece.offset for piece in pieces] == [0, 512, 1024]
    assert {(piece.burst_id, piece.total, piece.rate_hz, piece.first_channel) for piece in pieces} == {
        (4, 1200, 192_000, 1)
    }
    assert np.array_equal(np.concatenate([piece.counts for piece in pieces], axis=1), counts)
    assert {packet.time_ns for packet in packets} == {node.now_ns + 1000 + OFFSET_NS}
    assert {packet.flags for packet in packets} == {Flags.TRIGGERED}
    assert [packet.sequence for packet in packets] == [0, 1, 2]


def test_a_burst_at_a_time_begins_then(node: NodeOnABench) -> None:
    start_ns = node.node_ns + NS_PER_S // 10
    assert node.answer(Capture(4, 100, TriggerRole.DRIVE, start_ns)).result is AckResult.DONE
    node.now_ns = node.now_ns + NS_PER_S // 10 - 1
    assert node.program.step(node.now_ns) == []
    assert node.answer(Capture(5, 100, TriggerRole.AT_TIME, 0), sequence=2).result is AckResult.BUSY
    node.now_ns += 1
    (order,) = node.program.step(node.now_ns)
    assert (order.burst_id, order.start_ns, order.samples, order.drives_line) == (4, node.now_ns, 100, True)
    node.program.recorded(node.now_ns, order, tone(order), saturated=True)
    (packet,) = node.said()
    assert (packet.time_ns, packet.flags) == (start_ns, Flags.TRIGGERED | Flags.SATURATED)


def test_without_an_edge_nothing_is_sent(node: NodeOnABench) -> None:
    node.tell(Capture(4, 100, TriggerRole.WAIT_EDGE, node.node_ns + NS_PER_S))
    assert node.run(2.0) == []
    assert node.program.edge(node.now_ns) is None
    late = Capture(5, 100, TriggerRole.WAIT_EDGE, node.node_ns - 1)
    assert node.answer(late, sequence=2).result is AckResult.TOO_LATE


@pytest.mark.parametrize("samples", [0, 4097])
def test_a_burst_of_another_length_than_it_holds_is_refused(node: NodeOnABench, samples: int) -> None:
    assert node.answer(Capture(4, samples, TriggerRole.AT_TIME, 0)).result is AckResult.REFUSED


def test_levels_are_mean_squares_by_band(node: NodeOnABench) -> None:
    packets = node.tell(Levels(500)) + node.run(3.0)
    windows = [(packet, decode(packet)) for packet in packets if packet.kind == kind_of(BandLevels)]
    assert 5 <= len(windows) <= 6
    for packet, report in windows:
        assert isinstance(report, BandLevels)
        assert report.first_channel == 1
        assert report.bands_hz.tolist() == [list(band) for band in BANDS_HZ]
        # The tone falls upon a bin: what a Hann window leaks out of the band is below 1e-6, rounding to counts 1/12.
        assert report.mean_square[:, 0] == pytest.approx([TONE_COUNTS**2 / 2] * 2, rel=1e-3)
        assert (report.mean_square[:, 1] < 1.0).all()
        assert 0 < report.window_ns <= NS_PER_S // 2
        assert packet.time_ns + report.window_ns <= node.node_ns
    starts_ns = [packet.time_ns for packet, _ in windows]
    assert set(np.diff(starts_ns).tolist()) == {NS_PER_S // 2}
    node.tell(Levels(0), sequence=2)
    assert node.run(2.0) == []


def test_the_siren_plays_and_relays_move(node: NodeOnABench) -> None:
    assert node.answer(Siren(SirenPattern.WARNING)).result is AckResult.DONE
    assert node.program.siren is SirenPattern.WARNING
    assert node.answer(Switch(3, on=False), sequence=2).result is AckResult.DONE
    assert node.answer(Switch(4, on=False), sequence=3).result is AckResult.REFUSED
    assert node.relays == [(3, False)]
    assert node.answer(Identify(2), sequence=4).result is AckResult.DONE
    assert node.run(3.0) == []
    assert node.program.siren is SirenPattern.WARNING  # until told otherwise


def plays(node: NodeOnABench) -> SirenPattern:
    return node.program.siren


def test_a_siren_sounds_by_itself_when_its_host_falls_silent(node: NodeOnABench) -> None:
    node.run(30.0)
    assert plays(node) is SirenPattern.SILENT  # nobody has told it anything: it is on a bench
    node.tell(Siren(SirenPattern.SILENT))
    for number in range(3):  # any command is a sign of life
        node.run(19.0)
        node.tell(Ping(number))
    assert plays(node) is SirenPattern.SILENT
    node.run(19.9)
    assert plays(node) is SirenPattern.SILENT
    node.run(0.2)
    assert plays(node) is SirenPattern.CAUTION
    node.run(3600.0)
    assert plays(node) is SirenPattern.CAUTION
    node.tell_bytes(b"noise on the line\0")  # is nobody's life
    assert plays(node) is SirenPattern.CAUTION
    node.tell(Ping(9))
    assert plays(node) is SirenPattern.SILENT  # the host is back: as it said last


def test_what_is_graver_than_a_silent_host_goes_on_and_stop_ends_the_watch(node: NodeOnABench) -> None:
    node.tell(Siren(SirenPattern.EMERGENCY))
    node.run(30.0)
    assert plays(node) is SirenPattern.EMERGENCY
    node.tell(Siren(SirenPattern.ADVISORY), sequence=2)
    node.run(30.0)
    assert plays(node) is SirenPattern.CAUTION
    node.tell(Stop(), sequence=3)
    assert plays(node) is SirenPattern.ADVISORY
    node.run(30.0)
    assert plays(node) is SirenPattern.ADVISORY


def test_a_clock_that_was_set_is_told_once(make_node: ProgramMaker) -> None:
    jump_ns = -2 * NS_PER_S
    node = NodeOnABench(make_node, clock=Oscillator(OFFSET_NS, 0.0, steps=[(2 * NS_PER_S, jump_ns)]))
    packets = node.tell(Start(300)) + node.run(3.0)
    told = [packet for packet in packets if packet.flags & Flags.TIME_STEP]
    assert len(told) == 1
    (pong,) = map(decode, node.tell(Ping(1)))
    assert pong == Pong(1, 4 * NS_PER_S + OFFSET_NS + jump_ns, 4 * NS_PER_S + OFFSET_NS + jump_ns)
    uptimes = [report.uptime_s for report in reports(packets, Status) if isinstance(report, Status)]
    assert uptimes == sorted(uptimes)


def test_a_reboot_changes_the_boot_id_and_silences_the_siren(node: NodeOnABench) -> None:
    node.tell(Siren(SirenPattern.EMERGENCY))
    before = node.program.siren
    node.program.reboot(node.now_ns, WATCHDOG)
    assert [before, node.program.siren] == [SirenPattern.EMERGENCY, SirenPattern.SILENT]
    (packet,) = node.tell(Ping(1))
    assert (packet.boot_id, packet.sequence) == (4, 0)
    (status,) = reports(node.tell(Start(1000)) + node.run(0.5), Status)
    assert isinstance(status, Status)
    assert (status.reset_cause, status.uptime_s) == (WATCHDOG, 0)


def test_a_burst_from_before_a_reset_is_forgotten(node: NodeOnABench) -> None:
    node.tell(Capture(4, 100, TriggerRole.AT_TIME, 0))
    (order,) = node.program.step(node.now_ns)
    node.program.reboot(node.now_ns)
    node.said()
    node.program.recorded(node.now_ns, order, tone(order), saturated=False)
    assert node.said() == []
