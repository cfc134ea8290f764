"""One supervised task per link: link -> session -> events; reconnects for ever with bounded, jittered backoff."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from firmware_bridge.cancellation import stop_if_asked
from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink, LinkPort
from firmware_bridge.session.events import SessionEvent, StateChanged, Step
from firmware_bridge.session.exchange import Exchange, Sent
from firmware_bridge.session.states import State
from firmware_bridge.session.tape import Call
from firmware_bridge.units import NS_PER_S, ns_to_s, s_to_ns
from firmware_bridge.wire.commands import Command

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 20.0
JITTER_SHARE = 0.3  # so that eight nodes on one lost hub do not come back in step


@dataclass(slots=True)
class _Line:
    """One port, and the link while it is open."""

    port: LinkPort
    link: ByteLink | None = None
    next_ns: int = 0
    dropped_bytes: int = 0  # of this link


class Bridge:
    """All links of one rig. `run` it as a task; events go to `sink`, which must not block."""

    def __init__(
        self,
        exchange: Exchange,
        ports: Sequence[LinkPort],
        sink: Callable[[SessionEvent], None],
        random: np.random.Generator,
    ) -> None:
        """Serve the conversations of `exchange`, one a port by its name; `random` jitters the reconnections."""
        self._exchange = exchange
        self._lines = {port.name: _Line(port) for port in ports}
        self._sink = sink
        self._random = random

    async def run(self) -> None:
        """Serve every port until cancelled."""
        async with asyncio.TaskGroup() as group:
            for line in self._lines.values():
                group.create_task(self._serve(line), name=f"link {line.port.name}")
            await asyncio.Event().wait()  # also with no port at all: whoever runs us tells that nobody is heard

    def send(self, node: str, ticket: int, command: Command) -> None:
        """Send `command` to the surveyed node; what became of it arrives at the sink with `ticket`."""
        self.carry_out(self._exchange.send(_now_ns(), node, ticket, command))

    def carry_out(self, sent: Sent) -> None:
        """Put on its line what the exchange made of a command, and tell the sink."""
        if sent.link is None:
            self._emit(sent.step)
        else:
            self._carry_out(self._lines[sent.link], sent.step)

    def greet(self, link: str) -> None:
        """Begin anew with whoever is at `link`, as a person asks."""
        self._call(self._lines[link], Call.GREET)

    async def _serve(self, line: _Line) -> None:
        backoff_s = FIRST_BACKOFF_S
        while True:
            opened_at_s = asyncio.get_running_loop().time()
            self._call(line, Call.OPEN_ASKED)
            try:
                line.link = await line.port.open()
                line.dropped_bytes = 0
            except LinkError as error:
                self._call(line, Call.OPEN_FAILED, str(error))
            else:
                await self._converse(line, line.link)
            if asyncio.get_running_loop().time() - opened_at_s > LONGEST_BACKOFF_S:
                backoff_s = FIRST_BACKOFF_S  # it worked for a while: what happened is new
            await asyncio.sleep(backoff_s * (1.0 + JITTER_SHARE * self._random.random()))
            backoff_s = min(2.0 * backoff_s, LONGEST_BACKOFF_S)

    async def _converse(self, line: _Line, link: ByteLink) -> None:
        try:
            self._call(line, Call.OPENED)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tick(line))
                await self._read(line, link)
        except* LinkError as errors:
            self._call(line, Call.HUNG_UP, str(errors.exceptions[0]))
        finally:
            line.link = None
            link.close()
        stop_if_asked()

    async def _read(self, line: _Line, link: ByteLink) -> None:
        name = line.port.name
        while True:
            received = await link.read()
            self._carry_out(line, self._exchange.received(name, _now_ns(), received.data, received.at_ns))

    async def _tick(self, line: _Line) -> None:
        while True:
            wait_s = ns_to_s(max(line.next_ns - _now_ns(), NS_PER_S // 200))
            await asyncio.sleep(min(wait_s, 0.05))
            self._count_dropped(line)
            if _now_ns() >= line.next_ns:
                self._call(line, Call.TICK)
            if self._exchange.state(line.port.name) is State.LOST:
                raise LinkError(f"{line.port.name}: the node fell silent", remedy="it is greeted anew by itself")

    def _count_dropped(self, line: _Line) -> None:
        """Bytes that made way because we read too slowly, where the link counts them."""
        dropped = getattr(line.link, "dropped_bytes", 0)
        if dropped > line.dropped_bytes:
            more, line.dropped_bytes = dropped - line.dropped_bytes, dropped
            self._exchange.call(line.port.name, Call.OVERRUN, _now_ns(), str(more))

    def _call(self, line: _Line, call: Call, text: str = "") -> None:
        self._carry_out(line, self._exchange.call(line.port.name, call, _now_ns(), text))

    def _carry_out(self, line: _Line, step: Step) -> None:
        line.next_ns = step.next_ns
        self._emit(step)
        if step.data and line.link is not None:
            with suppress(LinkError):  # the reader meets the same loss and ends the conversation
                line.link.write(step.data)

    def _emit(self, step: Step) -> None:
        for event in step.events:
            self._sink(event)


def lost(event: SessionEvent) -> bool:
    """Whether `event` says that a node can no longer be heard."""
    return isinstance(event, StateChanged) and event.state in {State.LOST, State.INCOMPATIBLE}


def _now_ns() -> int:
    return s_to_ns(asyncio.get_running_loop().time())
