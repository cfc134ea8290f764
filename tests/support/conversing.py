"""Drives a sans-I/O Session against a fake node, in steps of its own deadlines."""

from typing import TypeVar

from firmware_bridge.session.conversation import Session, Settings
from firmware_bridge.session.events import CommandOutcome, LinkHealth, SessionEvent, StateChanged, Step
from firmware_bridge.session.others import Others
from firmware_bridge.session.states import State
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.commands import Command
from tests.support.fake_node import FakeNode
from tests.support.sites import small_site

PATH_NS = 100_000
MIN_STEP_NS = 5_000_000
Event = TypeVar("Event")


class Conversing:
    """One session, one node, one line without loss; `now_ns` moves only here."""

    def __init__(
        self,
        node: FakeNode | None = None,
        site: Site | None = None,
        silence_s: float = 10.0,
        others: Others | None = None,
        back_ns: int = PATH_NS,
        link: str = "port-1",
    ) -> None:
        self.node = node or FakeNode()
        self.session = Session(link, site or small_site(), Settings(silence_s=silence_s), others)
        self._back_ns = back_ns
        self.now_ns = 100 * NS_PER_S
        self.events: list[SessionEvent] = []
        self.sent = b""
        self._next_ns = 0

    def open(self) -> "Conversing":
        self.session.open_asked()
        self._take(self.session.opened(self.now_ns))
        return self

    def streaming(self) -> "Conversing":
        """Open, and come to know each other."""
        self.open().advance(2.0)
        assert self.session.state is State.STREAMING
        return self

    def advance(self, seconds: float) -> None:
        """Let time go by; the session is called when it asked to be."""
        end_ns = self.now_ns + round(seconds * NS_PER_S)
        while self.now_ns < end_ns:
            self.now_ns = min(end_ns, max(self._next_ns, self.now_ns + MIN_STEP_NS))
            self._take(self.session.tick(self.now_ns))

    def hear(self, data: bytes) -> list[SessionEvent]:
        """The session receives `data` now; returns what it made of it."""
        before = len(self.events)
        self._take(self.session.received(self.now_ns, data, self.now_ns))
        return self.events[before:]

    def send(self, ticket: int, command: Command) -> None:
        self._take(self.session.send(self.now_ns, ticket, command))

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def states(self) -> list[State]:
        return [event.state for event in self.of(StateChanged)]

    @property
    def reasons(self) -> list[str]:
        return [event.reason for event in self.of(StateChanged)]

    @property
    def outcomes(self) -> list[tuple[int, bool, str]]:
        """Of commands that somebody sent: the session's own START has ticket 0."""
        return [(event.ticket, event.done, event.text) for event in self.of(CommandOutcome) if event.ticket]

    def health(self) -> LinkHealth:
        """The newest, a second later at most."""
        self.advance(1.0)
        return self.of(LinkHealth)[-1]

    def _take(self, step: Step) -> None:
        self.events += step.events
        self._next_ns = step.next_ns
        self.sent += step.data
        if step.data:
            answer = self.node.hear(self.now_ns + PATH_NS, step.data)
            self.now_ns += PATH_NS + self._back_ns
            if answer:
                self._take(self.session.received(self.now_ns, answer, self.now_ns))
