"""The conversation with somebody else's instrument: topics or lines of text in, the same values as of a node out.

No I/O, no clock. It moves by the table of states like every conversation, and falls silent like every node. Its values
are dated by when they came: how old they were then nobody knows, which `ARRIVAL_SIGMA_NS` stands for.
"""

from collections import deque

import numpy as np

from firmware_bridge.samples import ScalarBlock
from firmware_bridge.session.events import CommandOutcome, Counters, LinkHealth, SessionEvent, StateChanged, Step
from firmware_bridge.session.foreign_text import value_of
from firmware_bridge.session.states import DELIVERING, State, Trigger, after
from firmware_bridge.site.instruments import Instrument, Reading
from firmware_bridge.site.survey import Node
from firmware_bridge.units import NS_PER_S, s_to_ns
from firmware_bridge.wire.commands import Command

ARRIVAL_SIGMA_NS = NS_PER_S / 2  # a gateway, a broker and a radio that sleeps: half a second is usual, more is not rare
MAX_LINE_BYTES = 512  # what has no end after so much is no line of an instrument
MAX_VALUES_PER_S = 50  # a barometer says one to ten; more is a fault of somebody, and counted as lost
HEALTH_NS = NS_PER_S
TOPIC_END = b"\x00"  # parts topic and payload in what the link delivers: no topic can contain it


class InstrumentSession:
    """One conversation; the same calls as of `Session`."""

    def __init__(self, node: Node, instrument: Instrument) -> None:
        """Prepare to hear `instrument`, which the site knows as `node`."""
        self.state = State.CLOSED
        self._node = node
        self._instrument = instrument
        self._partial = b""
        self._in_line = False
        self._last_ns = 0
        self._next_poll_ns = 0
        self._next_health_ns = 0
        self._told: tuple[State, str] | None = None
        self._recent: deque[int] = deque(maxlen=MAX_VALUES_PER_S)
        self._received_bytes = self._values = self._refused = self._strange = self._lost = self._connections = 0
        self._dropped_bytes = 0

    @property
    def node(self) -> str | None:
        """Its surveyed name."""
        return self._node.name

    def open_asked(self) -> None:
        """The supervisor is about to open the link."""
        self.state = after(self.state, Trigger.OPEN_ASKED)

    def open_failed(self, reason: str) -> Step:
        """Nothing could be opened."""
        return Step(tuple(self._move(Trigger.OPEN_FAILED, reason)))

    def opened(self, now_ns: int) -> Step:
        """The link is open: listen, and ask where it wants to be asked."""
        self._connections += 1
        self._partial, self._in_line = b"", False
        self._last_ns, self._next_poll_ns = now_ns, now_ns
        events = self._move(Trigger.OPENED, "listening for its first value")
        ticked = self.tick(now_ns)
        return Step((*events, *ticked.events), ticked.data, ticked.next_ns)

    def hung_up(self, reason: str) -> Step:
        """The link is gone."""
        return Step(tuple(self._move(Trigger.HUNG_UP, reason)))

    def received(self, now_ns: int, data: bytes, at_ns: int) -> Step:
        """Bytes of its line came in, or one message: topic, a zero byte, payload."""
        self._received_bytes += len(data)
        events: list[SessionEvent] = []
        if self._instrument.line is None:
            topic, _, payload = data.partition(TOPIC_END)
            readings = [r for r in self._instrument.readings if r.topic is not None and r.topic.encode() == topic]
            events += self._read(now_ns, at_ns, readings, payload)
        else:
            for line in self._lines(data, self._instrument.line.ends.encode()):
                events += self._read(now_ns, at_ns, list(self._instrument.readings), line)
        return Step(tuple(events), b"", self._next_ns())

    def tick(self, now_ns: int) -> Step:
        """Do what is due: asking, the verdict of silence, health."""
        events: list[SessionEvent] = []
        data = b""
        silent_s = (now_ns - self._last_ns) / NS_PER_S
        if self.state in DELIVERING and silent_s > self._instrument.stale_after_s:
            events += self._move(Trigger.SILENT, f"no value for {silent_s:.0f} s")
        line = self._instrument.line
        if line is not None and line.poll is not None and now_ns >= self._next_poll_ns:
            self._next_poll_ns = now_ns + s_to_ns(line.poll_s)
            data = line.poll.encode()
        if now_ns >= self._next_health_ns:
            self._next_health_ns = now_ns + HEALTH_NS
            events.append(self._health())
        return Step(tuple(events), data, self._next_ns())

    def send(self, now_ns: int, ticket: int, command: Command) -> Step:
        """An instrument takes no command."""
        del now_ns
        text = "it is an instrument, not a node: it takes no commands"
        return Step((CommandOutcome(self._node.name, ticket, command, done=False, text=text),), b"", self._next_ns())

    def greet(self, now_ns: int) -> Step:
        """Nobody is there to be greeted."""
        del now_ns
        return Step((), b"", self._next_ns())

    def overrun(self, dropped_bytes: int) -> None:
        """So many bytes made way: what they said is unknown, and the line goes on somewhere in its middle."""
        self._dropped_bytes += dropped_bytes
        self._partial, self._in_line = b"", False

    def _lines(self, data: bytes, end: bytes) -> list[bytes]:
        """Whole lines only: what a connection begins or a lost byte ends in the middle of says another number."""
        *lines, self._partial = (self._partial + data).split(end)
        if lines and not self._in_line:
            lines, self._in_line = lines[1:], True
        if len(self._partial) > MAX_LINE_BYTES:
            self._partial, self._in_line = b"", False
            self._strange += 1
        too_long = [line for line in lines if len(line) > MAX_LINE_BYTES]
        self._strange += len(too_long)
        return [line for line in lines if line.strip() and len(line) <= MAX_LINE_BYTES]

    def _read(self, now_ns: int, at_ns: int, readings: list[Reading], payload: bytes) -> list[SessionEvent]:
        events: list[SessionEvent] = []
        found = [(reading, value) for reading in readings if (value := value_of(reading, payload)) is not None]
        if self._instrument.line is None:
            self._refused += len(readings) - len(found)
        elif not found:
            self._strange += 1
        for reading, value in found:
            if len(self._recent) == MAX_VALUES_PER_S and now_ns - self._recent[0] < NS_PER_S:
                self._lost += 1
                continue
            self._recent.append(now_ns)
            self._values += 1
            self._last_ns = now_ns
            if self.state is State.HELLO:
                self.state = after(self.state, Trigger.IDENTIFIED)
                events += self._move(Trigger.SYNCHRONISED, f"instrument {self._node.name}, values come")
            events.append(self._block(reading, value, at_ns))
        return events

    def _block(self, reading: Reading, value: float, at_ns: int) -> ScalarBlock:
        sensor = self._node.sensors[reading.channel]
        times, values = np.array([at_ns], dtype=np.int64), np.array([value])
        times.flags.writeable = values.flags.writeable = False
        return ScalarBlock(self._node.name, sensor.name, sensor.quantity, times, values, ARRIVAL_SIGMA_NS)

    def _move(self, trigger: Trigger, reason: str) -> list[SessionEvent]:
        before, self.state = self.state, after(self.state, trigger)
        if self.state is before or (self.state, reason) == self._told:
            return []
        self._told = self.state, reason
        return [StateChanged(self._instrument.place, self._node.name, self.state, reason)]

    def _health(self) -> LinkHealth:
        """Values are its frames; what could not be read is undecodable. Its clock is ours."""
        return LinkHealth(
            link=self._instrument.place,
            node=self._node.name,
            state=self.state,
            counters=Counters(
                received_bytes=self._received_bytes,
                frames=self._values,
                undecodable=self._refused + self._strange,
                lost_frames=self._lost,
                connections=self._connections,
                dropped_bytes=self._dropped_bytes,
            ),
            clock_sigma_ns=0.0,
            clock_rate_error=0.0,
            round_trip_ns=None,
            status=None,
        )

    def _next_ns(self) -> int:
        line = self._instrument.line
        asks = line is not None and line.poll is not None
        return min(self._next_poll_ns, self._next_health_ns) if asks else self._next_health_ns
