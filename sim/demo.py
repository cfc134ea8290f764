"""The main job on show: rig, broker and controller started, watched against the truth, ended, reported."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from firmware_bridge.site.survey import Site
from sim.attach.image.nodes import TWIN, programs
from sim.attach.plug_in import alone_in, controller_file, lines, plugs, write_controller_file
from sim.attach.rig import Rig, render_in_thread
from sim.broker import PrivateBroker
from sim.controller_process import ControllerProcess
from sim.errors import BrokerError, SubjectError
from sim.heard import Heard, heard
from sim.plant.plant import Plant
from sim.run_record import FELL_BEHIND_S, PressureTrace, RunRecord, has_siren, judged, slower, watched_compartment
from sim.scenario.scenario import ScenarioTable
from sim.score import complete

WATCH_S = 1.0  # scenario seconds between looks at the truth
AFTERGLOW_S = 10.0  # scenario seconds to go on once everything has happened, so that the view can be read


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What the command line chose."""

    site_file: Path
    seed: int
    speed: float
    out: Path
    as_json: bool
    view: bool
    nodes: str = TWIN


@dataclass(slots=True)
class _Watch:
    """What has been seen so far."""

    heard: list[Heard] = field(default_factory=list)
    pressure: PressureTrace = field(default_factory=PressureTrace)


async def run_demo(
    scenario: ScenarioTable,
    site: Site,
    settings: DemoSettings,
    say: Callable[[str], None],
    warn: Callable[[str], None] = lambda _line: None,
) -> RunRecord:
    """Run `scenario` to its end; `say` gets lines for people (or JSON lines, as the settings say), `warn` warnings.

    Raises:
        SubjectError: the controller ended by itself.
        FolderError: another demo writes to the same folder.
        NodeImageError: the nodes' image was not built, or ended.
    """
    watch = _Watch()
    async with AsyncExitStack() as stack:
        plant = Plant(scenario, site, settings.seed, stack.enter_context(programs(settings.nodes)))
        stack.enter_context(alone_in(settings.out, "--out"))
        _forget(settings.out / "journal")
        # What only this run needs lives apart from the user's files, and goes with the run.
        own = Path(stack.enter_context(TemporaryDirectory(prefix="leaksim-")))
        broker = await _broker(settings, own, stack, say)
        where = plugs(scenario, site, own / "ports")
        configuration = own / "controller.toml"
        write_controller_file(configuration, controller_file(where, settings.site_file, broker))
        rig = Rig(plant, lines(where, broker), render_in_thread)

        def hear(event: Mapping[str, Any], line: str) -> None:
            watch.heard.append(heard(round(rig.now_s, 2), event))
            if settings.as_json:
                say(line)

        controller = ControllerProcess(hear)
        stack.push_async_callback(controller.stop)
        tasks = [
            asyncio.create_task(rig.run(), name="rig"),
            asyncio.create_task(
                controller.run(
                    configuration,
                    settings.out / "journal",
                    time_scale=settings.speed,
                    view=settings.view,
                    narrate=not settings.as_json,
                )
            ),
            asyncio.create_task(_until_shown(scenario, site, plant, rig, watch), name="watch"),
            asyncio.create_task(_told_of_lag(rig, settings.speed, warn), name="lag"),
        ]
        stack.push_async_callback(_end, tasks[0])
        stack.push_async_callback(_end, tasks[2])
        stack.push_async_callback(_end, tasks[3])
        await asyncio.wait(tasks[:3], return_when=asyncio.FIRST_COMPLETED)
        if tasks[0].done():
            tasks[0].result()
        if not tasks[2].done():
            raise SubjectError("the controller ended by itself", remedy="its message stands above; try leakctl run")
        await controller.stop()
        await tasks[1]
    return judged(
        scenario,
        site,
        plant,
        watch.heard,
        watch.pressure,
        seed=settings.seed,
        speed=settings.speed,
        worst_lag_s=rig.worst_lag_s,
    )


def _forget(journal: Path) -> None:
    """A demo's world begins anew: alarms that stood at the end of the last one are none of it."""
    for old in journal.glob("*.json*"):
        old.unlink(missing_ok=True)


async def _broker(
    settings: DemoSettings, folder: Path, stack: AsyncExitStack, say: Callable[[str], None]
) -> tuple[str, int] | None:
    broker = PrivateBroker(folder)
    stack.push_async_callback(broker.stop)
    try:
        await broker.start()
    except BrokerError as error:
        say(_line(settings, "note", f"MQTT part off: {error}"))
        return None
    listen = f"mosquitto_sub -h {broker.host} -p {broker.port} -v -t 'leakloc/+/#' -T 'leakloc/+/node/#'"
    say(_line(settings, "broker", f"listen along: {Path(sys.executable).parent}/{listen}"))
    return broker.host, broker.port


async def _until_shown(scenario: ScenarioTable, site: Site, plant: Plant, rig: Rig, watch: _Watch) -> None:
    """Returns when everything has happened, or the scenario is over."""
    compartment = watched_compartment(scenario, site)
    shown_at_s: float | None = None
    while rig.now_s < scenario.duration_s and (shown_at_s is None or rig.now_s < shown_at_s + AFTERGLOW_S):
        await asyncio.sleep(WATCH_S)
        watch.pressure.add(rig.now_s, plant.gas.felt(compartment)[0])
        if shown_at_s is None and complete(watch.heard, plant.siren_log, siren_expected=has_siren(scenario, site)):
            shown_at_s = rig.now_s


async def _told_of_lag(rig: Rig, speed: float, warn: Callable[[str], None]) -> None:
    """Say it once, as soon as the machine falls behind."""
    while True:
        await asyncio.sleep(WATCH_S)
        if rig.worst_lag_s >= FELL_BEHIND_S:
            break
    told = f"this machine cannot keep up with --speed {speed:g}; lost frames are its doing"
    warn(f"{told}: try --speed {slower(speed):g}")


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _line(settings: DemoSettings, kind: str, text: str) -> str:
    return json.dumps({"kind": kind, "text": text}) if settings.as_json else text
