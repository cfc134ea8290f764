"""The conversation with one node: what is done in each state, and when. No I/O, no clock.

Its neighbours: `states` the table, `recognition` who answers, `peer` its clock and streams, `orders` what it was asked,
`tally` what came and was lost.
"""

from dataclasses import dataclass

from firmware_bridge.errors import WireError
from firmware_bridge.session.events import CommandOutcome, Identity, LinkHealth, SessionEvent, StateChanged, Step
from firmware_bridge.session.orders import Orders
from firmware_bridge.session.others import Others
from firmware_bridge.session.peer import Peer
from firmware_bridge.session.recognition import identity_of, recognise
from firmware_bridge.session.states import DELIVERING, State, Trigger, after
from firmware_bridge.session.stuck import stuck
from firmware_bridge.session.tally import Tally
from firmware_bridge.site.survey import Node, Site
from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.codec import Undecodable, decode
from firmware_bridge.wire.commands import Command, Ping
from firmware_bridge.wire.framing import DELIMITER, Deframer, Flags, FrameFault, Packet
from firmware_bridge.wire.reports import Ack, HelloAck, Pong, Report, Status

HELLO_RETRY_NS = NS_PER_S // 2
INCOMPATIBLE_RETRY_NS = 10 * NS_PER_S
SYNC_PINGS = 8
SYNC_PING_NS = NS_PER_S // 20
PING_NS = 983_900_000  # odd on purpose, so that it does not resonate with anything periodic
HEALTH_NS = NS_PER_S
REBOOT_PAUSE_NS = 2 * NS_PER_S  # no board boots faster; another boot number in every frame must not become a flood

_GREETING = frozenset({State.HELLO, State.INCOMPATIBLE})
_SYNCHRONISING = frozenset({State.SYNC, *DELIVERING})


@dataclass(frozen=True, slots=True)
class Settings:
    """What the owner of a site may choose about conversations."""

    silence_s: float = 10.0
    sample_period_ms: int = 500


class Session:
    """One conversation. Call `opened`, then `received` and `tick`; each returns what to do next."""

    def __init__(self, link: str, site: Site, settings: Settings, others: Others | None = None) -> None:
        """Prepare a conversation over the link called `link` with whichever node of `site` answers.

        `others` is what all conversations of one rig share; without it this one is alone.
        """
        self._link = link
        self._others = others or Others()
        self._site = site
        self._settings = settings
        self.state = State.CLOSED
        self._node: Node | None = None
        self._identity: Identity | None = None
        self._orders = Orders()
        self._tally = Tally()
        self._status: Status | None = None
        self._deframer = Deframer()
        self._out = b""
        self._last_heard_ns = 0
        self._next_health_ns = 0
        self._told: tuple[State, str] | None = None
        self._no_reboot_before_ns = self._no_stranger_before_ns = 0
        self._forget_peer()

    @property
    def node(self) -> str | None:
        """The surveyed name of the node that last answered here."""
        return self._node.name if self._node else None

    def open_asked(self) -> None:
        """The supervisor is about to open the link."""
        self.state = after(self.state, Trigger.OPEN_ASKED)

    def open_failed(self, reason: str) -> Step:
        """Nothing could be opened."""
        return Step(tuple(self._move(Trigger.OPEN_FAILED, reason)))

    def opened(self, now_ns: int) -> Step:
        """The link is open: greet."""
        self._tally.connections += 1
        self._deframer = Deframer()
        self._forget_peer()
        self._last_heard_ns = now_ns
        events = self._move(Trigger.OPENED, "asking who is there")
        ticked = self.tick(now_ns)
        # UARTs deliver garbage after idle: an empty frame ends whatever the node believes to have begun.
        return Step((*events, *ticked.events), DELIMITER + ticked.data, ticked.next_ns)

    def hung_up(self, reason: str) -> Step:
        """The link is gone."""
        return Step(tuple(self._leave(Trigger.HUNG_UP, reason)))

    def displaced(self, reason: str) -> Step:
        """The node answers on another link now: what happens on this one is no longer about it."""
        step = self.hung_up(reason)
        self._node = None
        return step

    def received(self, now_ns: int, data: bytes, at_ns: int) -> Step:
        """Bytes came in; `at_ns` is when."""
        events: list[SessionEvent] = []
        self._out = b""
        self._tally.received_bytes += len(data)
        for found in self._deframer.feed(data):
            if isinstance(found, FrameFault):
                self._tally.damaged()
            else:
                events += self._packet(now_ns, found, at_ns)
            events += self._judge_loss()
        return Step(tuple(events), self._out, self._next_ns())

    def tick(self, now_ns: int) -> Step:
        """Do what is due: greetings, pings, retries, the verdict of silence, health."""
        events: list[SessionEvent] = []
        self._out = b""
        silent_s = (now_ns - self._last_heard_ns) / NS_PER_S
        if self.state in _SYNCHRONISING and silent_s > self._settings.silence_s:
            events += self._leave(Trigger.SILENT, f"nothing heard for {silent_s:.1f} s")
        if now_ns >= self._next_due_ns:
            events += self._converse(now_ns)
        frames, outcomes = self._orders.overdue(now_ns, self._name())
        self._out += frames
        events += outcomes
        if now_ns >= self._next_health_ns:
            self._next_health_ns = now_ns + HEALTH_NS
            events += self._peer.sweep()
            events.append(self._health())
            if self._orders.start_again and self.state in DELIVERING:
                self._out += self._orders.start(now_ns, self._settings.sample_period_ms)
        return Step(tuple(events), self._out, self._next_ns())

    def send(self, now_ns: int, ticket: int, command: Command) -> Step:
        """Send a command; in a `Capture` the start is common time, translated here to the node's clock."""
        if isinstance(command, Ping) and self.state in _SYNCHRONISING:
            return Step((), self._orders.ping(now_ns, ticket), self._next_ns())
        frame = None
        why = f"the node is {self.state}"
        if self.state in DELIVERING:
            try:
                frame = self._orders.command(now_ns, ticket, command, self._peer.on_its_clock(command))
                why = "too many unanswered commands"
            except (LookupError, WireError) as error:  # the clock was just stepped, or a value fits no field
                why = str(error)
        if frame is None:
            outcome = CommandOutcome(self._name(), ticket, command, done=False, text=why)
            return Step((outcome,), b"", self._next_ns())
        return Step((), frame, self._next_ns())

    def greet(self, now_ns: int) -> Step:
        """Somebody asked for it: forget the node and greet it anew."""
        if after(self.state, Trigger.GREETING_ASKED) is self.state:
            return Step((), b"", self._next_ns())
        self._out = b""
        events = self._leave(Trigger.GREETING_ASKED, "greeting it anew, as was asked for")
        self._forget_peer()
        events += self._converse(now_ns)
        return Step(tuple(events), self._out, self._next_ns())

    def overrun(self, dropped_bytes: int) -> None:
        """We were too slow for its line: so many bytes made way."""
        self._tally.dropped_bytes += dropped_bytes

    def _forget_peer(self) -> None:
        """Forget what belonged to one boot of one node."""
        self._peer = Peer(self._others.ties)
        self._tally.new_boot()
        self._orders.forget()
        self._next_due_ns = 0

    def _converse(self, now_ns: int) -> list[SessionEvent]:
        """Send what the state asks for, and set when to do so again."""
        if self.state in _GREETING:
            self._out += self._orders.hello()
            self._next_due_ns = now_ns + (HELLO_RETRY_NS if self.state is State.HELLO else INCOMPATIBLE_RETRY_NS)
        elif self.state in _SYNCHRONISING:
            self._out += self._orders.ping(now_ns)
            learning = self.state is State.SYNC or not self._peer.timebase.ready
            self._next_due_ns = now_ns + (SYNC_PING_NS if learning else PING_NS)
        else:
            self._next_due_ns = now_ns + HEALTH_NS
        why = stuck(self.state, self._orders, self._tally, self._peer.answered_pings)
        return [StateChanged(self._link, self.node, self.state, why, self._identity)] if why else []

    def _packet(self, now_ns: int, packet: Packet, at_ns: int) -> list[SessionEvent]:
        message = decode(packet)
        if isinstance(message, Command):
            return []  # an echo of ours: nobody said it
        if isinstance(message, Undecodable):
            self._tally.unreadable(message)
            return []
        self._last_heard_ns = now_ns
        self._tally.good()
        if isinstance(message, HelloAck):
            return self._identified(now_ns, message, packet.boot_id) if self.state in _GREETING else []
        if self._identity is None or self.state not in _SYNCHRONISING:
            return []
        self._others.roster.heard(self._identity.uid, self._link, now_ns)
        if packet.boot_id != self._identity.boot_id:
            return self._rebooted(now_ns) if now_ns >= self._no_reboot_before_ns else []
        if not self._tally.fresh(packet.kind, packet.sequence):
            return []
        events: list[SessionEvent] = []
        if packet.flags & Flags.TIME_STEP:
            events += self._peer.clock_set()
            self._tally.clock_steps += 1
            self._next_due_ns = 0
        return events + self._reported(now_ns, message, packet, at_ns)

    def _reported(self, now_ns: int, report: Report, packet: Packet, at_ns: int) -> list[SessionEvent]:
        match report:
            case Pong():
                return self._ponged(now_ns, report, at_ns)
            case Status():
                self._status = report
                return []
            case Ack():
                return [*self._orders.acknowledged(self._name(), report)]
        refused, blocks = self._peer.refused, self._peer.streamed(report, packet, at_ns)
        self._tally.undecodable += (self._peer.refused - refused) * (self.state in DELIVERING)
        return [*blocks]

    def _identified(self, now_ns: int, ack: HelloAck, boot_id: int) -> list[SessionEvent]:
        recognised = recognise(ack, self._site, lambda: self._others.roster.claim(ack.uid, self._link, now_ns))
        self._identity = identity_of(ack, boot_id, recognised)
        self._node = recognised.node
        self._next_due_ns = now_ns + INCOMPATIBLE_RETRY_NS
        if recognised.trigger is Trigger.IDENTIFIED and recognised.node is not None:
            self._peer.introduced(recognised.node, ack.channels)
        another = self.state is State.INCOMPATIBLE and now_ns >= self._no_stranger_before_ns
        if another or self.state is State.HELLO:  # one stranger after another is told, a flood of them is not
            self._no_stranger_before_ns = now_ns + INCOMPATIBLE_RETRY_NS // 2
        events = self._move(recognised.trigger, recognised.reason, again=another)
        if self.state is State.SYNC:
            self._converse(now_ns)
        return events

    def _ponged(self, now_ns: int, pong: Pong, at_ns: int) -> list[SessionEvent]:
        trip, outcomes = self._orders.answered(self._name(), pong, at_ns)
        if trip is None:
            return []
        self._tally.clock_steps += self._peer.answered(trip)
        timebase = self._peer.timebase
        if self.state is not State.SYNC or self._peer.answered_pings < SYNC_PINGS or not timebase.ready:
            return [*outcomes]
        known = f"clock known to {timebase.sigma_ns / 1000:.0f} µs, data flows"
        events = [*outcomes, *self._move(Trigger.SYNCHRONISED, known)]
        self._out += self._orders.start(now_ns, self._settings.sample_period_ms)
        return events

    def _rebooted(self, now_ns: int) -> list[SessionEvent]:
        self._tally.reboots += 1
        self._no_reboot_before_ns = now_ns + REBOOT_PAUSE_NS
        events = self._leave(Trigger.REBOOTED, "the node rebooted; greeting it again")
        self._forget_peer()
        self._converse(now_ns)
        return events

    def _leave(self, trigger: Trigger, reason: str) -> list[SessionEvent]:
        outcomes = self._orders.abandon(self._name(), reason)
        self._others.roster.release(self._link)
        return [*outcomes, *self._peer.flush(), *self._move(trigger, reason)]

    def _move(self, trigger: Trigger, reason: str, *, again: bool = False) -> list[SessionEvent]:
        before, self.state = self.state, after(self.state, trigger)
        # A port that is tried again and again for the same reason is told once.
        if (self.state is before and not again) or (self.state, reason) == self._told:
            return []
        self._told = self.state, reason
        return [StateChanged(self._link, self.node, self.state, reason, self._identity)]

    def _judge_loss(self) -> list[SessionEvent]:
        return self._move(*verdict) if (verdict := self._tally.judge()) else []

    def _health(self) -> LinkHealth:
        self._tally.pings_unanswered = self._orders.unanswered_pings
        return LinkHealth(
            link=self._link,
            node=self.node,
            state=self.state,
            counters=self._tally.counters(),
            clock_sigma_ns=self._peer.timebase.sigma_ns,
            clock_rate_error=self._peer.timebase.rate_error,
            round_trip_ns=self._peer.round_trip_ns,
            status=self._status,
        )

    def _name(self) -> str:
        return self.node or self._link

    def _next_ns(self) -> int:
        waited = [] if (due_ns := self._orders.next_ns) is None else [due_ns]
        return min(self._next_due_ns, self._next_health_ns, *waited)
