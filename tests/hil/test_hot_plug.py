"""A node process that is killed and started again on the same line: the bridge takes it back, each time, by its UID."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import numpy as np
import pytest

from firmware_bridge.bridge import Bridge
from firmware_bridge.links.uart import UartPort
from firmware_bridge.session.conversation import Settings
from firmware_bridge.session.events import SessionEvent, StateChanged
from firmware_bridge.session.exchange import Exchange
from firmware_bridge.session.states import State
from tests.support.firmware import built
from tests.support.sites import small_site

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("no_task_left")]
NODE_A = "a1"
TIMES = 4
PATIENCE_S = 20.0


@contextmanager
def running(leaknode: Path, name: Path) -> Iterator["Popen[bytes]"]:
    process = Popen([leaknode, "--pty", name, "--uid", NODE_A])
    try:
        yield process
    finally:
        process.kill()  # as a power cut does: it says no farewell, and its terminal is gone
        process.wait()


async def test_a_node_that_dies_is_taken_back_each_time(tmp_path: Path) -> None:
    leaknode = built("native") / "leaknode"
    told: list[SessionEvent] = []
    port = UartPort(str(tmp_path / "node"), 921_600)
    exchange = Exchange(small_site(), (port.name,), Settings(sample_period_ms=50))
    bridge = Bridge(exchange, (port,), told.append, np.random.default_rng(1))
    supervised = asyncio.create_task(bridge.run())
    boots = set()
    for _ in range(TIMES):
        told.clear()
        with running(leaknode, tmp_path / "node"):
            async with asyncio.timeout(PATIENCE_S):
                while not any(isinstance(event, StateChanged) and event.state is State.STREAMING for event in told):
                    await asyncio.sleep(0.02)
            known = [event for event in told if isinstance(event, StateChanged) and event.identity is not None]
            boots |= {event.identity.boot_id for event in known if event.identity is not None}
        async with asyncio.timeout(PATIENCE_S):
            while not any(isinstance(event, StateChanged) and event.state is State.LOST for event in told):
                await asyncio.sleep(0.02)
    assert not supervised.done()
    assert len(boots) == TIMES
    supervised.cancel()
    await asyncio.wait([supervised])
