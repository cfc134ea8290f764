"""What a node's firmware does, written from docs/protocol.md: it answers, streams and captures. Time is true time."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import NS_PER_S, Quantity
from firmware_bridge.wire.codec import Undecodable, decode, encode, kind_of
from firmware_bridge.wire.commands import (
    Capture,
    Command,
    Hello,
    Identify,
    Ping,
    Siren,
    SirenPattern,
    Start,
    Stop,
    TriggerRole,
)
from firmware_bridge.wire.framing import (
    DELIMITER,
    PROTOCOL_VERSION,
    Deframer,
    Flags,
    FrameFault,
    Packet,
    encode_packet,
)
from firmware_bridge.wire.reports import (
    Ack,
    AckResult,
    BurstPiece,
    Channel,
    Feature,
    HelloAck,
    Pong,
    Report,
    Samples,
    Status,
)
from sim.node.oscillator import Oscillator
from sim.node.outgoing import Outgoing

PIECE_SAMPLES = 512
FIRMWARE_NAME = "leaksim twin 1"
BOARD_TEMPERATURE_K = 308.0
BOARD_SUPPLY_V = 5.0


@dataclass(frozen=True, slots=True)
class Board:
    """What is soldered: fixed facts of one node."""

    uid: int
    channels: tuple[Channel, ...]
    features: Feature
    burst_rate_hz: int
    longest_burst: int
    min_version: int = PROTOCOL_VERSION
    max_version: int = PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class Recording:
    """A burst that begins: true start, length, and whether this node pulses the trigger line at the start."""

    burst_id: int
    start_ns: int
    samples: int
    triggered: bool
    drives_line: bool = False


class Firmware:
    """One running node. `receive` and `step` take true time; `outgoing` holds what it has to say."""

    def __init__(
        self, board: Board, oscillator: Oscillator, read_slow: Callable[[], NDArray[np.int32]], boot_id: int
    ) -> None:
        """Power up; `read_slow()` converts the slow channels (channels,) now."""
        self._board = board
        self._clock = oscillator
        self._read_slow = read_slow
        self._boot_id = boot_id
        slow = [i for i, channel in enumerate(board.channels) if channel.quantity is not Quantity.ULTRASOUND]
        self._first_slow = min(slow, default=0)  # slow channels stand side by side in the channel table
        self.outgoing = Outgoing()
        self.siren = SirenPattern.SILENT
        self._armed: Capture | None = None
        self._armed_at_ns = 0
        self._last_command: tuple[int, int] | None = None
        self._last_ack: Ack | None = None
        self._reset()

    def reboot(self) -> None:
        """Lose everything but the crystal; the next frames carry another boot id."""
        self._boot_id = (self._boot_id + 1) & 0xFF
        self.outgoing.clear()
        self._reset()

    def receive(self, now_ns: int, data: bytes) -> None:
        """Bytes from the line."""
        for found in self._deframer.feed(data):
            if isinstance(found, FrameFault):
                self._bad_frames += 1
                continue
            message = decode(found)
            if isinstance(message, Undecodable):
                self._bad_frames += 1
                if found.version != PROTOCOL_VERSION or found.kind < kind_of(Hello):
                    continue
                self._say(now_ns, Ack(found.kind, found.sequence, AckResult.UNKNOWN, message.reason))
            elif isinstance(message, Command):
                self._obey(now_ns, message, found)

    def step(self, now_ns: int) -> list[Recording]:
        """Do what is due; returns bursts that begin now."""
        begun = []
        if self._armed is not None and self._armed.role is not TriggerRole.WAIT_EDGE:
            start_ns = max(self._armed_at_ns, self._clock.true_ns(self._armed.start_ns))
            if now_ns >= start_ns:
                drives = self._armed.role is TriggerRole.DRIVE
                begun.append(Recording(self._armed.burst_id, start_ns, self._armed.samples, drives, drives))
                self._armed = None
        elif self._armed is not None and self._clock.node_ns(now_ns) >= self._armed.start_ns:
            self._armed = None  # no edge came in time
        if self._sample_period_ns:
            self._stream(now_ns)
        return begun

    def edge(self, at_ns: int) -> Recording | None:
        """The shared trigger line was pulsed; a burst begins where one was armed for it."""
        armed = self._armed
        if armed is None or armed.role is not TriggerRole.WAIT_EDGE:
            return None
        self._armed = None
        return Recording(armed.burst_id, at_ns, armed.samples, triggered=True)

    def recorded(self, now_ns: int, recording: Recording, counts: NDArray[np.int16], *, saturated: bool) -> None:
        """The converter finished a burst: queue its pieces."""
        flags = (Flags.TRIGGERED if recording.triggered else Flags.NONE) | (
            Flags.SATURATED if saturated else Flags.NONE
        )
        start_ns = self._clock.node_ns(recording.start_ns)
        for offset in range(0, recording.samples, PIECE_SAMPLES):
            part = counts[:, offset : offset + PIECE_SAMPLES]
            piece = BurstPiece(recording.burst_id, 0, offset, recording.samples, self._board.burst_rate_hz, part)
            self._say(now_ns, piece, flags=flags, node_ns=start_ns)

    @property
    def next_ns(self) -> int | None:
        """True time at which `step` has something to do."""
        due = []
        if self._sample_period_ns:
            due += [self._next_sample_ns, self._next_status_ns]
        if self._armed is not None:
            due.append(max(self._armed_at_ns, self._clock.true_ns(self._armed.start_ns)))
        return min(due, default=None)

    def _reset(self) -> None:
        self._deframer = Deframer()
        self._sequences: defaultdict[int, int] = defaultdict(int)
        self._bad_frames = 0
        self._sample_period_ns = 0
        self._next_sample_ns = 0
        self._next_status_ns = 0
        self._armed = self._last_command = self._last_ack = None
        self.siren = SirenPattern.SILENT
        self.outgoing.push(DELIMITER, answer=True)

    def _obey(self, now_ns: int, command: Command, packet: Packet) -> None:
        node_ns = self._clock.node_ns(now_ns)
        if isinstance(command, Hello):
            self._last_command = None  # a host that was started anew counts anew
            self._say(now_ns, self._introduction())
            return
        if packet.version != PROTOCOL_VERSION:
            return
        if isinstance(command, Ping):
            self._say(now_ns, Pong(command.ping_id, node_ns, node_ns))
            return
        # A command that was sent again because its acknowledgement got lost is acknowledged again, not done again.
        if self._last_command == (packet.kind, packet.sequence) and self._last_ack is not None:
            self._say(now_ns, self._last_ack)
            return
        result, text = self._carry_out(now_ns, command)
        self._last_command = (packet.kind, packet.sequence)
        self._last_ack = Ack(packet.kind, packet.sequence, result, text)
        self._say(now_ns, self._last_ack)

    def _carry_out(self, now_ns: int, command: Command) -> tuple[AckResult, str]:
        match command:
            case Start():
                self._sample_period_ns = max(command.sample_period_ms, 1) * 1_000_000
                self._next_sample_ns = self._next_status_ns = now_ns
            case Stop():
                self._sample_period_ns = 0
            case Siren() if self._board.features & Feature.SIREN:
                self.siren = command.pattern
            case Capture() if self._board.features & Feature.BURSTS:
                return self._arm(now_ns, command)
            case Identify():
                pass  # a simulated box has no lamp
            case _:
                return AckResult.REFUSED, "this board cannot do that"
        return AckResult.DONE, ""

    def _arm(self, now_ns: int, capture: Capture) -> tuple[AckResult, str]:
        if not 0 < capture.samples <= self._board.longest_burst:
            return AckResult.REFUSED, f"bursts hold 1 to {self._board.longest_burst} samples"
        if capture.role is not TriggerRole.AT_TIME and not self._board.features & Feature.TRIGGER_LINE:
            return AckResult.REFUSED, "no trigger line on this board"
        if capture.role is TriggerRole.WAIT_EDGE and self._clock.node_ns(now_ns) > capture.start_ns:
            return AckResult.TOO_LATE, "the edge was due before the command came"
        if self._armed is not None:
            return AckResult.BUSY, f"burst {self._armed.burst_id} has not begun yet"
        self._armed, self._armed_at_ns = capture, now_ns
        return AckResult.DONE, ""

    def _stream(self, now_ns: int) -> None:
        while self._next_sample_ns <= now_ns:
            slow = self._read_slow()
            if slow.size:
                node_ns = self._clock.node_ns(self._next_sample_ns)
                self._say(now_ns, Samples(self._first_slow, self._sample_period_ns, slow[None, :]), node_ns=node_ns)
            self._next_sample_ns += self._sample_period_ns
            if now_ns - self._next_sample_ns > NS_PER_S:  # the line stood still: do not repeat what nobody read
                self._next_sample_ns = now_ns
        if self._next_status_ns <= now_ns:
            self._next_status_ns = now_ns + NS_PER_S
            uptime_s = max(now_ns, 0) // NS_PER_S
            dropped = self.outgoing.dropped_frames
            self._say(now_ns, Status(uptime_s, dropped, self._bad_frames, 0, 0, BOARD_TEMPERATURE_K, BOARD_SUPPLY_V))

    def _introduction(self) -> HelloAck:
        board = self._board
        return HelloAck(
            board.min_version,
            board.max_version,
            board.uid,
            board.features,
            board.burst_rate_hz,
            board.longest_burst,
            FIRMWARE_NAME,
            board.channels,
        )

    def _say(self, now_ns: int, report: Report, *, flags: Flags = Flags.NONE, node_ns: int | None = None) -> None:
        kind = kind_of(type(report))
        packet = encode(
            report,
            sequence=self._sequences[kind],
            time_ns=self._clock.node_ns(now_ns) if node_ns is None else node_ns,
            boot_id=self._boot_id,
            flags=flags,
        )
        self._sequences[kind] += 1
        streamed = isinstance(report, Samples | BurstPiece | Status)
        self.outgoing.push(encode_packet(packet), answer=not streamed)
