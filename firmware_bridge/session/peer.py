"""What is known of one boot of whoever is at the other end: its clock, and the streams that are dated by it."""

from dataclasses import replace

from firmware_bridge.samples import Assembler, BurstBlock, LevelBlock, ScalarBlock
from firmware_bridge.session.ties import Ties
from firmware_bridge.site.survey import Node
from firmware_bridge.timebase import RoundTrip, TimeBase
from firmware_bridge.wire.commands import Capture, Command
from firmware_bridge.wire.framing import Flags, Packet
from firmware_bridge.wire.reports import BandLevels, BurstPiece, Channel, Report, Samples

Block = ScalarBlock | BurstBlock | LevelBlock


class Peer:
    """One boot of one node; a reboot, a lost line or a person's wish makes another one."""

    def __init__(self, ties: Ties) -> None:
        """Know nothing yet; edges of trigger lines are told to `ties`."""
        self.timebase = TimeBase()
        self._ties = ties
        self._node: Node | None = None
        self.round_trip_ns: int | None = None
        self.answered_pings = 0
        self._assembler: Assembler | None = None

    def introduced(self, node: Node, channels: tuple[Channel, ...]) -> None:
        """It is the surveyed `node`, and says that its channels measure `channels`."""
        self._node = node
        self._assembler = Assembler(node, channels, self.timebase)

    def answered(self, trip: RoundTrip) -> int:
        """A ping came back; how often its clock was found to be stepped by that."""
        steps_before = self.timebase.steps
        self.timebase.observe(trip)
        self.round_trip_ns = trip.duration_ns
        self.answered_pings += 1
        return self.timebase.steps - steps_before

    @property
    def refused(self) -> int:
        """How many of its reports, or bursts, were sound and of no use: dated by no clock, or contradicting others."""
        return 0 if self._assembler is None else self._assembler.refused

    def streamed(self, report: Report, packet: Packet, at_ns: int) -> list[Block]:
        """What a report of a stream, seen at `at_ns`, makes; nothing of any other."""
        if self._assembler is None:
            return []
        match report:
            case Samples():
                return list(self._assembler.scalars(report, packet.time_ns, at_ns))
            case BurstPiece():
                if self._node is not None and self._node.trigger_line and packet.flags & Flags.TRIGGERED:
                    line, node = self._node.trigger_line, self._node.name
                    self._ties.saw(line, report.burst_id, node, self.timebase, packet.time_ns)
                return list(self._assembler.burst(report, packet.time_ns, packet.flags, at_ns))
            case BandLevels():
                return list(self._assembler.levels(report, packet.time_ns, packet.flags, at_ns))
        return []

    def clock_set(self) -> list[Block]:
        """It says that its clock was stepped: end what was dated by the old one, and learn the new one."""
        ended = self.flush()
        self.timebase.forget()
        return ended

    def sweep(self) -> list[Block]:
        """Once a second: what has waited for its last pieces long enough."""
        return [] if self._assembler is None else list(self._assembler.sweep())

    def flush(self) -> list[Block]:
        """End what has begun: no more of it will come."""
        return [] if self._assembler is None else list(self._assembler.flush())

    def on_its_clock(self, command: Command) -> Command:
        """`command` as it is told to the node: a capture's start by the node's own clock.

        Raises:
            LookupError: its clock is not known.
        """
        if not isinstance(command, Capture) or command.start_ns == 0:
            return command
        return replace(command, start_ns=max(1, self.timebase.to_node(command.start_ns)))  # 0 would mean at once
