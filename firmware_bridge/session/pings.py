"""Pings under way to one node: which left when, and the round trips that their answers make. No clock of its own."""

from firmware_bridge.timebase import RoundTrip
from firmware_bridge.wire.commands import Ping
from firmware_bridge.wire.reports import Pong

MAX_OPEN_PINGS = 16  # a node that answers none cannot grow us


class Pings:
    """The unanswered pings of one conversation."""

    def __init__(self) -> None:
        """Start with none; the numbers run on over reconnections, so that a late answer matches nothing."""
        self._sent_ns: dict[int, int] = {}
        self._last_id = 0

    def ask(self, now_ns: int) -> Ping:
        """The next ping, to leave now."""
        self._last_id = (self._last_id + 1) & 0xFFFFFFFF
        self._sent_ns[self._last_id] = now_ns
        while len(self._sent_ns) > MAX_OPEN_PINGS:
            del self._sent_ns[next(iter(self._sent_ns))]
        return Ping(self._last_id)

    def answer(self, pong: Pong, at_ns: int) -> RoundTrip | None:
        """The round trip that `pong`, seen at `at_ns`, completes; None for an answer that nobody waits for."""
        sent_ns = self._sent_ns.pop(pong.ping_id, None)
        return None if sent_ns is None else RoundTrip(sent_ns, pong.received_ns, pong.sent_ns, at_ns)

    def forget(self) -> None:
        """Wait for no answer any more."""
        self._sent_ns.clear()
