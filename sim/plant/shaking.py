"""The shaking hulls of a scenario: a field for each compartment and sample rate, felt by the true contact sensors.

How a table becomes a skin is `structure`, a leak a force `force_sources`; what a contact sensor makes of it `sim/node`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.errors import SiteError
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.survey import Node, Site
from firmware_bridge.units import Quantity
from sim.plant.force_sources import leak_forces
from sim.plant.leaks import PlantLeak
from sim.plant.place import rows_by_node
from sim.plant.seeds import FieldSeeds
from sim.plant.structure import structure_field
from sim.scenario.scenario import ScenarioTable
from sim.scenario.structure import StructureTable
from sim.world.structure.field import StructureField

FloatArray = NDArray[np.float64]


class Shaking:
    """What each node's contact sensors feel; safe to call from several threads.

    Only leaks shake the hull: machines are heard, not felt. Noise is coherent among nodes of one compartment and one
    sample rate, and with what microphones of that rate hear; at unlike rates it is drawn apart.
    """

    def __init__(
        self,
        scenario: ScenarioTable,
        site: Site,
        seed: np.random.SeedSequence,
        *,
        leaks: Sequence[PlantLeak],
        rates_hz: Mapping[str, float],
    ) -> None:
        """Draw survey errors and find all ways over the hulls.

        A contact sensor is off its surveyed place as a microphone is (`survey_error.microphone_sigma_m`: one crew,
        one tape), and then on the skin next to there. A scenario without [structure] has that table's defaults.

        Args:
            scenario: its air, skin and survey errors.
            site: where the sensors are.
            seed: that of the plant's `Sound`.
            leaks: those that the plant's sound has too.
            rates_hz: nominal samples a second of each node with contact sensors.

        Raises:
            SiteError: a compartment with contact sensors has no hull, or one that the structure table does not fit.
        """
        seeds = FieldSeeds(seed)
        random = np.random.default_rng(seeds.contacts)
        sigma_m = scenario.survey_error.microphone_sigma_m
        self.true_contacts_m: dict[str, FloatArray] = {}
        together: dict[tuple[str, float], list[Node]] = {}
        for node in site.nodes:
            surveyed = np.array([s.position_m for s in node.of_quantity(Quantity.SURFACE_VELOCITY)], dtype=float)
            if not surveyed.size:
                continue
            off_m = sigma_m * random.standard_normal(surveyed.shape)
            self.true_contacts_m[node.name] = _hull_of(site, node.compartment).project(surveyed + off_m)
            together.setdefault((node.compartment, rates_hz[node.name]), []).append(node)
        self._field_of: dict[str, tuple[StructureField, tuple[int, ...]]] = {}
        room_seeds = seeds.rooms(site)
        for (room, rate_hz), nodes in together.items():
            self._add_field(scenario, site, nodes, leaks, rate_hz, room_seeds[room])

    def capture(self, node: str, start_s: float, samples: int, drift: float) -> FloatArray:
        """Velocity of the skin (channels, samples), m/s, at a node's contact sensors from a true start time on."""
        field, channels = self._field_of[node]
        return field.capture(start_s, samples, channels, drift)

    def _add_field(
        self,
        scenario: ScenarioTable,
        site: Site,
        nodes: Sequence[Node],
        leaks: Sequence[PlantLeak],
        rate_hz: float,
        seed: np.random.SeedSequence,
    ) -> None:
        room = nodes[0].compartment
        field = structure_field(
            scenario.structure or StructureTable(),
            _hull_of(site, room),
            leak_forces(leaks, room, scenario.air.pressure_pa, scenario.air.temperature_k),
            np.vstack([self.true_contacts_m[node.name] for node in nodes]),
            sample_rate_hz=rate_hz,
            seed=seed,
        )
        for name, rows in rows_by_node([node.name for node in nodes], self.true_contacts_m).items():
            self._field_of[name] = (field, rows)


def _hull_of(site: Site, room: str) -> Hull:
    hull = site.compartment(room).hull
    if hull is None:
        raise SiteError(f"compartment {room!r} has contact sensors but no hull", remedy="give it a hull")
    return hull
