"""A node process that is killed and started again on the same line: the bridge takes it back, each time, by its UID."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from subprocess import DEVNULL, Popen

import numpy as np
import pytest

from firmware_bridge.bridge import Bridge
from firmware_bridge.links.tcp import TcpPort
from firmware_bridge.links.uart import UartPort
from firmware_bridge.session.conversation import Settings
from firmware_bridge.session.events import SessionEvent, StateChanged
from firmware_bridge.session.exchange import Exchange
from firmware_bridge.session.states import State
from tests.conftest import free_port
from tests.support.firmware import built
from tests.support.sites import small_site

pytestmark = [pytest.mark.integration]
NODE_A = "a1"
PATIENCE_S = 20.0
WAIT_S = 0.5  # for the next try, at most: in the field it grows to 20 s where nodes keep dying


@contextmanager
def running(*command: str | Path) -> Iterator["Popen[bytes]"]:
    process = Popen([*command, "--uid", NODE_A], stderr=DEVNULL)
    try:
        yield process
    finally:
        process.kill()  # as a power cut does: it says no farewell, and its line is gone
        process.wait()


@pytest.mark.parametrize("times", [4, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])])
@pytest.mark.parametrize("line", ["--pty", "--tcp"])
def test_a_node_that_dies_is_taken_back_each_time(
    line: str, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The C firmware as a process, killed and started anew; `pytest -s -m slow tests/hil` tells how often of 100."""
    number = free_port()
    place = str(tmp_path / "node") if line == "--pty" else str(number)
    command = (built("native") / "leaknode", line, place)
    boots: list[int] = []

    async def main() -> None:
        told: list[SessionEvent] = []
        port = UartPort(place, 921_600) if line == "--pty" else TcpPort("127.0.0.1", number)
        exchange = Exchange(small_site(), (port.name,), Settings(sample_period_ms=50))
        bridge = Bridge(exchange, (port,), told.append, np.random.default_rng(1))
        supervised = asyncio.create_task(bridge.run())
        for _ in range(times):
            told.clear()
            with running(*command):
                await come_to(State.STREAMING, told)
                known = [event.identity for event in states(told, State.STREAMING)]
                boots.extend(identity.boot_id for identity in known if identity is not None)
            await come_to(State.LOST, told)
        assert not supervised.done()
        assert len(boots) == times
        assert all(one != other for one, other in pairwise(boots))
        supervised.cancel()
        await asyncio.wait([supervised])

    monkeypatch.setattr("firmware_bridge.bridge.LONGEST_BACKOFF_S", WAIT_S)
    asyncio.run(main())
    sys.stdout.write(f"leaknode {line}: killed and started anew {times} times, taken back {len(boots)} times\n")


def states(told: list[SessionEvent], state: State) -> list[StateChanged]:
    return [event for event in told if isinstance(event, StateChanged) and event.state is state]


async def come_to(state: State, told: list[SessionEvent]) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not states(told, state):
                await asyncio.sleep(0.02)
    except TimeoutError:
        changes = [(event.state, event.reason) for event in told if isinstance(event, StateChanged)]
        raise AssertionError(f"not {state}, but {changes}") from None
