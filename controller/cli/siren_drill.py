"""A drill of one siren node on its own line, without a controller. What an alarm makes of sirens is tasking's."""

import asyncio
from collections.abc import Callable
from itertools import count

import numpy as np

from controller.alarm.types import AlarmClass
from controller.cli.ports import ports_of
from controller.config import Configuration
from controller.errors import ControllerError
from controller.tasking import SIREN_PATTERNS
from firmware_bridge.bridge import Bridge
from firmware_bridge.session.events import CommandOutcome, SessionEvent, StateChanged
from firmware_bridge.session.exchange import Exchange
from firmware_bridge.session.states import DELIVERING
from firmware_bridge.wire.commands import Command, Siren, SirenPattern, Stop

MEET_S = 10.0  # ports that open, a greeting, a clock learnt
ANSWER_S = 6.0  # eight times half a second, and what a slow line takes


class _Line:
    def __init__(self, node: str) -> None:
        self._node = node
        self._tickets = count(1)
        self.up = asyncio.Event()
        self._outcomes: asyncio.Queue[CommandOutcome] = asyncio.Queue()

    def take(self, event: SessionEvent) -> None:
        if isinstance(event, StateChanged) and event.node == self._node and event.state in DELIVERING:
            self.up.set()
        elif isinstance(event, CommandOutcome) and event.node == self._node:
            self._outcomes.put_nowait(event)

    async def ask(self, bridge: Bridge, command: Command) -> str | None:
        """What became of it where it was not done; None where it was."""
        ticket = next(self._tickets)
        bridge.send(self._node, ticket, command)
        try:
            async with asyncio.timeout(ANSWER_S):
                while True:
                    outcome = await self._outcomes.get()
                    if outcome.ticket == ticket:
                        return None if outcome.done else outcome.text
        except TimeoutError:
            return "no answer"


async def drill(
    configuration: Configuration, node: str, alarm_class: AlarmClass, seconds: float, say: Callable[[str], None]
) -> bool:
    """Sound the pattern of a class for so long, then silence; whether the node did all that it was told.

    Raises:
        ControllerError: the node is not heard.
    """
    pattern = SIREN_PATTERNS[alarm_class]
    if pattern is SirenPattern.SILENT:
        pattern = SirenPattern.CAUTION  # sirens make no noise for less: a drill that is not heard is no drill
    ports, hub = ports_of(configuration)
    exchange = Exchange(configuration.site, tuple(port.name for port in ports), configuration.session)
    line = _Line(node)
    bridge = Bridge(exchange, ports, line.take, np.random.default_rng())
    tasks = [asyncio.create_task(bridge.run())]
    if hub is not None:
        tasks.append(asyncio.create_task(hub.run()))
    failures: list[str | None] = []
    try:
        try:
            async with asyncio.timeout(MEET_S):
                await line.up.wait()
        except TimeoutError as error:
            raise ControllerError(
                f"siren node {node} is not heard", remedy="stop the controller, which holds its line; see its cable"
            ) from error
        say(f"TEST {node}: {pattern.name.lower()} for {seconds:g} s; no alarm stands")
        try:
            failures.append(await line.ask(bridge, Siren(pattern)))
            await asyncio.sleep(seconds)
        finally:
            failures.append(await line.ask(bridge, Siren(SirenPattern.SILENT)))
            # Or it would sound again by itself, as no controller speaks to it.
            failures.append(await line.ask(bridge, Stop()))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for failure in filter(None, failures):
        say(f"TEST {node}: {failure}")
    say(f"TEST {node}: over" + ("" if any(failures) else "; it did all that it was told"))
    return not any(failures)
