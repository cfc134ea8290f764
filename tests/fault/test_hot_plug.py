"""Nodes that come, go, move and multiply: known by their UID, admitted however often, and never two of one name."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.bridge import JITTER_SHARE, LONGEST_BACKOFF_S
from firmware_bridge.session.conversation import INCOMPATIBLE_RETRY_NS
from firmware_bridge.session.roster import HEARD_LATELY_NS
from firmware_bridge.session.states import State
from firmware_bridge.units import ns_to_s
from sim.virtual_time import run_virtual
from tests.support.bench import Bench, CountingPort, bench
from tests.support.fake_node import FakeNode
from tests.support.places import Place, SocketPlace
from tests.support.sites import A_CHANNELS
from tests.support.terminals import TerminalPort

TIMES = 100
ADMITTED_WITHIN_S = LONGEST_BACKOFF_S * (1 + JITTER_SHARE) + 5.0  # the longest wait for the next try, and a greeting


async def admitted(rig: Bench, port: str) -> None:
    async with asyncio.timeout(ADMITTED_WITHIN_S):
        while rig.state(port) is not State.STREAMING:  # noqa: ASYNC110 - in virtual time
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("transport", ["memory", "terminal", "socket"])
def test_killed_and_revived_a_hundred_times_is_admitted_a_hundred_times(transport: str, tmp_path: Path) -> None:
    random = np.random.default_rng(11)

    async def main() -> None:
        makers: dict[str, Callable[[str], Place]] = {
            "memory": CountingPort,
            "terminal": lambda name: TerminalPort(name, tmp_path),
            "socket": SocketPlace,
        }
        ports = {name: makers[transport](name) for name in "AB"}
        async with bench("A", ports=ports) as rig:
            for _ in range(TIMES):
                if random.random() < 0.5:  # in mid-frame
                    rig.ends["A"].write(rig.nodes["A"].status(0)[:9])
                await rig.unplug("A")
                await asyncio.sleep(random.uniform(0.0, 3.0))
                assert rig.state("A") is not State.STREAMING or transport == "terminal"
                rig.plug("A")
                await asyncio.sleep(0.5)
                await admitted(rig, "A")
            counters = rig.health("A").counters
            assert counters.connections == TIMES + 1
            assert [e.state for e in rig.states("A")].count(State.STREAMING) == TIMES + 1

    run_virtual(main())


def test_a_node_is_known_on_whatever_port_it_comes_back() -> None:
    async def main() -> None:
        async with bench("A") as rig:
            await rig.unplug("A")
            await asyncio.sleep(1.0)
            rig.plug("A", at="B")
            await admitted(rig, "B")
            assert rig.session("B").node == "A"
            assert rig.exchange.link_of("A") == "B"

    run_virtual(main())


def test_a_node_that_moves_before_its_old_port_noticed() -> None:
    """A hub that loses power keeps its ports open: nothing hangs up, the node just appears elsewhere."""

    async def main() -> None:
        async with bench("A") as rig:
            for player in rig._players.pop("A"):
                player.cancel()
            rig.ends.pop("A")  # nobody at its far end, and nobody cut it
            await asyncio.sleep(ns_to_s(HEARD_LATELY_NS) + 0.5)
            rig.plug("A", at="B")
            await asyncio.sleep(ns_to_s(INCOMPATIBLE_RETRY_NS) + 5.0)
            assert rig.state("B") is State.STREAMING
            assert "answers at B now" in next(e.reason for e in rig.states("A") if e.state is State.LOST)
            assert rig.states_of("A")[-1].state is State.STREAMING  # what is told last of the node

    run_virtual(main())


def test_the_second_of_two_nodes_with_one_uid_is_refused_and_told() -> None:
    async def main() -> None:
        async with bench("A") as rig:
            rig.nodes["B"] = FakeNode(uid=0xA1, channels=A_CHANNELS, offset_ns=3)
            rig.plug("B")
            await asyncio.sleep(30.0)
            assert (rig.state("A"), rig.state("B")) == (State.STREAMING, State.INCOMPATIBLE)
            assert "second node with UID a1: one answers at A already" in rig.reason("B")
            assert rig.health("B").node is None  # its counters are not taken for those of the first
            assert rig.longest_pause_s("A", since_s=3.0) <= 1.0
            await rig.unplug("A")
            await asyncio.sleep(ns_to_s(INCOMPATIBLE_RETRY_NS) + 2.0)
            assert rig.state("B") is State.STREAMING  # nobody else has that name any more

    run_virtual(main())


def test_two_nodes_that_swap_their_ports() -> None:
    async def main() -> None:
        async with bench("A", "B") as rig:
            await rig.unplug("A")
            await rig.unplug("B")
            rig.plug("A", at="B")
            rig.plug("B", at="A")
            await admitted(rig, "A")
            await admitted(rig, "B")
            assert (rig.session("A").node, rig.session("B").node) == ("B", "A")

    run_virtual(main())


def test_a_person_may_have_a_node_greeted_anew() -> None:
    async def main() -> None:
        async with bench("A") as rig:
            rig.bridge.greet("A")
            assert rig.state("A") is State.HELLO
            await asyncio.sleep(3.0)
            assert rig.state("A") is State.STREAMING

    run_virtual(main())


def test_bytes_that_made_way_are_counted() -> None:
    async def main() -> None:
        async with bench("A") as rig:
            link = rig.bridge._lines["A"].link
            link.dropped_bytes = 1000  # type: ignore[union-attr]
            await asyncio.sleep(1.5)
            link.dropped_bytes = 1500  # type: ignore[union-attr]
            await asyncio.sleep(1.5)
            assert rig.health("A").counters.dropped_bytes == 1500

    run_virtual(main())
