"""Pings under way to one node: which left when, and the round trips that their answers make. No clock of its own."""

from firmware_bridge.timebase import RoundTrip
from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.commands import Ping
from firmware_bridge.wire.reports import Pong

MAX_OPEN_PINGS = 16  # a node that answers none cannot grow us
PATIENCE_NS = 2 * NS_PER_S  # of a person who pings; ten times what the slowest sensible line takes


class Pings:
    """The unanswered pings of one conversation."""

    def __init__(self) -> None:
        """Start with none; the numbers run on over reconnections, so that a late answer matches nothing."""
        self._sent_ns: dict[int, int] = {}
        self._last_id = 0
        self.unanswered = 0
        self._tickets: dict[int, tuple[int, int]] = {}

    def ask(self, now_ns: int) -> Ping:
        """The next ping, to leave now."""
        self._last_id = (self._last_id + 1) & 0xFFFFFFFF
        self._sent_ns[self._last_id] = now_ns
        while len(self._sent_ns) > MAX_OPEN_PINGS:
            del self._sent_ns[next(iter(self._sent_ns))]
            self.unanswered += 1
        return Ping(self._last_id)

    def answer(self, pong: Pong, at_ns: int) -> RoundTrip | None:
        """The round trip that `pong`, seen at `at_ns`, completes; None for an answer that nobody waits for."""
        sent_ns = self._sent_ns.pop(pong.ping_id, None)
        return None if sent_ns is None else RoundTrip(sent_ns, pong.received_ns, pong.sent_ns, at_ns)

    def await_answer(self, ping: Ping, now_ns: int, ticket: int) -> None:
        """Somebody wants to know, by `ticket`, whether `ping` is answered."""
        self._tickets[ping.ping_id] = ticket, now_ns + PATIENCE_NS

    def awaited(self, ping_id: int) -> int | None:
        """The ticket of whoever waits for this answer."""
        return self._tickets.pop(ping_id, (None, 0))[0]

    def given_up(self, now_ns: int) -> list[int]:
        """Tickets whose answer did not come in time."""
        late = [ping_id for ping_id, (_, due_ns) in self._tickets.items() if due_ns <= now_ns]
        return [self._tickets.pop(ping_id)[0] for ping_id in late]

    @property
    def waiting(self) -> tuple[int, ...]:
        """Tickets of all who wait."""
        return tuple(ticket for ticket, _ in self._tickets.values())

    @property
    def next_ns(self) -> int | None:
        """When `given_up` has something to do."""
        return min((due_ns for _, due_ns in self._tickets.values()), default=None)

    def forget(self) -> None:
        """Wait for no answer any more."""
        self._sent_ns.clear()
        self._tickets.clear()
