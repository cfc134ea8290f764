"""All conversations of one rig behind one door: calls with their time in, events and bytes out. No I/O, no clock.

Whoever makes the same calls gets the same events: the bridge makes them as cables move, a replay as a tape says.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from firmware_bridge.errors import WireError
from firmware_bridge.session.conversation import Session, Settings
from firmware_bridge.session.events import CommandOutcome, SessionEvent, Step
from firmware_bridge.session.instrument import InstrumentSession
from firmware_bridge.session.others import Others
from firmware_bridge.session.states import DELIVERING, State
from firmware_bridge.session.tape import ORDERS, Call, Mark, Role, Tape, call_data, link_topic, send_data
from firmware_bridge.site.survey import Site
from firmware_bridge.wire.commands import Command


class Conversation(Protocol):
    """What the exchange asks of a conversation, whichever language it is held in."""

    state: State

    @property
    def node(self) -> str | None:
        """The surveyed name of whom it is held with."""
        ...

    def open_asked(self) -> None:
        """The supervisor is about to open the link."""
        ...

    def open_failed(self, reason: str) -> Step:
        """Nothing could be opened."""
        ...

    def opened(self, now_ns: int) -> Step:
        """The link is open."""
        ...

    def hung_up(self, reason: str) -> Step:
        """The link is gone."""
        ...

    def received(self, now_ns: int, data: bytes, at_ns: int) -> Step:
        """Bytes came in at `at_ns`."""
        ...

    def tick(self, now_ns: int) -> Step:
        """Do what is due."""
        ...

    def send(self, now_ns: int, ticket: int, command: Command) -> Step:
        """Send a command."""
        ...

    def greet(self, now_ns: int) -> Step:
        """Begin anew, as a person asks."""
        ...

    def overrun(self, dropped_bytes: int) -> None:
        """We were too slow for its line: so many bytes made way."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """What sending made: bytes for the line of `link` (None where there is no line), and events."""

    link: str | None
    step: Step


@dataclass(slots=True)
class _Line:
    conversation: Conversation
    is_open: bool = False


class Exchange:
    """One conversation a link."""

    def __init__(self, site: Site, links: Iterable[str], settings: Settings, tape: Tape | None = None) -> None:
        """Prepare the conversations; every call that decides something goes to `tape`, in order."""
        self._others = Others()
        self._tape = tape
        self._lines = {link: _Line(_conversation(link, site, settings, self._others)) for link in links}

    def __getstate__(self) -> dict[str, Any]:
        """All but the tape: that belongs to the run, not to what was said."""
        return {**self.__dict__, "_tape": None}

    def listen(self, tape: Tape | None) -> None:
        """From here on calls are told to `tape`."""
        self._tape = tape

    @property
    def links(self) -> tuple[str, ...]:
        """Names of all links."""
        return tuple(self._lines)

    def conversation(self, link: str) -> Conversation:
        """The one on `link`; KeyError where there is none."""
        return self._lines[link].conversation

    def state(self, link: str) -> State:
        """Where the conversation on `link` stands."""
        return self._lines[link].conversation.state

    def call(self, link: str, call: Call, now_ns: int, text: str = "") -> Step:
        """Tell the conversation on `link` what happened to its line; `text` is the reason where there is one.

        Of an overrun, `text` is the number of bytes that made way.
        """
        self._mark(link, Role.CALL, now_ns, now_ns, call_data(call, text))
        line = self._lines[link]
        talk = line.conversation
        match call:
            case Call.OPEN_ASKED:
                talk.open_asked()
                return Step()
            case Call.OPEN_FAILED:
                return self._told(link, now_ns, talk.open_failed(text))
            case Call.OPENED:
                line.is_open = True
                return self._told(link, now_ns, talk.opened(now_ns))
            case Call.HUNG_UP:
                line.is_open = False
                return self._told(link, now_ns, talk.hung_up(text))
            case Call.TICK:
                return self._told(link, now_ns, talk.tick(now_ns))
            case Call.OVERRUN:
                talk.overrun(int(text))
                return Step()
            case Call.GREET:
                return self._told(link, now_ns, talk.greet(now_ns))
            case Call.SEND:
                raise ValueError("orders go through send")

    def received(self, link: str, now_ns: int, data: bytes, at_ns: int) -> Step:
        """Bytes came in on `link` at `at_ns`."""
        self._mark(link, Role.FROM_NODE, now_ns, at_ns, data)
        return self._told(link, now_ns, self._lines[link].conversation.received(now_ns, data, at_ns))

    def send(self, now_ns: int, node: str, ticket: int, command: Command) -> Sent:
        """Send to the surveyed node; what became of it is told with `ticket`, at once where nobody is connected."""
        try:
            order = send_data(node, ticket, command)
        except WireError as error:  # whoever orders has bounds of his own: this is a fault of ours
            return Sent(None, Step((CommandOutcome(node, ticket, command, done=False, text=str(error)),)))
        if self._tape is not None:
            self._tape.mark(Mark(ORDERS, now_ns, now_ns, order))
        link = self.link_of(node)
        if link is None or not self._lines[link].is_open:
            return Sent(
                None, Step((CommandOutcome(node, ticket, command, done=False, text="the node is not connected"),))
            )
        return Sent(link, self._told(link, now_ns, self._lines[link].conversation.send(now_ns, ticket, command)))

    def link_of(self, node: str) -> str | None:
        """The link on which `node` is, or was last; None where it was never heard."""
        known = [link for link, line in self._lines.items() if line.conversation.node == node]
        return next((link for link in known if self.state(link) in DELIVERING), known[0] if known else None)

    def _told(self, link: str, now_ns: int, step: Step) -> Step:
        """What a call made, with what it made of others."""
        if step.data:
            self._mark(link, Role.TO_NODE, now_ns, now_ns, step.data)
        before: list[SessionEvent] = []
        for other, reason in self._others.roster.take_displaced():
            talk = self._lines[other].conversation
            before += talk.displaced(reason).events if isinstance(talk, Session) else ()
        return replace(step, events=(*before, *step.events)) if before else step

    def _mark(self, link: str, role: Role, now_ns: int, at_ns: int, data: bytes) -> None:
        if self._tape is not None:
            self._tape.mark(Mark(link_topic(link, role), now_ns, at_ns, data))


def _conversation(link: str, site: Site, settings: Settings, others: Others) -> Conversation:
    """With the instrument that the site has there, else with whichever node answers."""
    for node in site.nodes:
        if node.instrument is not None and node.instrument.place == link:
            return InstrumentSession(node, node.instrument)
    return Session(link, site, settings, others)
