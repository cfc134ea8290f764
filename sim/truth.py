"""What is really so in a scenario: the leaks, for scoring. Never shown to whom is scored."""

from dataclasses import dataclass

from firmware_bridge.units import celsius_to_kelvin
from sim.scenario.scenario import ScenarioTable
from sim.world.leak.hole import Hole


@dataclass(frozen=True, slots=True)
class TrueLeak:
    """One leak as it really is; times in scenario seconds, flow at the scenario's starting pressure."""

    name: str
    compartment: str
    position_m: tuple[float, float, float]
    diameter_m: float
    effective_area_m2: float
    mass_flow_kg_s: float
    opens_at_s: float
    sealed_at_s: float | None


def true_leaks(scenario: ScenarioTable) -> tuple[TrueLeak, ...]:
    """The leaks of `scenario` in the order of its file."""
    pressure_pa = scenario.air.pressure_hpa * 100.0
    temperature_k = celsius_to_kelvin(scenario.air.temperature_c)
    leaks = []
    for leak in scenario.leaks:
        hole = Hole(leak.diameter_mm / 1000.0, leak.discharge_coefficient)
        leaks.append(
            TrueLeak(
                name=leak.name,
                compartment=leak.compartment,
                position_m=leak.position_m,
                diameter_m=hole.diameter_m,
                effective_area_m2=hole.effective_area_m2,
                mass_flow_kg_s=hole.mass_flow_kg_s(pressure_pa, temperature_k),
                opens_at_s=leak.opens_at_s,
                sealed_at_s=leak.sealed_at_s,
            )
        )
    return tuple(leaks)
