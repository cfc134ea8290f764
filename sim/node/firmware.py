"""What a node's firmware does, written from docs/protocol.md: it answers, streams and captures. Time is true time."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.codec import Undecodable, decode, encode, kind_of
from firmware_bridge.wire.commands import (
    Capture,
    Command,
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
from firmware_bridge.wire.framing import DELIMITER, Deframer, Flags, FrameFault, Packet, encode_packet
from firmware_bridge.wire.reports import (
    Ack,
    AckResult,
    BandLevels,
    BurstPiece,
    Feature,
    HelloAck,
    Pong,
    Report,
    Samples,
)
from sim.node.board import POWER_UP, Board, BurstOrder, Pins
from sim.node.oscillator import Oscillator
from sim.node.outgoing import Lane, Outgoing
from sim.node.relays import Relays
from sim.node.streams import Streams

PIECE_SAMPLES = 512  # of four channels; of more, fewer, so that pieces stay as long
PIECE_COUNTS = 4 * PIECE_SAMPLES
FIRMWARE_NAME = "leaksim twin 1"
HOST_LOST_NS = 20 * NS_PER_S  # a siren whose host is silent for so long sounds by itself
# All others are answers; status goes with them.
_LANES: dict[type[Report], Lane] = {BurstPiece: Lane.BURST, Samples: Lane.STREAM, BandLevels: Lane.STREAM}


class Firmware:
    """One running node. `receive` and `step` take true time; `outgoing` holds what it has to say."""

    def __init__(
        self,
        board: Board,
        oscillator: Oscillator,
        read_slow: Callable[[], NDArray[np.int32]],
        boot_id: int,
        *,
        pins: Pins | None = None,
        outgoing: Outgoing | None = None,
        samples_a_frame: int = 1,
    ) -> None:
        """Power up; `read_slow()` converts the slow channels (channels,) now.

        `samples_a_frame` instants of the slow channels go into one frame.
        """
        self._board = board
        self._clock = oscillator
        self._pins = Pins() if pins is None else pins
        self._boot_id = boot_id
        self.start_number = 0
        self.outgoing = Outgoing() if outgoing is None else outgoing
        self._streams = Streams(board, oscillator, read_slow, self._pins, samples_a_frame)
        self._armed: Capture | None = None
        self._armed_at_ns = 0
        self._under_way: BurstOrder | None = None
        self._recording_until_ns = 0
        self._last_command: tuple[int, int] | None = None
        self._last_ack: Ack | None = None
        self._relays = Relays(self._pins)
        self._reset(0, POWER_UP)

    def reboot(self, now_ns: int = 0, cause: int = POWER_UP) -> None:
        """Lose everything but the crystal; the next frames carry another boot id and STATUS the reset's cause."""
        self._boot_id = (self._boot_id + 1) & 0xFF
        self.start_number += 1
        self.lose_power()
        self._reset(now_ns, cause)

    def lose_power(self) -> None:
        """Fall dark: nothing is left to be said, the siren is silent, relays fall back to on."""
        self.outgoing.clear()
        self.siren = SirenPattern.SILENT
        self._relays.fall_back()

    def resume(self, now_ns: int) -> None:
        """Go on after having hung: a capture that was armed or under way is lost, streams go on from now."""
        self._armed = self._under_way = None
        self._streams.skip_to(now_ns)

    def pretend(self, uid: int | None, version: int | None) -> None:
        """Give another uid or protocol version from the next frame on; None for the board's own."""
        self._uid = self._board.uid if uid is None else uid
        self._versions = (self._board.min_version, self._board.max_version) if version is None else (version, version)

    def receive(self, now_ns: int, data: bytes) -> None:
        """Bytes from the line."""
        for found in self._deframer.feed(data):
            if isinstance(found, FrameFault):
                self._streams.bad_frames += 1
                continue
            if found.kind < kind_of(Hello):
                continue  # an echo of ours on a line that echoes
            message = decode(found)
            if isinstance(message, Undecodable):
                self._streams.bad_frames += 1
                if not self._speaks(found):
                    continue
                self._say(now_ns, Ack(found.kind, found.sequence, AckResult.UNKNOWN, message.reason))
            elif isinstance(message, Command):
                self._obey(now_ns, message, found)
                self._watch_host(now_ns)

    def step(self, now_ns: int) -> list[BurstOrder]:
        """Do what is due; returns bursts that begin now."""
        begun: list[BurstOrder] = []
        armed = self._armed
        if armed is not None and armed.role is not TriggerRole.WAIT_EDGE:
            start_ns = self._armed_start_ns(armed)
            if now_ns >= start_ns:
                drives = armed.role is TriggerRole.DRIVE
                order = BurstOrder(armed.burst_id, start_ns, armed.samples, drives, drives, self.start_number)
                begun.append(self._begun(order))
        elif armed is not None and self._clock.node_ns(now_ns) >= armed.start_ns:
            self._armed = None  # no edge came in time
        self._watch_host(now_ns)
        for report, node_ns in self._streams.due(now_ns, self.outgoing.dropped_frames):
            self._say(now_ns, report, node_ns=node_ns)
        return begun

    def edge(self, at_ns: int) -> BurstOrder | None:
        """The shared trigger line was pulsed; a burst begins where one was armed for it."""
        armed = self._armed
        if armed is None or armed.role is not TriggerRole.WAIT_EDGE:
            return None
        order = BurstOrder(armed.burst_id, at_ns, armed.samples, triggered=True, start_number=self.start_number)
        return self._begun(order)

    def _begun(self, order: BurstOrder) -> BurstOrder:
        """Its converter is taken until the last sample."""
        self._armed, self._under_way = None, order
        self._recording_until_ns = order.start_ns + order.samples * NS_PER_S // self._board.burst_rate_hz
        return order

    def recorded(self, now_ns: int, order: BurstOrder, counts: NDArray[np.int16], *, saturated: bool) -> None:
        """The converter finished a burst: queue its pieces. One from before a reset is forgotten."""
        if order.start_number not in {None, self.start_number}:
            return
        flags = (Flags.TRIGGERED if order.triggered else Flags.NONE) | (Flags.SATURATED if saturated else Flags.NONE)
        start_ns = self._clock.node_ns(order.start_ns)
        first = self._streams.first_burst_channel
        length = min(PIECE_SAMPLES, PIECE_COUNTS // len(counts))
        for offset in range(0, order.samples, length):
            part = counts[:, offset : offset + length]
            piece = BurstPiece(order.burst_id, first, offset, order.samples, self._board.burst_rate_hz, part)
            self._say(now_ns, piece, flags=flags, node_ns=start_ns)

    @property
    def next_ns(self) -> int | None:
        """True time at which `step` has something to do."""
        due = [] if self._streams.next_ns is None else [self._streams.next_ns]
        if self._armed is not None:
            due.append(self._armed_start_ns(self._armed))
        if self._host_watched and self.siren is self._siren_told < SirenPattern.CAUTION:
            due.append(self._host_heard_ns + HOST_LOST_NS)
        return min(due, default=None)

    def _reset(self, now_ns: int, cause: int) -> None:
        self._deframer = Deframer()
        self._sequences: defaultdict[int, int] = defaultdict(int)
        self._armed = self._under_way = self._last_command = self._last_ack = None
        self._overflown: set[int] = set()
        self._steps_told = self._clock.steps_until(now_ns)
        self._streams.reset(now_ns, cause)
        self.siren = self._siren_told = SirenPattern.SILENT
        self._host_watched, self._host_heard_ns = False, now_ns
        self.pretend(None, None)
        self.outgoing.dropped_frames = 0
        self.outgoing.push(DELIMITER, Lane.ANSWER, now_ns)

    def _speaks(self, packet: Packet) -> bool:
        return self._versions[0] <= packet.version <= self._versions[1]

    def _armed_start_ns(self, armed: Capture) -> int:
        return self._clock.true_ns(armed.start_ns, since_ns=self._armed_at_ns)

    def _obey(self, now_ns: int, command: Command, packet: Packet) -> None:
        if isinstance(command, Hello):
            self._host_heard_ns = now_ns
            self._last_command = None  # a host that was started anew counts anew
            self._say(now_ns, self._introduction())
            return
        if not self._speaks(packet):
            return
        self._host_heard_ns = now_ns
        if isinstance(command, Ping):
            node_ns = self._clock.node_ns(now_ns)
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
        features = self._board.features
        match command:
            case Start():
                self._streams.start(now_ns, command.sample_period_ms)
            case Stop():
                self._streams.stop()
                self._host_watched = False
            case Levels() if features & Feature.LEVELS:
                self._streams.listen(now_ns, command.period_ms)
            case Siren() if features & Feature.SIREN:
                self.siren = self._siren_told = command.pattern
                self._host_watched = True
            case Switch() if command.output in self._board.outputs:
                self._relays.switch(command.output, on=command.on)
            case Capture() if features & Feature.BURSTS:
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
        if self._under_way is not None and now_ns < self._recording_until_ns:
            return AckResult.BUSY, f"burst {self._under_way.burst_id} is being recorded"
        self._armed, self._armed_at_ns = capture, now_ns
        return AckResult.DONE, ""

    def _watch_host(self, now_ns: int) -> None:
        """A siren whose host fell silent plays at least a caution, until the host is heard again."""
        alone = self._host_watched and now_ns - self._host_heard_ns >= HOST_LOST_NS
        self.siren = max(self._siren_told, SirenPattern.CAUTION) if alone else self._siren_told

    def _introduction(self) -> HelloAck:
        board = self._board
        return HelloAck(
            *self._versions,
            self._uid,
            board.features,
            board.burst_rate_hz,
            board.longest_burst,
            FIRMWARE_NAME,
            board.channels,
        )

    def _say(self, now_ns: int, report: Report, *, flags: Flags = Flags.NONE, node_ns: int | None = None) -> None:
        kind = kind_of(type(report))
        if kind in self._overflown:
            flags |= Flags.OVERFLOW
        steps = self._clock.steps_until(now_ns)
        if steps != self._steps_told:
            self._steps_told = steps
            flags |= Flags.TIME_STEP
        packet = encode(
            report,
            sequence=self._sequences[kind],
            time_ns=self._clock.node_ns(now_ns) if node_ns is None else node_ns,
            boot_id=self._boot_id,
            flags=flags,
            version=self._versions[1],
        )
        self._sequences[kind] += 1
        lane = _LANES.get(type(report), Lane.ANSWER)
        if self.outgoing.push(encode_packet(packet), lane, now_ns):
            self._overflown.discard(kind)
        else:
            self._overflown.add(kind)
