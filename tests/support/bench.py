"""A bridge on memory cables with fake nodes at their ends, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import TypeVar

import numpy as np

from firmware_bridge.bridge import Bridge
from firmware_bridge.errors import LinkError
from firmware_bridge.link import ByteLink
from firmware_bridge.links.memory import MemoryPort
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.session.conversation import Session, Settings
from firmware_bridge.session.events import CommandOutcome, LinkHealth, SessionEvent, StateChanged
from firmware_bridge.session.exchange import Exchange
from firmware_bridge.session.states import State
from firmware_bridge.units import s_to_ns
from firmware_bridge.wire.commands import Start
from tests.support.fake_node import FakeNode
from tests.support.places import FarEnd, Place
from tests.support.sites import A_CHANNELS, B_CHANNELS, small_site

PERIOD_S = 0.5
Event = TypeVar("Event")


def now_ns() -> int:
    return s_to_ns(asyncio.get_running_loop().time())


class CountingPort(MemoryPort):
    """Counts how often it is asked."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.tries = 0

    async def open(self) -> ByteLink:
        self.tries += 1
        return await super().open()


class Bench:
    """Nodes A and B on ports of the same names; what the bridge tells is kept with its time."""

    def __init__(self, ports: Mapping[str, Place] | None = None) -> None:
        self.ports: Mapping[str, Place] = ports or {name: CountingPort(name) for name in "AB"}
        self.nodes = {
            "A": FakeNode(uid=0xA1, channels=A_CHANNELS),
            "B": FakeNode(uid=0xB2, channels=B_CHANNELS, slow_channel=0),
        }
        self.told: list[tuple[float, SessionEvent]] = []
        self.ends: dict[str, FarEnd] = {}
        self._players: dict[str, list[asyncio.Task[None]]] = {}
        settings = Settings(sample_period_ms=round(1000 * PERIOD_S))
        self.exchange = Exchange(small_site(), self.ports, settings)
        self.bridge = Bridge(self.exchange, tuple(self.ports.values()), self._take, np.random.default_rng(7))

    def _take(self, event: SessionEvent) -> None:
        self.told.append((asyncio.get_running_loop().time(), event))

    def plug(self, *names: str, at: str | None = None) -> None:
        """Plug the nodes in, at the ports of their names or `at` another; they power up."""
        for name in names:
            node, end = self.nodes[name], self.ports[at or name].plug()
            node.reboot()
            node.heard.clear()
            self.ends[name] = end
            self._players[name] = [
                asyncio.create_task(self._answer(node, end)),
                asyncio.create_task(self._stream(node, end)),
            ]

    async def unplug(self, name: str) -> None:
        """Cut the cable and switch the node off."""
        self.ends.pop(name).close()
        players = self._players.pop(name)
        for player in players:
            player.cancel()
        await asyncio.wait(players)

    async def _answer(self, node: FakeNode, end: FarEnd) -> None:
        with suppress(LinkError):
            while True:
                data = (await end.read()).data
                answer = node.hear(now_ns(), data)
                await asyncio.sleep(0.0002)  # the way back
                if answer:
                    end.write(answer)

    async def _stream(self, node: FakeNode, end: FarEnd) -> None:
        with suppress(LinkError):
            while True:
                await asyncio.sleep(PERIOD_S)
                if not node.mute and any(isinstance(command, Start) for command in node.heard):
                    end.write(node.pressure(now_ns()) + node.status(now_ns()))

    async def say(self, name: str, what: Callable[[], bytes], *, every_s: float, for_s: float) -> None:
        """Something else talks on the line of `name`; what the cable does not take is lost, as on a real line."""
        end_s = asyncio.get_running_loop().time() + for_s
        while asyncio.get_running_loop().time() < end_s:
            with suppress(LinkError):
                if name in self.ends:
                    self.ends[name].write(what())
            await asyncio.sleep(every_s)

    def session(self, port: str) -> Session:
        """The conversation on the link at `port`."""
        conversation = self.exchange.conversation(port)
        assert isinstance(conversation, Session)
        return conversation

    def of(self, kind: type[Event], *, since_s: float = 0.0) -> list[Event]:
        return [event for at_s, event in self.told if isinstance(event, kind) and at_s >= since_s]

    def states(self, port: str) -> list[StateChanged]:
        """All that was told of the link at `port`."""
        return [event for event in self.of(StateChanged) if event.link == port]

    def states_of(self, node: str) -> list[StateChanged]:
        """All that was told of `node`, wherever it was."""
        return [event for event in self.of(StateChanged) if event.node == node]

    def state(self, port: str) -> State:
        """The newest that was told of the link at `port`."""
        return [event.state for event in self.of(StateChanged) if event.link == port][-1]

    def reason(self, port: str) -> str:
        return [event.reason for event in self.of(StateChanged) if event.link == port][-1]

    def health(self, port: str) -> LinkHealth:
        return [event for event in self.of(LinkHealth) if event.link == port][-1]

    def outcomes(self) -> list[tuple[int, bool]]:
        return [(event.ticket, event.done) for event in self.of(CommandOutcome) if event.ticket]

    def longest_pause_s(self, node: str, *, since_s: float) -> float:
        """The longest time without a sample of `node`, up to now."""
        times = [at_s for at_s, event in self.told if isinstance(event, ScalarBlock) and event.node == node]
        times = [since_s, *[at_s for at_s in times if at_s > since_s], asyncio.get_running_loop().time()]
        return max(b - a for a, b in pairwise(times))


@asynccontextmanager
async def bench(*plugged: str, ports: Mapping[str, Place] | None = None) -> AsyncIterator[Bench]:
    """A running bench with these nodes known and streaming. Its end checks that the bridge lived, and left nothing."""
    own = Bench(ports)
    own.plug(*plugged)
    running = asyncio.create_task(own.bridge.run())
    await asyncio.sleep(3.0)
    assert [own.state(name) for name in plugged] == [State.STREAMING] * len(plugged)
    yield own
    assert not running.done(), running
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    for name in tuple(own.ends):
        await own.unplug(name)
    assert asyncio.all_tasks() == {asyncio.current_task()}
