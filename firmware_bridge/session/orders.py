"""All that one node was asked and did not answer yet: commands and pings, each with an outcome for whoever asked."""

from firmware_bridge.session.events import CommandOutcome
from firmware_bridge.session.outbox import Outbox
from firmware_bridge.session.pings import Pings
from firmware_bridge.timebase import RoundTrip
from firmware_bridge.wire.codec import encode
from firmware_bridge.wire.commands import Command, Hello, Ping, Start
from firmware_bridge.wire.framing import PROTOCOL_VERSION, encode_packet
from firmware_bridge.wire.reports import Ack, Pong

OWN = 0  # the ticket of what nobody above has ordered


class Orders:
    """What was asked over one link."""

    def __init__(self) -> None:
        """Start with nothing asked; numbers run on over reconnections, so that an old answer matches nothing."""
        self._outbox = Outbox()
        self._pings = Pings()
        self.hellos = 0  # to whoever is there now
        self.own_pings = 0  # the same, and asked for by nobody
        self.start_again = False  # a START came to nothing: without one there are no data

    @property
    def unanswered_pings(self) -> int:
        """How many were let go."""
        return self._pings.unanswered

    @property
    def next_ns(self) -> int | None:
        """When `overdue` has something to do."""
        due = [due_ns for due_ns in (self._outbox.next_ns, self._pings.next_ns) if due_ns is not None]
        return min(due, default=None)

    def hello(self) -> bytes:
        """The frame of a HELLO."""
        frame = encode_packet(encode(Hello(PROTOCOL_VERSION, PROTOCOL_VERSION), sequence=self.hellos))
        self.hellos += 1
        return frame

    def ping(self, now_ns: int, ticket: int | None = None) -> bytes:
        """The frame of a ping that leaves now; with a ticket somebody waits for its answer."""
        ping = self._pings.ask(now_ns)
        self.own_pings += ticket is None
        if ticket is not None:
            self._pings.await_answer(ping, now_ns, ticket)
        return encode_packet(encode(ping, sequence=ping.ping_id))

    def start(self, now_ns: int, period_ms: int) -> bytes:
        """The frame of a START; nothing where too much is unanswered."""
        self.start_again = False
        return self.command(now_ns, OWN, Start(period_ms)) or b""

    def command(self, now_ns: int, ticket: int, command: Command, on_wire: Command | None = None) -> bytes | None:
        """The frame of `command` (sent as `on_wire`, where given); None where too many are unanswered.

        Raises:
            WireError: a value does not fit its field.
        """
        return self._outbox.submit(now_ns, ticket, command, on_wire)

    def acknowledged(self, node: str, ack: Ack) -> list[CommandOutcome]:
        """What `ack` decides."""
        outcome = self._outbox.acknowledge(node, ack)
        return [] if outcome is None else self._noted([outcome])

    def answered(self, node: str, pong: Pong, at_ns: int) -> tuple[RoundTrip | None, list[CommandOutcome]]:
        """The round trip that `pong`, seen at `at_ns`, completes, and the outcome for whoever waited for it."""
        trip = self._pings.answer(pong, at_ns)
        ticket = None if trip is None else self._pings.awaited(pong.ping_id)
        if trip is None or ticket is None:
            return trip, []
        text = f"answered in {(at_ns - trip.sent_ns) / 1e6:.3f} ms"
        return trip, [CommandOutcome(node, ticket, Ping(pong.ping_id), done=True, text=text)]

    def overdue(self, now_ns: int, node: str) -> tuple[bytes, list[CommandOutcome]]:
        """Frames to send again, and what is given up."""
        frames, outcomes = self._outbox.overdue(now_ns, node)
        return frames, [*self._noted(outcomes), *_unanswered(node, self._pings.given_up(now_ns), "no answer")]

    def abandon(self, node: str, why: str) -> list[CommandOutcome]:
        """Give up everything, as when the link is lost; what was asked for is asked for anew by whoever wants it."""
        outcomes = [*self._outbox.abandon(node, why), *_unanswered(node, self._pings.waiting, why)]
        self._pings.forget()
        return outcomes

    def forget(self) -> None:
        """Another boot of a node is another one: it answers no ping of before, and is told to START by itself."""
        self._pings.forget()
        self.hellos = self.own_pings = 0
        self.start_again = False

    def _noted(self, outcomes: list[CommandOutcome]) -> list[CommandOutcome]:
        self.start_again |= any(isinstance(outcome.command, Start) and not outcome.done for outcome in outcomes)
        return outcomes


def _unanswered(node: str, tickets: list[int] | tuple[int, ...], why: str) -> list[CommandOutcome]:
    return [CommandOutcome(node, ticket, Ping(0), done=False, text=why) for ticket in tickets]
