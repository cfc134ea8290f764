"""One suite of sessions, links and time base, over every transport and in every trouble: what must hold in all of them.

A node counts in its samples, so that each that arrives can be held against the instant at which it was taken; its
neighbour hangs on a good line of the same bridge and must not notice anything.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from firmware_bridge.links.broker import BrokerSettings
from firmware_bridge.links.mqtt import MqttHub
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.scaled_loop import ScaledLoop
from firmware_bridge.session.events import Counters
from firmware_bridge.session.states import DELIVERING, State
from firmware_bridge.wire.commands import Identify, Start
from firmware_bridge.wire.framing import MAX_ENCODED_BYTES
from sim.faults.damage import Damage
from sim.virtual_time import run_virtual
from tests.conftest import MOSQUITTO, Broker
from tests.property.test_timebase import BOUND_SIGMAS
from tests.support.bench import PERIOD_S, Bench, now_ns
from tests.support.fake_node import FakeNode
from tests.support.places import FarEnd, MemoryPlace, Place, SocketPlace, TopicPlace
from tests.support.terminals import TerminalPort
from tests.support.trouble import NONE, TO_HOST, TO_NODE, BadPlace, Trouble, rule

SCALE = 20.0  # of the loop's clock to the machine's, where a broker takes part: a virtual clock would not wait for it
TROUBLE_S = 8.0
SILENT_S = 16.0  # longer than the 10 s after which a node is lost
BACK_WITHIN_S = 200.0  # of the loop: far beyond the longest wait for the next try; it ends a broken test
FIRST_PA, STEP_PA = 1.5 * 100_000.0 - 10.0, 1.5 * 0.25  # what the small site makes of a count of A's pressure


@dataclass(frozen=True)
class Case:
    """A trouble, how long it rules, and how it shows in the counters of the time from its begin to after its end."""

    trouble: Trouble
    shows: Callable[["Outcome"], bool]
    for_s: float = TROUBLE_S


@dataclass(frozen=True)
class Outcome:
    """What is left to look at when all is over."""

    before: Counters
    after: Counters
    states: list[State]
    done: list[bool]

    def more(self, counter: str) -> int:
        return int(getattr(self.after, counter)) - int(getattr(self.before, counter))


def nothing_lost(outcome: Outcome) -> bool:
    return not any(outcome.more(name) for name in ("bad_frames", "lost_frames", "repeated_frames", "connections"))


def dirty(**shares: float) -> Trouble:
    return Trouble(Damage(**shares))  # type: ignore[arg-type]


CASES = {
    "none": Case(NONE, lambda o: nothing_lost(o) and all(o.done)),
    "frames lost": Case(Trouble(lost=0.3), lambda o: o.more("lost_frames") > 0),
    "bytes lost": Case(dirty(lost_bytes=0.01), lambda o: o.more("bad_frames") > 0),
    "bytes flipped": Case(dirty(bit_flips=0.01), lambda o: o.more("bad_frames") > 0),
    "bytes inserted": Case(dirty(inserted_bytes=0.01), lambda o: o.more("bad_frames") > 0),
    "frames cut short": Case(dirty(truncated=0.3), lambda o: o.more("bad_frames") > 0),
    "frames twice": Case(dirty(duplicated=0.5), lambda o: o.more("repeated_frames") > 0),
    "frames swapped": Case(Trouble(swapped=0.4), lambda o: o.more("repeated_frames") > 0),
    "late": Case(Trouble(delay_s=0.1, jitter_s=0.3), nothing_lost),
    "byte by byte": Case(Trouble(Damage(chop="bytes")), nothing_lost),
    "in random pieces": Case(Trouble(Damage(chop="random")), nothing_lost),
    "stalled": Case(Trouble(held=True), nothing_lost),
    "zeros": Case(dirty(zeros=1.0), nothing_lost),
    "another baud rate": Case(dirty(baud_ratio=1.2), lambda o: o.more("frames") < o.more("bad_frames") + 60),
    "a flood": Case(Trouble(roar=3000), lambda o: o.more("bad_frames") > 100),
    "cut": Case(Trouble(cut=True), lambda o: o.more("connections") > 0 and State.LOST in o.states),
    "deaf": Case(Trouble(dead=frozenset({TO_NODE})), lambda o: not all(o.done)),
    "mute": Case(Trouble(dead=frozenset({TO_HOST})), lambda o: State.LOST in o.states, SILENT_S),
    "dead": Case(Trouble(dead=frozenset({TO_HOST, TO_NODE})), lambda o: State.LOST in o.states, SILENT_S),
}


class CountingBench(Bench):
    """A bench whose nodes count: which sample was taken when is known."""

    def __init__(self, ports: dict[str, Place]) -> None:
        super().__init__(ports)
        self.taken: dict[str, list[int]] = {"A": [], "B": []}
        for node in self.nodes.values():
            node.hears_noise = True

    async def _stream(self, node: FakeNode, end: FarEnd) -> None:
        taken = self.taken["A" if node is self.nodes["A"] else "B"]
        while True:
            await asyncio.sleep(PERIOD_S)
            if any(isinstance(command, Start) for command in node.heard):
                at_ns = now_ns()
                end.write(node.pressure(at_ns, len(taken)) + node.status(at_ns))
                taken.append(at_ns)

    def arrived(self, node: str) -> list[tuple[int, int, float]]:
        """(count, common time, its sigma) of each sample of `node`, in the order of their arrival."""
        blocks = [e for _, e in self.told if isinstance(e, ScalarBlock) and e.node == node]
        first, step = (FIRST_PA, STEP_PA) if node == "A" else (100_000.0, 0.25)
        return [
            (round((float(value) - first) / step), int(at_ns), block.time_sigma_ns)
            for block in blocks
            for value, at_ns in zip(block.value, block.time_ns, strict=True)
        ]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(BACK_WITHIN_S):
        while not condition():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.05)


async def stood(place: Place, case: Case, replug: Callable[[CountingBench], object]) -> None:
    """Go through `case` at `place`, and hold every law."""
    bad = BadPlace(place, seed=5)
    rig = CountingBench({"A": bad, "B": MemoryPlace("B")})
    rig.plug("A", "B")
    running = asyncio.create_task(rig.bridge.run())
    try:
        await until(lambda: all(len(rig.arrived(name)) >= 3 for name in "AB"))
        await asyncio.sleep(2.0)
        before, told = rig.health("A").counters, len(rig.states("A"))
        orders = asyncio.create_task(give_orders(rig, case.for_s))
        await rule(bad, case.trouble, case.for_s, lambda: replug(rig))
        await orders
        taken = len(rig.taken["A"])
        await until(lambda: any(count >= taken + 3 for count, _, _ in rig.arrived("A")))
        await until(lambda: len(rig.outcomes()) == 4)
        seen = rig.health("A").counters.frames
        await until(lambda: rig.health("A").counters.frames > seen)  # told once a second
        assert not running.done(), running

        assert rig.state("A") in DELIVERING
        assert sorted(ticket for ticket, _ in rig.outcomes()) == [1, 2, 3, 4]  # each once, whatever became of it
        assert len(rig.session("A")._deframer._partial) <= MAX_ENCODED_BYTES
        counters = rig.health("A").counters
        assert counters.undecodable == 0  # nobody says such a thing, and no damage passes for a frame
        assert counters.lost_frames <= 3 * len(rig.taken["A"]) + counters.connections * 40  # nor for a number
        hold_to_truth(rig, "A")
        hold_to_truth(rig, "B")
        assert [event.state for event in rig.states("B")][-1] is State.STREAMING
        assert [event.state for event in rig.states("B")].count(State.STREAMING) == 1  # it never left it
        counts = [count for count, _, _ in rig.arrived("B")]
        assert counts == list(range(len(counts)))
        assert len(counts) >= len(rig.taken["B"]) - 1  # one is on its way
        states = [event.state for event in rig.states("A")][told:]
        outcome = Outcome(before, rig.health("A").counters, states, [done for _, done in rig.outcomes()])
        assert case.shows(outcome), outcome
    finally:
        running.cancel()
        await asyncio.wait([running])
        for name in tuple(rig.ends):
            await rig.unplug(name)


async def give_orders(rig: CountingBench, for_s: float) -> None:
    for ticket in range(1, 5):
        await asyncio.sleep(for_s / 6)
        rig.bridge.send("A", ticket, Identify(ticket))


def hold_to_truth(rig: CountingBench, node: str) -> None:
    """What arrived was said, once, in its order, and is dated right within what is stated of the date."""
    arrived = rig.arrived(node)
    counts = [count for count, _, _ in arrived]
    assert counts == sorted(set(counts))
    for count, at_ns, sigma_ns in arrived:
        assert abs(at_ns - rig.taken[node][count]) < BOUND_SIGMAS * sigma_ns + 2, (count, sigma_ns)


async def plug_anew(rig: CountingBench) -> None:
    await rig.unplug("A")
    await asyncio.sleep(0.3)
    rig.plug("A")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("transport", ["memory", "terminal", "socket"])
def test_a_bad_line_costs_what_it_damages_and_nothing_else(transport: str, case: Case, tmp_path: Path) -> None:
    makers: dict[str, Callable[[], Place]] = {
        "memory": lambda: MemoryPlace("A"),
        "terminal": lambda: TerminalPort("A", tmp_path),
        "socket": lambda: SocketPlace("A"),
    }

    async def main() -> None:
        await stood(makers[transport](), case, plug_anew)

    run_virtual(main())


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One for all: each case comes with clients of its own."""
    if not MOSQUITTO.exists():
        pytest.skip("no mosquitto in .venv/bin; `make setup` fetches it")
    private = Broker(tmp_path_factory.mktemp("broker"))
    yield private
    private.stop()


@pytest.mark.integration
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_same_behind_a_broker(case: Case, broker: Broker) -> None:
    """Of whose line the broker is the part that can be pulled."""

    async def restart(_rig: CountingBench) -> None:
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(broker.start)

    async def main() -> None:
        hub = MqttHub(BrokerSettings(broker.host, broker.port), on_change=lambda connected, reason: None)
        place = TopicPlace("A", hub, broker)
        task = asyncio.create_task(hub.run())
        try:
            await stood(place, case, restart)
        finally:
            task.cancel()
            await asyncio.wait([task])

    with asyncio.Runner(loop_factory=lambda: ScaledLoop(SCALE)) as runner:
        runner.run(main())
