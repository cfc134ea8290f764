"""What is really so in a scenario: its leaks, for the plant and for scoring. Never shown to whom is scored."""

from dataclasses import dataclass

from firmware_bridge.units import celsius_to_kelvin
from sim.scenario.leaks import CrackTable, HoleTable, LeakTable, RaggedTable
from sim.scenario.scenario import ScenarioTable
from sim.world.leak.crack import Crack
from sim.world.leak.hole import Hole
from sim.world.leak.jet import Loudness
from sim.world.leak.leak import Leak, effective_area_m2, equivalent_diameter_m
from sim.world.leak.ragged import RaggedHole
from sim.world.leak.schedule import Change, Opening
from sim.world.leak.seal import Seal


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
    return tuple(_true_leak(table, scenario) for table in scenario.leaks)


def leak_of(table: LeakTable, level_offset_db: float = 0.0) -> Leak:
    """The leak that `table` declares, fully open, with `level_offset_db` (dB) added to its levels."""
    loudness = Loudness(table.efficiency, table.inward_share, level_offset_db, table.unsteadiness)
    if isinstance(table, HoleTable):
        return Hole(
            table.diameter_mm / 1e3,
            table.discharge_coefficient,
            loudness.acoustic_efficiency,
            loudness.inward_share,
            loudness.level_offset_db,
            loudness.unsteadiness,
        )
    if isinstance(table, RaggedTable):
        return RaggedHole(
            table.diameter_mm / 1e3,
            table.discharge_coefficient,
            table.covered_share,
            table.jets,
            table.jets_spread,
            loudness,
        )
    slot = Crack if isinstance(table, CrackTable) else Seal
    return slot(
        table.length_mm / 1e3, table.width_um / 1e6, table.depth_mm / 1e3, table.discharge_coefficient, loudness
    )


def opening_of(table: LeakTable) -> Opening:
    """When the leak of `table` is how far open."""
    changes = [Change(table.opens_at_s, table.opens_over_s, 1.0)]
    if table.sealed_at_s is not None:
        changes.append(Change(table.sealed_at_s, table.sealed_over_s, table.sealed_share))
    changes += [Change(later.at_s, later.over_s, later.share) for later in table.later]
    return Opening(tuple(changes))


def _true_leak(table: LeakTable, scenario: ScenarioTable) -> TrueLeak:
    leak = leak_of(table)
    gas = (scenario.air.pressure_hpa * 100.0, celsius_to_kelvin(scenario.air.temperature_c))
    return TrueLeak(
        name=table.name,
        compartment=table.compartment,
        position_m=table.position_m,
        diameter_m=leak.diameter_m if isinstance(leak, Hole) else equivalent_diameter_m(leak, *gas),
        effective_area_m2=effective_area_m2(leak, *gas),
        mass_flow_kg_s=leak.mass_flow_kg_s(*gas),
        opens_at_s=table.opens_at_s,
        sealed_at_s=table.sealed_at_s,
        kind=table.kind,
        reynolds=leak.reynolds(*gas),
        level_db=leak.inward_level_db(*gas),
        opening=opening_of(table),
    )
