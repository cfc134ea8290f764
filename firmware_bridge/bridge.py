"""One supervised task per link: link -> session -> events; reconnects for ever with bounded, jittered backoff."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from firmware_bridge.cancellation import stop_if_asked
from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink, LinkPort
from firmware_bridge.session.conversation import Session, Settings
from firmware_bridge.session.events import CommandOutcome, SessionEvent, StateChanged, Step
from firmware_bridge.session.states import DELIVERING, State
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, ns_to_s, s_to_ns
from firmware_bridge.wire.commands import Command

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 20.0
JITTER_SHARE = 0.3  # so that eight nodes on one lost hub do not come back in step


@dataclass(slots=True)
class _Line:
    """One port, its conversation, and the link while it is open."""

    port: LinkPort
    session: Session
    link: ByteLink | None = None
    next_ns: int = 0


class Bridge:
    """All links of one rig. `run` it as a task; events go to `sink`, which must not block."""

    def __init__(
        self,
        site: Site,
        ports: Sequence[LinkPort],
        settings: Settings,
        sink: Callable[[SessionEvent], None],
        random: np.random.Generator,
    ) -> None:
        """Prepare one conversation a port; `random` jitters the reconnections."""
        self._lines = [_Line(port, Session(port.name, site, settings)) for port in ports]
        self._sink = sink
        self._random = random

    async def run(self) -> None:
        """Serve every port until cancelled."""
        async with asyncio.TaskGroup() as group:
            for line in self._lines:
                group.create_task(self._serve(line), name=f"link {line.port.name}")
            await asyncio.Event().wait()  # also with no port at all: whoever runs us tells that nobody is heard

    def send(self, node: str, ticket: int, command: Command) -> None:
        """Send `command` to the surveyed node; what became of it arrives at the sink with `ticket`."""
        line = self._line_of(node)
        if line is None or line.link is None:
            self._sink(CommandOutcome(node, ticket, command, done=False, text="the node is not connected"))
            return
        self._carry_out(line, line.session.send(_now_ns(), ticket, command))

    def _line_of(self, node: str) -> _Line | None:
        known = [line for line in self._lines if line.session.node == node]
        return next((line for line in known if line.session.state in DELIVERING), known[0] if known else None)

    async def _serve(self, line: _Line) -> None:
        backoff_s = FIRST_BACKOFF_S
        while True:
            opened_at_s = asyncio.get_running_loop().time()
            line.session.open_asked()
            try:
                line.link = await line.port.open()
            except LinkError as error:
                self._emit(line.session.open_failed(str(error)))
            else:
                await self._converse(line, line.link)
            if asyncio.get_running_loop().time() - opened_at_s > LONGEST_BACKOFF_S:
                backoff_s = FIRST_BACKOFF_S  # it worked for a while: what happened is new
            await asyncio.sleep(backoff_s * (1.0 + JITTER_SHARE * self._random.random()))
            backoff_s = min(2.0 * backoff_s, LONGEST_BACKOFF_S)

    async def _converse(self, line: _Line, link: ByteLink) -> None:
        try:
            self._carry_out(line, line.session.opened(_now_ns()))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tick(line))
                await self._read(line, link)
        except* LinkError as errors:
            self._emit(line.session.hung_up(str(errors.exceptions[0])))
        finally:
            line.link = None
            link.close()
        stop_if_asked()

    async def _read(self, line: _Line, link: ByteLink) -> None:
        while True:
            received = await link.read()
            self._carry_out(line, line.session.received(_now_ns(), received.data, received.at_ns))

    async def _tick(self, line: _Line) -> None:
        while True:
            wait_s = ns_to_s(max(line.next_ns - _now_ns(), NS_PER_S // 200))
            await asyncio.sleep(min(wait_s, 0.05))
            if _now_ns() >= line.next_ns:
                self._carry_out(line, line.session.tick(_now_ns()))
            if line.session.state is State.LOST:
                raise LinkError(f"{line.port.name}: the node fell silent", remedy="it is greeted anew by itself")

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
