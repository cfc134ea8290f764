"""A siren node whose controller is gone sounds by itself, and obeys the next controller: twin and C firmware."""

import asyncio

import pytest

from controller import embedded
from firmware_bridge.links.memory import MemoryPort
from firmware_bridge.wire.commands import SirenPattern
from sim.attach.cable import CableLine
from sim.attach.image.nodes import TWIN, programs
from sim.attach.rig import Rig, render_inline
from sim.node.firmware import HOST_LOST_NS
from sim.node.program import ProgramMaker
from sim.plant.plant import Plant
from sim.virtual_time import run_virtual
from tests.support.firmware import built
from tests.support.shipped import shipped

SCENARIO = "bench-box"  # nothing happens in its first minute, and no controller listens to what comes then
HOST_LOST_S = HOST_LOST_NS / 1e9
SETTLED_S, AFTER_S = 55.0, 12.0  # it tells the siren to be silent once it has learned what quiet is like
# A ping leaves every 0.98 s: the node heard its last up to that long before the end.
PING_S = 1.0


@pytest.mark.parametrize("nodes", [TWIN, "native"])
def test_a_controller_that_is_killed_is_an_alarm_until_the_next_one_speaks(nodes: str) -> None:
    if nodes != TWIN:
        built(nodes)
    with programs(nodes) as program:
        log = run_virtual(course(program))
    assert [pattern for _, pattern in log] == [SirenPattern.CAUTION, SirenPattern.SILENT]
    (alone_s, _), (heard_s, _) = log
    assert SETTLED_S + HOST_LOST_S - PING_S - 0.5 < alone_s < SETTLED_S + HOST_LOST_S + 0.5
    again_s = SETTLED_S + HOST_LOST_S + AFTER_S
    assert again_s <= heard_s < again_s + 1.0  # its first HELLO, half a second at most after it opened the line


async def course(program: ProgramMaker) -> list[tuple[float, SirenPattern]]:
    """A controller until all is quiet, none for a while, then another one; what the siren played when."""
    scenario, site = shipped(SCENARIO)
    plant = Plant(scenario, site, 1, program)
    ports = {node: MemoryPort(f"memory:{node}") for node in scenario.links}
    world = asyncio.create_task(Rig(plant, {n: CableLine(p) for n, p in ports.items()}, render_inline).run())
    for lives_s, then_s in ((SETTLED_S, HOST_LOST_S + AFTER_S), (5.0, 0.0)):
        controller = asyncio.create_task(embedded.run(site, tuple(ports.values()), lambda line: None))
        await asyncio.sleep(lives_s)
        assert not controller.done()
        controller.cancel()  # it tells its nodes nothing on its way out, as if it were killed
        await asyncio.gather(controller, return_exceptions=True)
        await asyncio.sleep(then_s)
    world.cancel()
    await asyncio.gather(world, return_exceptions=True)
    return [(at_s, pattern) for at_s, _, pattern in plant.siren_log]
