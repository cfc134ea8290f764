"""The leaks of a scenario as the plant's gas, sound and structure use them: one draw of the doubt for all three.

What a leak does is `sim/world/leak`; what is told of it for scoring is `sim/truth.py`.
"""

from dataclasses import dataclass

import numpy as np

from sim.scenario.leaks import CrackTable, HoleTable, LeakTable, RaggedTable
from sim.scenario.scenario import ScenarioTable
from sim.world.leak.crack import Crack
from sim.world.leak.hole import Hole
from sim.world.leak.jet import Loudness
from sim.world.leak.leak import Leak
from sim.world.leak.ragged import RaggedHole
from sim.world.leak.schedule import Change, Opening
from sim.world.leak.seal import Seal


@dataclass(frozen=True, slots=True)
class PlantLeak:
    """A leak in its place.

    Args:
        name: unique in the scenario's sound.
        compartment: whose air it lets out.
        position_m: place in the site's frame, m.
        leak: what it is when fully open.
        opening: when it is how far open.
    """

    name: str
    compartment: str
    position_m: tuple[float, float, float]
    leak: Leak
    opening: Opening

    def at(self, at_s: float) -> Leak:
        """The leak as far as it is open at scenario time `at_s`."""
        return self.leak.opened(self.opening.share(at_s))


def declared_leaks(scenario: ScenarioTable) -> tuple[PlantLeak, ...]:
    """The leaks of `scenario` in the order of its file, as loud as it says."""
    return tuple(_plant_leak(table) for table in scenario.leaks)


def drawn_leaks(scenario: ScenarioTable, random: np.random.Generator) -> tuple[PlantLeak, ...]:
    """The same as loud as they are: each takes one normal number of `random` for its level."""
    return tuple(
        _plant_leak(table, table.level_spread_db * float(random.standard_normal())) for table in scenario.leaks
    )


def _plant_leak(table: LeakTable, level_offset_db: float = 0.0) -> PlantLeak:
    return PlantLeak(
        name=table.name,
        compartment=table.compartment,
        position_m=table.position_m,
        leak=_leak_of(table, level_offset_db),
        opening=_opening_of(table),
    )


def _leak_of(table: LeakTable, level_offset_db: float) -> Leak:
    """The leak that `table` declares, fully open, with `level_offset_db` (dB) added to its levels."""
    loudness = Loudness(table.efficiency, table.inward_share, level_offset_db, table.unsteadiness)
    if isinstance(table, HoleTable):
        return Hole(table.diameter_mm / 1e3, table.discharge_coefficient, loudness)
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


def _opening_of(table: LeakTable) -> Opening:
    """When the leak of `table` is how far open."""
    changes = [Change(table.opens_at_s, table.opens_over_s, 1.0)]
    if table.sealed_at_s is not None:
        changes.append(Change(table.sealed_at_s, table.sealed_over_s, table.sealed_share))
    changes += [Change(later.at_s, later.over_s, later.share) for later in table.later]
    return Opening(tuple(changes))
