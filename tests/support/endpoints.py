"""Nodes to hold against docs/protocol.md: the Python twin, the C firmware as a process, the same on a Cortex-M3."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import NS_PER_S, Quantity
from firmware_bridge.wire.codec import decode, encode
from firmware_bridge.wire.commands import Command
from firmware_bridge.wire.framing import Deframer, Packet, encode_packet
from firmware_bridge.wire.reports import Ack, Channel, Feature, Report
from sim.node.board import Board, BurstOrder, Pins
from sim.node.oscillator import Oscillator
from sim.node.outgoing import Outgoing
from sim.node.program import Program, ProgramMaker

BURST_RATE_HZ = 192_000
BANDS_HZ = ((20e3, 40e3), (40e3, 80e3))
TONE_HZ, TONE_COUNTS = 30e3, 1000.0  # what all burst channels hear
BOARD = Board(
    uid=0xD4,
    channels=(
        Channel(Quantity.PRESSURE, 0.25, 0.0),
        Channel(Quantity.ULTRASOUND, 0.001, 0.0),
        Channel(Quantity.ULTRASOUND, 0.001, 0.0),
        Channel(Quantity.TEMPERATURE, 0.01, 0.0),
        Channel(Quantity.HATCH, 0.001, 0.0),
    ),
    features=Feature.BURSTS | Feature.TRIGGER_LINE | Feature.SIREN | Feature.SWITCH | Feature.LEVELS,
    burst_rate_hz=BURST_RATE_HZ,
    longest_burst=4096,
    bands_hz=BANDS_HZ,
    outputs=frozenset({3}),
)
OFFSET_NS = 5 * NS_PER_S  # of the node's clock
SLOW_COUNTS = (7, -8, 9)


@dataclass
class NodeOnABench:
    """A powered node whose clock is 5 s ahead, and what it says as packets."""

    make: ProgramMaker
    baud: int | None = None
    clock: Oscillator = field(default_factory=lambda: Oscillator(OFFSET_NS, 0.0))
    now_ns: int = NS_PER_S
    relays: list[tuple[int, bool]] = field(default_factory=list)
    program: Program = field(init=False)
    first: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.program = self.make(
            BOARD,
            self.clock,
            lambda: np.array(SLOW_COUNTS, dtype=np.int32),
            boot_id=3,
            pins=Pins(levels=_levels, relay=lambda output, on: self.relays.append((output, on))),
            outgoing=Outgoing(self.baud),
        )
        self.first = b"".join(self._frames())

    @property
    def node_ns(self) -> int:
        """What its own clock says now."""
        return self.clock.node_ns(self.now_ns)

    def tell(self, command: Command, sequence: int = 1, version: int = 1) -> list[Packet]:
        """Say something to it; its answer, with what else it had to say."""
        return self.tell_bytes(encode_packet(encode(command, sequence=sequence, version=version)))

    def tell_bytes(self, data: bytes) -> list[Packet]:
        self.program.receive(self.now_ns, data)
        return self.said()

    def answer(self, command: Command, sequence: int = 1) -> Ack:
        """The only answer, an acknowledgement."""
        (ack,) = map(decode, self.tell(command, sequence))
        assert isinstance(ack, Ack)
        return ack

    def run(self, seconds: float, sound: Callable[[BurstOrder], NDArray[np.int16]] | None = None) -> list[Packet]:
        """Let time pass, event by event; recordings are delivered as soon as their last sample has passed."""
        until_ns = self.now_ns + round(seconds * NS_PER_S)
        packets: list[Packet] = []
        recording: list[tuple[int, BurstOrder]] = []
        while True:
            packets += self.said()
            due = [ns for ns in (self.program.next_ns, self.program.outgoing.next_ns) if ns is not None]
            due += [end_ns for end_ns, _ in recording]
            next_ns = min(due, default=until_ns)
            if next_ns > until_ns:
                break
            self.now_ns = max(next_ns, self.now_ns)
            begun = self.program.step(self.now_ns)
            recording += [(order.start_ns + order.samples * NS_PER_S // BURST_RATE_HZ, order) for order in begun]
            for job in [job for job in recording if job[0] <= self.now_ns]:
                recording.remove(job)
                self.program.recorded(self.now_ns, job[1], (sound or tone)(job[1]), saturated=False)
            if not begun and next_ns == until_ns:
                break
        self.now_ns = until_ns
        return packets + self.said()

    def said(self) -> list[Packet]:
        """What has left its line by now."""
        found = Deframer().feed(b"".join(self._frames()))
        assert all(isinstance(packet, Packet) for packet in found)
        return [packet for packet in found if isinstance(packet, Packet)]

    def _frames(self) -> list[bytes]:
        frames = []
        while (frame := self.program.outgoing.pop(self.now_ns)) is not None:
            frames.append(frame)
        return frames


def reports(packets: list[Packet], kind: type[Report]) -> list[Report]:
    """Those of one kind."""
    return [report for report in map(decode, packets) if isinstance(report, kind)]


def tone(order: BurstOrder) -> NDArray[np.int16]:
    """What its microphones hear, as counts (2, samples)."""
    one = TONE_COUNTS * np.sin(2 * np.pi * TONE_HZ / BURST_RATE_HZ * np.arange(order.samples))
    return np.rint(np.stack([one, -one])).astype(np.int16)


def _levels(_start_ns: int, _window_ns: int) -> NDArray[np.float64]:
    """The same as levels, for a node that does not hear by itself."""
    return np.array([[TONE_COUNTS**2 / 2, 0.0]] * 2)
