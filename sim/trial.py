"""One scenario with one controller in one process and in virtual time: as fast as may be, the same each time."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from firmware_bridge.errors import BridgeError
from firmware_bridge.link import LinkPort
from firmware_bridge.links.memory import MemoryPort
from firmware_bridge.site.survey import Site
from sim.attach.cable import CableLine
from sim.attach.image.nodes import TWIN, programs
from sim.attach.rig import Rig, render_inline
from sim.errors import SubjectError
from sim.heard import Heard, heard
from sim.node.program import ProgramMaker
from sim.plant.plant import Plant
from sim.run_record import MAX_HEARD, PressureTrace, RunRecord, judged, watched_compartment
from sim.scenario.scenario import ScenarioTable
from sim.subject import DEFAULT, Subject, in_words
from sim.virtual_time import run_virtual

LOOK_S = 1.0  # scenario seconds between looks at truth and progress
MOST_CANCELS = 100  # of a task that will not end: then it is left to the loop, which ends with the trial


@dataclass(frozen=True, slots=True)
class TrialSettings:
    """How a trial is run.

    Args:
        seed: of the world.
        settings: tables that replace the controller's defaults.
        controller: what it is called in messages.
        nodes: what runs on the nodes: the twin, or which kind of firmware image.
        on_line: gets every event's JSON line as it comes.
        on_progress: gets the scenario time, once a scenario second.
    """

    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    controller: str = DEFAULT
    nodes: str = TWIN
    on_line: Callable[[float, bytes], None] = lambda _at_s, _line: None
    on_progress: Callable[[float], None] = lambda _at_s: None


def run_trial(scenario: ScenarioTable, site: Site, subject: Subject, settings: TrialSettings) -> RunRecord:
    """Run `scenario` to its end against `subject` and judge it.

    Raises:
        SubjectError: the controller cannot be called, ended, or said what is no JSON; its error is the cause.
        BridgeError: the controller refused its settings or the site, a node's line cannot be, or a node image is no
            good.
    """
    with programs(settings.nodes) as program:
        return run_virtual(_trial(scenario, site, subject, settings, program))


async def _trial(
    scenario: ScenarioTable, site: Site, subject: Subject, settings: TrialSettings, program: ProgramMaker
) -> RunRecord:
    plant = Plant(scenario, site, settings.seed, program)
    ports = {node: MemoryPort(f"memory:{node}") for node in scenario.links}
    rig = Rig(plant, {node: CableLine(port) for node, port in ports.items()}, render_inline)
    events: list[Heard] = []
    refused: list[SubjectError] = []
    trace = PressureTrace()
    compartment = watched_compartment(scenario, site)

    def hear(line: bytes) -> None:
        try:
            said = _parsed(line)
        except ValueError as error:
            # The controller may catch what it is told here, or be called by the loop: the trial ends all the same.
            told = f"controller {settings.controller!r} said no JSON object at {rig.now_s:.1f} s"
            refused.append(SubjectError(told, remedy=str(error)))
            raise refused[0] from None
        settings.on_line(rig.now_s, line)
        if len(events) < MAX_HEARD:
            events.append(heard(round(rig.now_s, 2), said))

    family = _Family()
    world = asyncio.create_task(rig.run(), name="rig")
    tasks: list[asyncio.Future[None]] = [world]
    try:
        tasks.append(family.start(subject, site, tuple(ports.values()), hear, settings))
        while rig.now_s < scenario.duration_s:
            await asyncio.wait(tasks, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            if world.done():
                world.result()
            if refused:
                raise refused[0]
            if tasks[1].done():
                raise _end_of(tasks[1], settings.controller, rig.now_s)
            trace.add(rig.now_s, plant.gas.felt(compartment)[0])
            settings.on_progress(rig.now_s)
    finally:
        # The controller first, and whatever it left running: whoever reads a cable that is cut under it complains.
        for task in (*tasks[1:], *family.left(), world):
            await _ended(task)
    return judged(scenario, site, plant, events, trace, seed=settings.seed, speed=None)


class _Family:
    """The controller's task and those that it starts, told from the rig's by the context that they inherit."""

    def __init__(self) -> None:
        """Watch the running loop's new tasks."""
        self._ours: ContextVar[bool] = ContextVar("of the controller on trial", default=False)
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        asyncio.get_running_loop().set_task_factory(self._made)  # type: ignore[arg-type]

    def start(
        self,
        subject: Subject,
        site: Site,
        ports: Sequence[LinkPort],
        hear: Callable[[bytes], None],
        settings: TrialSettings,
    ) -> "asyncio.Future[None]":
        """The controller, running; SubjectError where it cannot be called as it should be."""
        context = copy_context()
        context.run(self._ours.set, True)
        try:
            return context.run(asyncio.ensure_future, subject(site, ports, hear, settings.settings))
        except BridgeError:
            raise
        except Exception as error:
            told = f"controller {settings.controller!r} cannot be started: {in_words(error)}"
            raise SubjectError(told, remedy="it is async def run(site, ports, on_line, settings=None)") from error

    def left(self) -> list[asyncio.Task[Any]]:
        """What still runs."""
        return [task for task in self._tasks if not task.done()]

    def _made(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Context | None = None
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=loop, context=context)
        if (context or copy_context()).get(self._ours):
            self._tasks.add(task)
        return task


def _end_of(task: "asyncio.Future[None]", name: str, at_s: float) -> BridgeError:
    """Why the controller ended: its own word for people, or what it broke of."""
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if isinstance(error, BridgeError):
        return error
    if error is None:
        return SubjectError(f"controller {name!r} ended at {at_s:.1f} s", remedy="it is to run until it is cancelled")
    told = SubjectError(f"controller {name!r} ended at {at_s:.1f} s", remedy=in_words(error))
    told.__cause__ = error
    return told


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
    if not isinstance(line, bytes):
        raise ValueError(f"on_line takes bytes, not {type(line).__name__}")  # noqa: TRY004 - as all that is refused
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ValueError(f"one bytes object is one JSON object, not {line[:80]!r}")  # noqa: TRY004
    return said
