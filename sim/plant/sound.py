"""The sound of a scenario: one field a compartment, from its leaks, machines and bursts, heard at the true microphones.

How tables become rooms and sources is `place` and `sound_sources`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.errors import SiteError
from firmware_bridge.site.survey import Site
from sim.plant.leaks import PlantLeak
from sim.plant.place import Place, rows_by_node
from sim.plant.seeds import FieldSeeds
from sim.plant.sound_sources import burst_source, leak_source, machine_source
from sim.scenario.scenario import ScenarioTable
from sim.world.air import Air
from sim.world.sound.field import SoundField


class Sound:
    """What each array node hears; safe to call from several threads."""

    def __init__(
        self,
        scenario: ScenarioTable,
        site: Site,
        seed: np.random.SeedSequence,
        leaks: Sequence[PlantLeak],
    ) -> None:
        """Draw survey errors and find all sound paths; `leaks` are the scenario's, with their draws of loudness.

        Raises:
            SiteError: a compartment with microphones has no hull, or one without acoustics.
        """
        seeds = FieldSeeds(seed)
        survey_random = np.random.default_rng(seeds.microphones)
        sigma_m = scenario.survey_error.microphone_sigma_m
        self.true_microphones_m: dict[str, NDArray[np.float64]] = {}
        for node in site.nodes:
            surveyed = site.microphones_m(node)
            if surveyed.size:
                self.true_microphones_m[node.name] = surveyed + sigma_m * survey_random.standard_normal(surveyed.shape)
        self._scenario = scenario
        self._field_of: dict[str, tuple[SoundField, tuple[int, ...]]] = {}
        self._switched: dict[str, list[tuple[SoundField, str]]] = {}
        rooms = {node.compartment for node in site.nodes if node.name in self.true_microphones_m}
        room_seeds = seeds.rooms(site)
        for room in sorted(rooms):
            self._add_room(site, room, leaks, room_seeds[room])

    def capture(self, node: str, start_s: float, samples: int, drift: float) -> NDArray[np.float64]:
        """Sound pressure (channels, samples), Pa, at a node's microphones from a true start time on."""
        field, channels = self._field_of[node]
        return field.capture(start_s, samples, channels, drift)

    def hearing(self, node: str) -> tuple[SoundField, tuple[int, ...]]:
        """The sound field that a node hears, and which of its microphones are the node's; KeyError for a deaf one."""
        return self._field_of[node]

    def switch_at(self, name: str, on: bool, at_s: float) -> None:
        """Switch the machines of that name, or behind the switch of that name, from true time `at_s` on, s.

        Calls come in the order of their times; captures of what is past are not changed by them.
        """
        for field, source in self._switched.get(name, []):
            field.switch(source, on, at_s)

    def _add_room(
        self,
        site: Site,
        room: str,
        leaks: Sequence[PlantLeak],
        seed: np.random.SeedSequence,
    ) -> None:
        scenario, acoustics = self._scenario, self._scenario.acoustics
        hull = site.compartment(room).hull
        if hull is None:
            raise SiteError(f"compartment {room!r} has microphones but no hull", remedy="give it a hull")
        place = Place.of(hull)
        nodes = [node for node in site.nodes if node.compartment == room and node.name in self.true_microphones_m]
        positions = np.vstack([self.true_microphones_m[node.name] for node in nodes])
        air = Air(scenario.air.temperature_k, scenario.air.pressure_pa, scenario.air.relative_humidity)
        leaking = [
            leak_source(leak, place, air.pressure_pa, air.temperature_k) for leak in leaks if leak.compartment == room
        ]
        machines = [machine for machine in scenario.machines if machine.compartment in {None, room}]
        sources = [source for source in leaking if source is not None]
        sources += [machine_source(machine, place) for machine in machines]
        sources += [burst_source(burst, place) for burst in scenario.bursts if burst.compartment == room]
        field = SoundField(
            room=place.room,
            air=air,
            sources=sources,
            microphones_m=place.inside(positions),
            sample_rate_hz=scenario.arrays.burst_rate_khz * 1000.0,
            seed=seed,
            reflections=acoustics.reflections,
            wall_reflection=acoustics.wall_reflection,
            racks=[place.rack(rack) for rack in scenario.racks if rack.compartment == room],
            temperature_gradient_k_m=place.vector(acoustics.temperature_gradient_k_m),
            late_reverberation=acoustics.late_reverberation,
            moist_speed=acoustics.humid_speed,
        )
        for machine in machines:
            for name in {machine.name, machine.switch} - {None}:
                self._switched.setdefault(str(name), []).append((field, f"machine {machine.name}"))
        for name, rows in rows_by_node([node.name for node in nodes], self.true_microphones_m).items():
            self._field_of[name] = (field, rows)
