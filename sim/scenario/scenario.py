"""A whole scenario file: its tables, and whether they fit the site that they name."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from firmware_bridge.declared import Declared, load_declared, parse_declared, read_tables
from firmware_bridge.errors import DeclaredFileError
from firmware_bridge.site.schema import Name
from firmware_bridge.site.survey import Site, load_site
from sim.scenario.expect import ExpectTable, SmallTable
from sim.scenario.faults import FaultTable
from sim.scenario.gas import MAX_EVENTS, AirTable, CabinTable, EventTable, gas_problems
from sim.scenario.leaks import LeakTable
from sim.scenario.nodes import (
    ArraysTable,
    BarometersTable,
    ClocksTable,
    ContactsTable,
    GasSensorsTable,
    LinesTable,
    StreamsTable,
    SurveyErrorTable,
)
from sim.scenario.sound import AcousticsTable, BurstTable, MachineTable, RackTable
from sim.scenario.structure import StructureTable
from sim.scenario.weather import WeatherTable

OFF_HULL_M = 0.01


class ScenarioTable(Declared):
    """A whole scenario file."""

    format: Literal[1]
    name: Name
    title: str = ""
    site: Name
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 1
    duration_s: Annotated[float, Field(gt=0, le=1e8)]
    air: AirTable
    cabin: CabinTable = CabinTable()
    acoustics: AcousticsTable = AcousticsTable()
    structure: StructureTable | None = None
    weather: WeatherTable = WeatherTable()
    leaks: Annotated[tuple[LeakTable, ...], Field(max_length=16)] = ()
    machines: Annotated[tuple[MachineTable, ...], Field(max_length=64)] = ()
    bursts: Annotated[tuple[BurstTable, ...], Field(max_length=64)] = ()
    racks: Annotated[tuple[RackTable, ...], Field(max_length=64)] = ()
    survey_error: SurveyErrorTable = SurveyErrorTable()
    arrays: ArraysTable = ArraysTable()
    barometers: BarometersTable = BarometersTable()
    contacts: ContactsTable = ContactsTable()
    gas_sensors: GasSensorsTable = GasSensorsTable()
    clocks: ClocksTable = ClocksTable()
    lines: LinesTable = LinesTable()
    streams: StreamsTable = StreamsTable()
    links: dict[Name, Literal["serial", "mqtt"]]
    faults: Annotated[tuple[FaultTable, ...], Field(max_length=256)] = ()
    events: Annotated[tuple[EventTable, ...], Field(max_length=MAX_EVENTS)] = ()
    expect: ExpectTable | None = None
    small: SmallTable | None = None

    def cut_short(self) -> "ScenarioTable":
        """The scenario at its small size; itself where it has none."""
        if self.small is None:
            return self
        expect = self.small.expect or self.expect
        return self.model_copy(update={"duration_s": self.small.duration_s, "expect": expect, "small": None})


def load_scenario(path: Path, sites: Path) -> tuple[ScenarioTable, Site]:
    """Read a scenario and the site that it plays in (`sites`/NAME.toml), and check one against the other.

    Raises:
        DeclaredFileError: either file is missing, malformed, or the scenario names what the site does not have.
        SiteError: the site contradicts itself.
    """
    scenario = parse_declared(read_tables(path), str(path), ScenarioTable)
    where = sites / f"{scenario.site}.toml"
    if not where.exists():
        known = ", ".join(known.stem for known in sorted(sites.glob("*.toml")))
        raise DeclaredFileError(f"{path}: site: no site {scenario.site!r} in {sites}", remedy=f"there are {known}")
    site = load_site(where)
    check_fit(scenario, site, str(path))
    return scenario, site


def check_fit(scenario: ScenarioTable, site: Site, source: str) -> None:
    """Raise DeclaredFileError where `scenario` names what `site` does not have; `source` is named in the message."""
    problems = _contradictions(scenario, site)
    if problems:
        raise DeclaredFileError(f"{source} does not fit site {site.name!r}", remedy="\n  " + "\n  ".join(problems))


def list_scenarios(folder: Path) -> list[tuple[str, str]]:
    """Name and title of every scenario file in `folder`."""
    tables = [load_declared(path, ScenarioTable) for path in sorted(folder.glob("*.toml"))]
    return [(table.name, table.title) for table in tables]


def _contradictions(scenario: ScenarioTable, site: Site) -> list[str]:
    nodes = [node.name for node in site.nodes]
    rooms = [room.name for room in site.compartments]
    return [
        *_unknown([(f"links.{name}", name) for name in scenario.links], nodes, "node"),
        *_unknown(_failing(scenario, "node", "link"), nodes, "node"),
        *_unknown(_failing(scenario, "sensor"), _sensors(site), "sensor"),
        *_unknown(_placed("leaks", scenario.leaks), rooms, "compartment"),
        *_unknown(_placed("machines", scenario.machines), rooms, "compartment"),
        *_unknown(_placed("bursts", scenario.bursts), rooms, "compartment"),
        *_unknown(_placed("racks", scenario.racks), rooms, "compartment"),
        *gas_problems(scenario.cabin, scenario.events, rooms, [h.name for h in site.hatches], _machines(scenario)),
        *_twice("leaks", [(leak.name, leak.compartment) for leak in scenario.leaks]),
        *_twice("machines", [(machine.name, machine.compartment) for machine in scenario.machines]),
        *_twice("bursts", [(burst.name, burst.compartment) for burst in scenario.bursts]),
        *_leak_problems(scenario, site),
        *_too_late(scenario),
        *(
            f"faults[{i}]: until_s {fault.until_s:g} is not after from_s {fault.from_s:g}"
            for i, fault in enumerate(scenario.faults)
            if fault.until_s <= fault.from_s
        ),
    ]


def _machines(scenario: ScenarioTable) -> list[str]:
    """Names by which machines can be switched."""
    return [name for machine in scenario.machines for name in (machine.name, machine.switch) if name]


def _failing(scenario: ScenarioTable, *where: str) -> list[tuple[str, str]]:
    """Key and name of what fails."""
    return [
        (f"faults[{i}].{f'target.{fault.where}' if fault.target else 'node'}", fault.name)
        for i, fault in enumerate(scenario.faults)
        if fault.where in where
    ]


def _placed(key: str, tables: Iterable[LeakTable | MachineTable | BurstTable | RackTable]) -> list[tuple[str, str]]:
    """Key and name of the compartments that tables name; some need name none."""
    return [(f"{key}[{i}].compartment", one.compartment) for i, one in enumerate(tables) if one.compartment]


def _sensors(site: Site) -> list[str]:
    return [sensor.name for node in site.nodes for sensor in node.sensors]


def _leak_problems(scenario: ScenarioTable, site: Site) -> list[str]:
    problems = []
    rooms = {room.name: room for room in site.compartments}
    for i, leak in enumerate(scenario.leaks):
        if leak.sealed_at_s is not None and leak.sealed_at_s <= leak.opens_at_s:
            problems.append(f"leaks[{i}].sealed_at_s: {leak.sealed_at_s:g} is not after opens_at_s {leak.opens_at_s:g}")
        hull = rooms[leak.compartment].hull if leak.compartment in rooms else None
        if hull is None:
            continue
        placed = np.array([leak.position_m])
        away_m = abs(float(hull.signed_distance_m(placed)[0]))
        if away_m > OFF_HULL_M:
            nearest = ", ".join(f"{part:.5f}" for part in hull.project(placed)[0])
            problems.append(
                f"leaks[{i}].position_m: {away_m:.3f} m off the hull of {leak.compartment!r}; leaks sit on it, "
                f"the nearest place is [{nearest}]"
            )
    return problems


def _too_late(scenario: ScenarioTable) -> list[str]:
    """Leaks that open when all is over, where a fix is asked for: that scenario cannot go as expected."""
    wanted = scenario.expect or ExpectTable()
    if wanted.fix != "right":
        return []
    return [
        f"leaks[{i}].opens_at_s: {leak.opens_at_s:g} is not before the end, duration_s {scenario.duration_s:g}, and "
        '[expect] wants a fix; let it open earlier, or say fix = "any" or "none"'
        for i, leak in enumerate(scenario.leaks)
        if leak.opens_at_s >= scenario.duration_s
    ]


def _twice(key: str, placed: Sequence[tuple[str, str | None]]) -> list[str]:
    """Names that two things of one kind in one compartment share: they would share their noise. None is every one."""
    shared = {
        name
        for (name, room), (other, elsewhere) in combinations(placed, 2)
        if name == other and (room == elsewhere or None in {room, elsewhere})
    }
    return [f"{key}: {name!r} is named twice in one compartment" for name in sorted(shared)]


def _unknown(asked: Iterable[tuple[str, str]], known: Sequence[str], what: str) -> list[str]:
    """What is wrong with names, each beside its key."""
    has = ", ".join(known)
    return [f"{key}: the site has no {what} {name!r}; it has {has}" for key, name in asked if name not in known]
