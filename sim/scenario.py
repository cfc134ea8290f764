"""A declared fiction: what leaks, sounds, drifts and fails in which site, from one seed. What it does: plant."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from firmware_bridge.declared import Declared, load_declared
from firmware_bridge.errors import DeclaredFileError
from firmware_bridge.site.schema import Name, Position
from firmware_bridge.site.survey import Site, load_site

OFF_HULL_M = 0.01
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=1e8)]


class AirTable(Declared):
    """The air at the start."""

    pressure_hpa: Annotated[float, Field(ge=100, le=2000)]
    temperature_c: Annotated[float, Field(ge=-50, le=80)]
    relative_humidity: Share


class AcousticsTable(Declared):
    """How the room answers."""

    reflections: Annotated[int, Field(ge=0, le=4)] = 2
    wall_reflection: Share = 0.6


class WeatherTable(Declared):
    """What all pressure and temperature sensors of a volume see in common, leak or not."""

    slope_rms_pa_h: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    slope_correlation_s: Annotated[float, Field(gt=0, le=1e7)] = 900.0
    temperature_rms_k: Annotated[float, Field(ge=0, le=20)] = 0.0
    temperature_correlation_s: Annotated[float, Field(gt=0, le=1e7)] = 3600.0


class LeakTable(Declared):
    """A drilled hole that opens at a given time."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    compartment: Name
    position_m: Position
    diameter_mm: Annotated[float, Field(gt=0, le=500)]
    discharge_coefficient: Annotated[float, Field(gt=0, le=1)] = 0.85
    opens_at_s: Seconds
    sealed_at_s: Seconds | None = None
    level_spread_db: Annotated[float, Field(ge=0, le=20)] = 0.0


class MachineTable(Declared):
    """A fan, pump or converter that sounds all the time, in every listened compartment where none is named."""

    compartment: Name | None = None
    name: Annotated[str, Field(min_length=1, max_length=60)]
    position_m: Position
    level_db_at_20khz: Annotated[float, Field(ge=-50, le=120)]
    lines_khz_db: tuple[tuple[Annotated[float, Field(gt=0, le=500)], float], ...] = ()


class SurveyErrorTable(Declared):
    """How far the true rig is from its site file, one standard deviation."""

    microphone_sigma_m: Annotated[float, Field(ge=0, le=1)] = 0.0


class ArraysTable(Declared):
    """The ultrasonic front ends."""

    bits: Annotated[int, Field(ge=8, le=16)] = 14
    full_scale_pa: Annotated[float, Field(gt=0, le=2000)] = 20.0
    self_noise_db: Annotated[float, Field(ge=-20, le=100)] = 37.0
    sensitivity_spread_db: Annotated[float, Field(ge=0, le=10)] = 0.0
    burst_rate_khz: Annotated[float, Field(ge=64, le=500)] = 192.0
    trigger_jitter_ns: Annotated[float, Field(ge=0, le=1e6)] = 0.0


class BarometersTable(Declared):
    """The slow sensors."""

    noise_pa: Annotated[float, Field(ge=0, le=1000)] = 0.0
    bias_spread_pa: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    temperature_noise_k: Annotated[float, Field(ge=0, le=10)] = 0.0
    temperature_bias_spread_k: Annotated[float, Field(ge=0, le=10)] = 0.0


class ClocksTable(Declared):
    """The nodes' crystals."""

    drift_spread_ppm: Annotated[float, Field(ge=0, le=200)] = 0.0


class FaultTable(Declared):
    """Something that fails for a while: `off` unplugs the node, `garbage` damages a share of what it sends."""

    node: Name
    kind: Literal["off", "garbage"]
    from_s: Seconds
    until_s: Seconds
    share: Share = 0.1


class ScenarioTable(Declared):
    """A whole scenario file."""

    format: Literal[1]
    name: Name
    title: str = ""
    site: Name
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 1
    duration_s: Annotated[float, Field(gt=0, le=1e8)]
    air: AirTable
    acoustics: AcousticsTable = AcousticsTable()
    weather: WeatherTable = WeatherTable()
    leaks: Annotated[tuple[LeakTable, ...], Field(max_length=16)] = ()
    machines: Annotated[tuple[MachineTable, ...], Field(max_length=64)] = ()
    survey_error: SurveyErrorTable = SurveyErrorTable()
    arrays: ArraysTable = ArraysTable()
    barometers: BarometersTable = BarometersTable()
    clocks: ClocksTable = ClocksTable()
    links: dict[Name, Literal["serial", "mqtt"]]
    faults: Annotated[tuple[FaultTable, ...], Field(max_length=256)] = ()


def load_scenario(path: Path, sites: Path) -> tuple[ScenarioTable, Site]:
    """Read a scenario and the site that it plays in (`sites`/NAME.toml), and check one against the other.

    Raises:
        DeclaredFileError: either file is missing, malformed, or the scenario names what the site does not have.
    """
    scenario = load_declared(path, ScenarioTable)
    site = load_site(sites / f"{scenario.site}.toml")
    problems = _contradictions(scenario, site)
    if problems:
        raise DeclaredFileError(f"{path} does not fit site {site.name!r}", remedy="\n  " + "\n  ".join(problems))
    return scenario, site


def list_scenarios(folder: Path) -> list[tuple[str, str]]:
    """Name and title of every scenario file in `folder`."""
    tables = [load_declared(path, ScenarioTable) for path in sorted(folder.glob("*.toml"))]
    return [(table.name, table.title) for table in tables]


def _contradictions(scenario: ScenarioTable, site: Site) -> list[str]:
    nodes = [node.name for node in site.nodes]
    rooms = [room.name for room in site.compartments]
    return [
        *_unknown("links", scenario.links, nodes, "node"),
        *_unknown("faults[].node", [fault.node for fault in scenario.faults], nodes, "node"),
        *_unknown("leaks[].compartment", [leak.compartment for leak in scenario.leaks], rooms, "compartment"),
        *_unknown("machines[].compartment", [m.compartment for m in scenario.machines if m.compartment], rooms, "room"),
        *_leak_problems(scenario, site),
        *(
            f"faults[{i}]: until_s {fault.until_s:g} is not after from_s {fault.from_s:g}"
            for i, fault in enumerate(scenario.faults)
            if fault.until_s <= fault.from_s
        ),
    ]


def _leak_problems(scenario: ScenarioTable, site: Site) -> list[str]:
    problems = []
    rooms = {room.name: room for room in site.compartments}
    for i, leak in enumerate(scenario.leaks):
        if leak.sealed_at_s is not None and leak.sealed_at_s <= leak.opens_at_s:
            problems.append(f"leaks[{i}].sealed_at_s: {leak.sealed_at_s:g} is not after opens_at_s {leak.opens_at_s:g}")
        hull = rooms[leak.compartment].hull if leak.compartment in rooms else None
        if hull is None:
            continue
        away_m = abs(float(hull.signed_distance_m(np.array([leak.position_m]))[0]))
        if away_m > OFF_HULL_M:
            problems.append(
                f"leaks[{i}].position_m: {away_m:.3f} m off the hull of {leak.compartment!r}; leaks sit on it"
            )
    return problems


def _unknown(key: str, asked: Iterable[str], known: Sequence[str], what: str) -> list[str]:
    return [f"{key}: the site has no {what} {name!r}; it has {', '.join(known)}" for name in asked if name not in known]
