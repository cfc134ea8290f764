"""The leaks of a scenario as the plant's gas, sound and structure use them: one draw of the doubt for all three.

What a leak does is `sim/world/leak`; what is told of it for scoring is `sim/truth.py`.
"""

from dataclasses import dataclass

import numpy as np

from sim.scenario.scenario import ScenarioTable
from sim.truth import leak_of, opening_of
from sim.world.leak.leak import Leak
from sim.world.leak.schedule import Opening


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


def open_leaks(scenario: ScenarioTable, random: np.random.Generator) -> tuple[PlantLeak, ...]:
    """The leaks of `scenario` in the order of its file; each takes one normal number of `random` for its level."""
    return tuple(
        PlantLeak(
            name=table.name,
            compartment=table.compartment,
            position_m=table.position_m,
            leak=leak_of(table, table.level_spread_db * float(random.standard_normal())),
            opening=opening_of(table),
        )
        for table in scenario.leaks
    )
