"""One scenario with one controller in one process and in virtual time: as fast as may be, the same each time."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from firmware_bridge.links.memory import MemoryPort
from firmware_bridge.site.survey import Site
from sim.attach.cable import CableLine
from sim.attach.rig import Rig, render_inline
from sim.heard import Heard, heard
from sim.plant.plant import Plant
from sim.run_record import MAX_HEARD, PressureTrace, RunRecord, judged, watched_compartment
from sim.scenario.scenario import ScenarioTable
from sim.subject import Subject
from sim.virtual_time import run_virtual

LOOK_S = 1.0  # scenario seconds between looks at truth and progress
MOST_CANCELS = 100  # of a task that will not end: then it is left to the loop, which ends with the trial


@dataclass(frozen=True, slots=True)
class TrialSettings:
    """How a trial is run.

    Args:
        seed: of the world.
        settings: tables that replace the controller's defaults.
        on_line: gets every event's JSON line as it comes.
        on_progress: gets the scenario time, once a scenario second.
    """

    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    on_line: Callable[[float, bytes], None] = lambda _at_s, _line: None
    on_progress: Callable[[float], None] = lambda _at_s: None


def run_trial(scenario: ScenarioTable, site: Site, subject: Subject, settings: TrialSettings) -> RunRecord:
    """Run `scenario` to its end against `subject` and judge it.

    Raises:
        BridgeError: the controller refused its settings or the site, or a node's line cannot be.
    """
    return run_virtual(_trial(scenario, site, subject, settings))


async def _trial(scenario: ScenarioTable, site: Site, subject: Subject, settings: TrialSettings) -> RunRecord:
    plant = Plant(scenario, site, settings.seed)
    ports = {node: MemoryPort(f"memory:{node}") for node in scenario.links}
    rig = Rig(plant, {node: CableLine(port) for node, port in ports.items()}, render_inline)
    events: list[Heard] = []
    trace = PressureTrace()
    compartment = watched_compartment(scenario, site)

    def hear(line: bytes) -> None:
        settings.on_line(rig.now_s, line)
        if len(events) < MAX_HEARD:
            events.append(heard(round(rig.now_s, 2), _parsed(line)))

    tasks = [
        asyncio.create_task(rig.run(), name="rig"),
        asyncio.ensure_future(subject(site, tuple(ports.values()), hear, settings.settings)),
    ]
    try:
        while rig.now_s < scenario.duration_s:
            await asyncio.wait(tasks, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
                    raise RuntimeError("rig or controller ended without a word")
            trace.add(rig.now_s, plant.gas.felt(compartment)[0])
            settings.on_progress(rig.now_s)
    finally:
        for task in reversed(tasks):
            await _ended(task)
    return judged(scenario, site, plant, events, trace, seed=settings.seed, speed=None)


async def _ended(task: asyncio.Future[None]) -> None:
    """Cancel `task` and wait for its end; one that swallows that, as a task group may, is asked again.

    What it raises meanwhile is not told: why the trial ends is known already.
    """
    for _ in range(MOST_CANCELS):
        task.cancel()
        await asyncio.wait([task], timeout=LOOK_S)
        if task.done():
            break
    if task.done() and not task.cancelled():
        task.exception()


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ValueError(f"the controller on trial said what is no JSON object: {line[:80]!r}")  # noqa: TRY004
    return said
