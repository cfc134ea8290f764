"""What the twin says unasked, and what it says about itself: levels, switches, flags, resets."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from firmware_bridge.units import NS_PER_S, Quantity
from firmware_bridge.wire.codec import decode, encode
from firmware_bridge.wire.commands import (
    Capture,
    Command,
    Hello,
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
from firmware_bridge.wire.reports import (
    Ack,
    AckResult,
    BandLevels,
    BurstPiece,
    Channel,
    Feature,
    HelloAck,
    Samples,
    Status,
)
from sim.node.board import WATCHDOG, Board, Pins, runs
from sim.node.firmware import Firmware
from sim.node.oscillator import Oscillator
from sim.node.outgoing import Outgoing

S = NS_PER_S
SLOW = Channel(Quantity.PRESSURE, 0.01, 0.0)
FAST = Channel(Quantity.ULTRASOUND, 0.001, 0.0)
BOARD = Board(
    uid=0xB7,
    channels=(SLOW, FAST, FAST, SLOW, SLOW),
    features=Feature.BURSTS | Feature.LEVELS | Feature.SIREN | Feature.SWITCH,
    burst_rate_hz=192_000,
    longest_burst=4096,
    bands_hz=((20e3, 40e3), (40e3, 80e3)),
    outputs=frozenset({0, 3}),
)


@dataclass
class Twin:
    """A node on a bench: what it asked for, and what it says."""

    clock: Oscillator = field(default_factory=lambda: Oscillator(0, 0.0))
    outgoing: Outgoing = field(default_factory=Outgoing)
    samples_a_frame: int = 1
    asked: list[tuple[int, int]] = field(default_factory=list)
    relays: list[tuple[int, bool]] = field(default_factory=list)
    readings: int = 0
    sequence: int = 0

    def __post_init__(self) -> None:
        self.firmware = Firmware(
            BOARD,
            self.clock,
            self.read,
            boot_id=3,
            pins=Pins(self.levels, lambda output, on: self.relays.append((output, on)), lambda: (310.0, 4.9)),
            outgoing=self.outgoing,
            samples_a_frame=self.samples_a_frame,
        )

    def read(self) -> np.ndarray:
        self.readings += 1
        return np.array([self.readings, 20, 30], dtype=np.int32)

    def levels(self, start_ns: int, window_ns: int) -> np.ndarray:
        self.asked.append((start_ns, window_ns))
        return np.array([[1.0, 2.0], [3.0, 4.0]])

    def tell(self, now_ns: int, command: Command) -> list[Packet]:
        self.sequence += 1
        self.firmware.receive(now_ns, encode_packet(encode(command, sequence=self.sequence)))
        return self.said(now_ns)

    def ack(self, now_ns: int, command: Command) -> AckResult:
        (packet,) = self.tell(now_ns, command)
        ack = decode(packet)
        assert isinstance(ack, Ack)
        return ack.result

    def step(self, now_ns: int) -> list[Packet]:
        self.firmware.step(now_ns)
        return self.said(now_ns)

    def said(self, now_ns: int) -> list[Packet]:
        frames = b"".join(iter(lambda: self.firmware.outgoing.pop(now_ns), None))
        return [packet for packet in Deframer().feed(frames) if isinstance(packet, Packet)]


@pytest.fixture
def twin() -> Twin:
    return Twin()


def test_levels_come_at_the_end_of_every_window_without_start(twin: Twin) -> None:
    assert twin.ack(S, Levels(500)) is AckResult.DONE
    assert twin.firmware.next_ns == S + S // 2
    packets = twin.step(2 * S)
    reports = [decode(packet) for packet in packets]
    assert twin.asked == [(S, S // 2), (S + S // 2, S // 2)]
    assert [packet.time_ns for packet in packets] == [S, S + S // 2]
    for report in reports:
        assert isinstance(report, BandLevels)
        assert (report.window_ns, report.first_channel) == (S // 2, 1)
        assert report.bands_hz.tolist() == [[20e3, 40e3], [40e3, 80e3]]
        assert report.mean_square.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("end", [Levels(0), Stop()])
def test_levels_end_when_they_are_told_to(twin: Twin, end: Command) -> None:
    twin.ack(S, Levels(500))
    twin.ack(S, end)
    assert twin.step(20 * S) == []
    assert twin.firmware.next_ns is None


def test_hello_does_not_end_levels(twin: Twin) -> None:
    twin.ack(S, Levels(500))
    twin.tell(S, Hello(1, 1))
    assert len(twin.step(2 * S)) == 2


def test_slow_channels_that_are_no_neighbours_go_in_several_frames(twin: Twin) -> None:
    twin.ack(S, Start(1000))
    samples = [report for report in map(decode, twin.step(S)) if isinstance(report, Samples)]
    assert [(s.first_channel, s.counts.tolist()) for s in samples] == [(0, [[1]]), (3, [[20, 30]])]
    assert runs([0, 3, 4, 6]) == [(0, 1), (3, 2), (6, 1)]


def test_several_instants_can_share_a_frame() -> None:
    twin = Twin(samples_a_frame=3)
    twin.ack(0, Start(1000))
    packets = [packet for t in range(7) for packet in twin.step(t * S) if isinstance(decode(packet), Samples)]
    firsts = [packet for packet in packets if packet.payload[0] == 0]
    assert [(packet.time_ns, packet.count) for packet in firsts] == [(0, 3), (3 * S, 3)]


def test_relays_move_and_fall_back_to_on_with_the_power(twin: Twin) -> None:
    assert twin.ack(S, Switch(3, False)) is AckResult.DONE
    assert twin.ack(S, Switch(1, False)) is AckResult.REFUSED
    twin.firmware.reboot(2 * S)
    assert twin.relays == [(3, False), (3, True)]


def test_status_says_how_it_is_and_why_it_started(twin: Twin) -> None:
    twin.firmware.receive(S, b"\x05rubbish\x00")
    twin.firmware.reboot(10 * S, WATCHDOG)
    twin.firmware.receive(11 * S, b"\x05rubbish\x00\x05more\x00")
    twin.tell(12 * S, Start(1000))
    (status,) = [report for report in map(decode, twin.step(14 * S)) if isinstance(report, Status)]
    assert (status.uptime_s, status.bad_frames, status.reset_cause) == (4, 2, WATCHDOG)
    assert (status.temperature_k, status.supply_v) == pytest.approx((310.0, 4.9))


def test_the_first_frame_after_the_clock_was_set_says_so() -> None:
    twin = Twin(clock=Oscillator(0, 0.0, steps=[(5 * S, 60 * S)]))
    flags = [twin.tell(at_ns, Ping(1))[0].flags for at_ns in (4 * S, 5 * S, 6 * S)]
    assert [bool(flag & Flags.TIME_STEP) for flag in flags] == [False, True, False]


def test_what_was_lost_before_is_flagged_in_the_next_of_its_kind() -> None:
    twin = Twin(outgoing=Outgoing(baud=9600, transmit_bytes=256))
    twin.tell(0, Start(20))
    for tick in range(50):
        twin.firmware.step(tick * S // 50)
    packets = twin.said(2 * S)
    assert twin.firmware.outgoing.dropped_frames > 0
    twin.firmware.step(2 * S)
    packets = [packet for packet in twin.said(4 * S) if isinstance(decode(packet), Samples)]
    assert packets[0].flags & Flags.OVERFLOW
    gap = packets[0].sequence
    assert gap > 10  # sequence numbers count what was dropped too


def test_a_burst_from_before_a_reset_is_not_sent_under_the_new_boot(twin: Twin) -> None:
    twin.ack(S, Capture(7, 600, TriggerRole.AT_TIME, 0))
    (order,) = twin.firmware.step(S)
    twin.firmware.reboot(2 * S)
    twin.said(2 * S)
    twin.firmware.recorded(3 * S, order, np.zeros((2, 600), dtype=np.int16), saturated=False)
    assert twin.said(3 * S) == []


def test_a_burst_names_its_first_channel(twin: Twin) -> None:
    twin.ack(S, Capture(7, 600, TriggerRole.AT_TIME, 0))
    (order,) = twin.firmware.step(S)
    twin.firmware.recorded(2 * S, order, np.zeros((2, 600), dtype=np.int16), saturated=True)
    pieces = [decode(packet) for packet in twin.said(2 * S)]
    assert [piece.first_channel for piece in pieces if isinstance(piece, BurstPiece)] == [1, 1]


def test_a_capture_waits_for_a_clock_that_was_set_back() -> None:
    twin = Twin(clock=Oscillator(0, 0.0, steps=[(10 * S, -5 * S)]))
    twin.ack(11 * S, Capture(1, 100, TriggerRole.AT_TIME, 8 * S))
    assert twin.firmware.step(12 * S) == []
    (order,) = twin.firmware.step(13 * S)
    assert order.start_ns == 13 * S


def test_it_can_pretend_to_be_another(twin: Twin) -> None:
    twin.firmware.pretend(0xBAD, 3)
    (packet,) = twin.tell(S, Hello(1, 1))
    ack = decode(packet)
    assert isinstance(ack, HelloAck)
    assert (ack.uid, ack.min_version, ack.max_version, packet.version) == (0xBAD, 3, 3, 3)
    assert twin.tell(S, Ping(1)) == []  # in version 1, which it does not speak
    twin.firmware.pretend(None, None)
    assert len(twin.tell(S, Ping(1))) == 1


def test_without_power_it_is_dark(twin: Twin) -> None:
    twin.ack(S, Siren(SirenPattern.WARNING))
    twin.firmware.lose_power()
    assert twin.firmware.siren is SirenPattern.SILENT


UNWIRED: list[Callable[[Pins], object]] = [lambda w: w.levels(0, 1), lambda w: w.relay(0, True)]


@pytest.mark.parametrize("use", UNWIRED)
def test_a_board_without_wires_says_so(use: Callable[[Pins], object]) -> None:
    with pytest.raises(NotImplementedError, match="wired up"):
        use(Pins())
