"""What is really so in a scenario: its leaks, for scores and pictures. Never shown to whom is scored."""

from dataclasses import dataclass

from sim.plant.leaks import PlantLeak, declared_leaks
from sim.scenario.leaks import LeakTable
from sim.scenario.scenario import ScenarioTable
from sim.world.leak.hole import Hole
from sim.world.leak.leak import effective_area_m2, equivalent_diameter_m
from sim.world.leak.schedule import Opening


@dataclass(frozen=True, slots=True)
class TrueLeak:
    """One leak as it really is, fully open and at the scenario's starting pressure; times in scenario seconds.

    Args:
        name: as in the scenario.
        compartment: where it is.
        position_m: place in the site's frame.
        diameter_m: diameter of the sharp round hole (discharge coefficient 0.85) that lets out as much; a drilled
            hole's own.
        effective_area_m2: area of the ideal nozzle that lets out as much.
        mass_flow_kg_s: outflow.
        opens_at_s: when it begins to open.
        sealed_at_s: when somebody begins to seal it; None for never.
        kind: hole, ragged, crack or seal.
        reynolds: of its largest jet; below 2000 or so it cannot be heard.
        level_db: sound inside without the draw of `level_spread_db`, dB re 20 uPa at 1 m in 20 to 100 kHz.
        opening: share of it that is open over time.
    """

    name: str
    compartment: str
    position_m: tuple[float, float, float]
    diameter_m: float
    effective_area_m2: float
    mass_flow_kg_s: float
    opens_at_s: float
    sealed_at_s: float | None
    kind: str
    reynolds: float
    level_db: float
    opening: Opening


def true_leaks(scenario: ScenarioTable) -> tuple[TrueLeak, ...]:
    """The leaks of `scenario` in the order of its file."""
    gas = scenario.air.pressure_pa, scenario.air.temperature_k
    return tuple(
        _true_leak(table, leak, *gas) for table, leak in zip(scenario.leaks, declared_leaks(scenario), strict=True)
    )


def _true_leak(table: LeakTable, placed: PlantLeak, pressure_pa: float, temperature_k: float) -> TrueLeak:
    leak, gas = placed.leak, (pressure_pa, temperature_k)
    return TrueLeak(
        name=placed.name,
        compartment=placed.compartment,
        position_m=placed.position_m,
        diameter_m=leak.diameter_m if isinstance(leak, Hole) else equivalent_diameter_m(leak, *gas),
        effective_area_m2=effective_area_m2(leak, *gas),
        mass_flow_kg_s=leak.mass_flow_kg_s(*gas),
        opens_at_s=table.opens_at_s,
        sealed_at_s=table.sealed_at_s,
        kind=table.kind,
        reynolds=leak.reynolds(*gas),
        level_db=leak.inward_level_db(*gas),
        opening=placed.opening,
    )
