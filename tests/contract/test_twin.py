"""The simulated node against docs/protocol.md: what a node must do whoever asks."""

import numpy as np
import pytest

from firmware_bridge.units import NS_PER_S, Quantity
from firmware_bridge.wire.codec import decode, encode, kind_of
from firmware_bridge.wire.commands import Capture, Command, Hello, Ping, Siren, SirenPattern, Start, Stop, TriggerRole
from firmware_bridge.wire.framing import Deframer, Flags, Packet, encode_packet
from firmware_bridge.wire.reports import Ack, AckResult, BurstPiece, Channel, Feature, HelloAck, Pong, Samples, Status
from sim.node.board import Board
from sim.node.firmware import Firmware
from sim.node.oscillator import Oscillator

BOARD = Board(
    uid=0xD4,
    channels=(Channel(Quantity.ULTRASOUND, 0.001, 0.0), Channel(Quantity.ULTRASOUND, 0.001, 0.0)),
    features=Feature.BURSTS | Feature.TRIGGER_LINE | Feature.SIREN,
    burst_rate_hz=192_000,
    longest_burst=4096,
)
OFFSET_NS = 5 * NS_PER_S


class Twin:
    """A powered node, and what it says as packets."""

    def __init__(self) -> None:
        self.firmware = Firmware(BOARD, Oscillator(OFFSET_NS, 0.0), lambda: np.array([7], dtype=np.int32), boot_id=3)
        self.now_ns = NS_PER_S
        self.first = self.firmware.outgoing.pop()

    def tell(self, command: Command, sequence: int = 1, version: int = 1) -> list[Packet]:
        self.firmware.receive(self.now_ns, encode_packet(encode(command, sequence=sequence, version=version)))
        return self.said()

    def said(self) -> list[Packet]:
        frames = b"".join(iter(self.firmware.outgoing.pop, None))
        packets = Deframer().feed(frames)
        assert all(isinstance(packet, Packet) for packet in packets)
        return [packet for packet in packets if isinstance(packet, Packet)]


def test_it_sends_a_delimiter_at_power_up_and_nothing_more_unasked() -> None:
    twin = Twin()
    assert twin.first == b"\x00"
    twin.firmware.step(twin.now_ns + 10 * NS_PER_S)
    assert twin.said() == []


@pytest.mark.parametrize("version", [1, 2, 7])
def test_it_says_who_it_is_to_every_version(version: int) -> None:
    (packet,) = Twin().tell(Hello(version, version), version=version)
    ack = decode(packet)
    assert isinstance(ack, HelloAck)
    assert (ack.uid, ack.longest_burst, packet.boot_id) == (0xD4, 4096, 3)


def test_it_ignores_commands_of_another_version_and_reports() -> None:
    twin = Twin()
    assert twin.tell(Ping(1), version=2) == []
    echo = encode_packet(encode(Status(1, 0, 0, 0, 0, 300.0, 5.0), sequence=1))
    twin.firmware.receive(twin.now_ns, echo)
    assert twin.said() == []


def test_a_pong_has_the_nodes_own_time() -> None:
    (packet,) = Twin().tell(Ping(77))
    assert decode(packet) == Pong(77, NS_PER_S + OFFSET_NS, NS_PER_S + OFFSET_NS)


def test_a_command_that_comes_twice_is_acknowledged_twice_and_done_once() -> None:
    twin = Twin()
    capture = Capture(1, 100, TriggerRole.WAIT_EDGE, twin.now_ns + OFFSET_NS + NS_PER_S)
    answers = [decode(packet) for _ in range(2) for packet in twin.tell(capture, sequence=9)]
    assert answers == [Ack(kind_of(Capture), 9, AckResult.DONE)] * 2  # done again, it would be busy
    assert decode(twin.tell(capture, sequence=10)[0]) == Ack(20, 10, AckResult.BUSY, "burst 1 has not begun yet")


def test_hello_makes_it_forget_the_last_command() -> None:
    """A host that was started anew counts from 1 again: its first START may look like its predecessor's last."""
    twin = Twin()
    twin.tell(Start(1000), sequence=1)
    twin.tell(Hello(1, 1))
    twin.tell(Start(100), sequence=1)
    twin.firmware.step(twin.now_ns + NS_PER_S)
    periods = {report.period_ns for report in map(decode, twin.said()) if isinstance(report, Samples)}
    assert periods == {100_000_000}


def test_it_streams_from_start_to_stop() -> None:
    twin = Twin()
    twin.tell(Start(500))
    twin.firmware.step(twin.now_ns)
    kinds = {type(decode(packet)) for packet in twin.said()}
    assert kinds == {Samples, Status}
    twin.tell(Stop(), sequence=2)
    twin.firmware.step(twin.now_ns + 5 * NS_PER_S)
    assert twin.said() == []


def test_what_it_does_not_know_it_says_so() -> None:
    twin = Twin()
    for kind, payload in ((25, b""), (kind_of(Siren), b"\x09")):
        twin.firmware.receive(twin.now_ns, encode_packet(Packet(kind, 5, payload)))
        (answer,) = [decode(packet) for packet in twin.said()]
        assert isinstance(answer, Ack)
        assert (answer.command_kind, answer.command_sequence, answer.result) == (kind, 5, AckResult.UNKNOWN)


def test_the_pieces_of_a_burst_are_in_order_and_agree() -> None:
    twin = Twin()
    twin.tell(Capture(4, 1200, TriggerRole.WAIT_EDGE, twin.now_ns + OFFSET_NS + NS_PER_S))
    order = twin.firmware.edge(twin.now_ns + 1000)
    assert order is not None
    twin.firmware.recorded(twin.now_ns, order, np.zeros((2, 1200), dtype=np.int16), saturated=False)
    packets = twin.said()
    pieces = [piece for piece in map(decode, packets) if isinstance(piece, BurstPiece)]
    assert [piece.offset for piece in pieces] == [0, 512, 1024]
    assert {(piece.burst_id, piece.total, piece.rate_hz, piece.first_channel) for piece in pieces} == {
        (4, 1200, 192_000, 0)
    }
    assert {packet.time_ns for packet in packets} == {twin.now_ns + 1000 + OFFSET_NS}
    assert all(packet.flags & Flags.TRIGGERED for packet in packets)
    assert [packet.sequence for packet in packets] == [0, 1, 2]


def test_a_reboot_changes_the_boot_id_and_silences_the_siren() -> None:
    twin = Twin()
    twin.tell(Siren(SirenPattern.EMERGENCY))
    before = twin.firmware.siren
    twin.firmware.reboot()
    assert [before, twin.firmware.siren] == [SirenPattern.EMERGENCY, SirenPattern.SILENT]
    (packet,) = twin.tell(Ping(1))
    assert (packet.boot_id, packet.sequence) == (4, 0)
