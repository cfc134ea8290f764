"""Commands on their way to one node: numbered, sent again until acknowledged, given up after a bound."""

from dataclasses import dataclass, replace

from firmware_bridge.session.events import CommandOutcome
from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.codec import encode, kind_of
from firmware_bridge.wire.commands import Capture, Command, Identify, Levels, Siren, Start, Stop, Switch
from firmware_bridge.wire.framing import encode_packet
from firmware_bridge.wire.reports import Ack, AckResult

MAX_PENDING = 32  # a node that acknowledges nothing cannot grow us
RETRY_NS = NS_PER_S // 2
# How often a command is sent at most. A capture is bound to an instant, so sending it late again is of no use; a siren
# must sound, so it is tried for four seconds before the outcome says that it did not; then it is ordered anew. A fan
# must stop as surely as a siren must sound.
_TRIES: dict[type[Command], int] = {Siren: 8, Switch: 8, Start: 8, Levels: 8, Stop: 3, Identify: 3, Capture: 1}
_PATIENCE_NS: dict[type[Command], int] = {Capture: 2 * NS_PER_S}


@dataclass(frozen=True, slots=True)
class _Pending:
    ticket: int
    command: Command
    frame: bytes
    tries_left: int
    due_ns: int


class Outbox:
    """Unacknowledged commands of one conversation."""

    def __init__(self) -> None:
        """Start empty; sequence numbers run on over reconnections, so that an old acknowledgement matches nothing."""
        self._pending: dict[tuple[int, int], _Pending] = {}
        self._sequence = 0

    def submit(self, now_ns: int, ticket: int, command: Command, on_wire: Command | None = None) -> bytes | None:
        """Bytes to send for `command` (as `on_wire`, where given); None where too many are unanswered already."""
        if len(self._pending) >= MAX_PENDING:
            return None
        kind = kind_of(type(command))
        for key in [key for key, pending in self._pending.items() if _undoes(pending.command, command)]:
            del self._pending[key]
        self._sequence = (self._sequence + 1) & 0xFFFF
        frame = encode_packet(encode(on_wire or command, sequence=self._sequence))
        patience_ns = _PATIENCE_NS.get(type(command), RETRY_NS)
        tries_left = _TRIES.get(type(command), 1) - 1
        self._pending[kind, self._sequence] = _Pending(ticket, command, frame, tries_left, now_ns + patience_ns)
        return frame

    def acknowledge(self, node: str, ack: Ack) -> CommandOutcome | None:
        """The outcome that `ack` decides; None for one that nobody waits for."""
        pending = self._pending.pop((ack.command_kind, ack.command_sequence), None)
        if pending is None:
            return None
        done = ack.result is AckResult.DONE
        text = ack.text or ("done" if done else f"the node answered {ack.result.name.lower()}")
        return CommandOutcome(node, pending.ticket, pending.command, done, text)

    def overdue(self, now_ns: int, node: str) -> tuple[bytes, list[CommandOutcome]]:
        """Frames to send again, and commands given up."""
        frames = b""
        outcomes = []
        for key, pending in tuple(self._pending.items()):
            if pending.due_ns > now_ns:
                continue
            if pending.tries_left > 0:
                frames += pending.frame
                again = replace(pending, tries_left=pending.tries_left - 1, due_ns=now_ns + RETRY_NS)
                self._pending[key] = again
            else:
                del self._pending[key]
                outcomes.append(
                    CommandOutcome(node, pending.ticket, pending.command, done=False, text="no acknowledgement")
                )
        return frames, outcomes

    def abandon(self, node: str, why: str) -> list[CommandOutcome]:
        """Give up everything, as when the link is lost."""
        outcomes = [CommandOutcome(node, p.ticket, p.command, done=False, text=why) for p in self._pending.values()]
        self._pending.clear()
        return outcomes

    @property
    def next_ns(self) -> int | None:
        """When `overdue` has something to do."""
        return min((pending.due_ns for pending in self._pending.values()), default=None)


def _undoes(older: Command, newer: Command) -> bool:
    """Whether `older`, sent again after `newer`, would undo it."""
    match newer:
        case Siren() | Levels():
            return type(older) is type(newer)
        case Switch():
            return isinstance(older, Switch) and older.output == newer.output
    return False
