"""A whole rig and a whole controller in one process and in virtual time, joined by memory cables."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from controller.app import App, inline
from controller.config import Configuration
from controller.declared import ControllerTable
from controller.evidence.keeping import Plan
from controller.journal.entries import AnyEntry, Entry, to_json
from controller.logbook import Observers
from controller.pipeline.picture import Picture
from firmware_bridge.declared import parse_declared, read_tables
from firmware_bridge.links.memory import MemoryPort
from firmware_bridge.links.recording import Settings as Recordings
from firmware_bridge.units import Quantity
from sim.attach.cable import CableLine
from sim.attach.rig import Rig, render_inline
from sim.heard import Heard, heard
from sim.plant.plant import Plant
from sim.scenario.scenario import ScenarioTable
from tests.support.shipped import CONFIGS, shipped

Kind = TypeVar("Kind", bound=Entry)


@dataclass
class Run:
    """What happened in a virtual run."""

    plant: Plant
    entries: list[tuple[float, AnyEntry]] = field(default_factory=list)
    picture: Picture | None = None

    @property
    def heard(self) -> list[Heard]:
        return [heard(at_s, msgspec.json.decode(to_json(entry))) for at_s, entry in self.entries]

    def of_kind(self, kind: type[Kind]) -> list[Kind]:
        return [entry for _, entry in self.entries if isinstance(entry, kind)]


def scenario(name: str = "ms09-2018", **changes: object) -> ScenarioTable:
    table, _ = shipped(name)
    return table.model_copy(update=changes)


def plan(table: ScenarioTable, declared: ControllerTable, compartment: str, settings: Recordings) -> Plan:
    """What `leakctl run --record` would ask for."""
    site = msgspec.json.encode(read_tables(CONFIGS / "sites" / f"{table.site}.toml"))
    return Plan(settings, site, declared.model_dump_json(exclude_none=True).encode(), compartment)


async def run_virtual_rig(
    table: ScenarioTable,
    duration_s: float,
    *,
    journal: Path | None = None,
    recording: Recordings | None = None,
    settings: Mapping[str, object] | None = None,
    during: Callable[[App, Run, float], None] | None = None,
) -> Run:
    """Run `table` for `duration_s`; `during` is called every virtual second."""
    _, site = shipped(table.name)
    raw = {"format": 1, "site": "-", "mqtt": {"enabled": False}, **(settings or {})}
    declared = parse_declared(raw, "test", ControllerTable)
    compartment = next(n.compartment for n in site.nodes if n.of_quantity(Quantity.ULTRASOUND))
    ports = {node: MemoryPort(f"memory:{node}") for node in table.links}
    plant = Plant(table, site)
    run = Run(plant)
    rig = Rig(
        plant,
        {node: CableLine(port) for node, port in ports.items()},
        render_inline,
    )

    def on_picture(picture: Picture, _: float) -> None:
        run.picture = picture

    app = App(
        Configuration(declared, site, compartment),
        tuple(ports.values()),
        None,
        journal,
        Observers(lambda entry: run.entries.append((rig.now_s, entry)), on_picture),
        runner=inline,
        recording=None if recording is None else plan(table, declared, compartment, recording),
    )
    tasks = [asyncio.create_task(rig.run()), asyncio.create_task(app.run())]
    for second in range(round(duration_s)):
        await asyncio.sleep(1.0)
        for task in tasks:
            if task.done():
                task.result()
        if during is not None:
            during(app, run, float(second))
    for task in reversed(tasks):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return run
