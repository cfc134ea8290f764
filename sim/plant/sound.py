"""The sound of a scenario: one field a compartment, from its leaks and machines, heard at the true microphones."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.errors import SiteError
from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.survey import Site
from firmware_bridge.units import celsius_to_kelvin
from sim.scenario.leaks import LeakTable
from sim.scenario.scenario import ScenarioTable
from sim.scenario.sound import MachineTable
from sim.world.air import Air
from sim.world.leak.hole import Hole
from sim.world.sound.field import SoundField, SoundSource
from sim.world.sound.machine import Line, Machine
from sim.world.sound.room import BoxRoom, CylinderRoom, Room

_INSIDE_M = 0.001  # sensors and machines that the survey's error puts into the wall are moved this far into the room


class Sound:
    """What each array node hears; safe to call from several threads."""

    def __init__(self, scenario: ScenarioTable, site: Site, seed: np.random.SeedSequence) -> None:
        """Draw survey errors and leak levels, and find all sound paths."""
        survey_seed, level_seed, field_seed = seed.spawn(3)
        survey_random = np.random.default_rng(survey_seed)
        level_random = np.random.default_rng(level_seed)
        sigma_m = scenario.survey_error.microphone_sigma_m
        self.true_microphones_m: dict[str, NDArray[np.float64]] = {}
        for node in site.nodes:
            surveyed = site.microphones_m(node)
            if surveyed.size:
                self.true_microphones_m[node.name] = surveyed + sigma_m * survey_random.standard_normal(surveyed.shape)
        offsets_db = {
            leak.name: leak.level_spread_db * float(level_random.standard_normal()) for leak in scenario.leaks
        }
        self._field_of: dict[str, tuple[SoundField, tuple[int, ...]]] = {}
        rooms = {node.compartment for node in site.nodes if node.name in self.true_microphones_m}
        for room, room_seed in zip(sorted(rooms), field_seed.spawn(len(rooms)), strict=True):
            self._add_room(scenario, site, room, offsets_db, room_seed)

    def capture(self, node: str, start_s: float, samples: int, drift: float) -> NDArray[np.float64]:
        """Sound pressure (channels, samples), Pa, at a node's microphones from a true start time on."""
        field, channels = self._field_of[node]
        return field.capture(start_s, samples, channels, drift)

    def _add_room(
        self,
        scenario: ScenarioTable,
        site: Site,
        room: str,
        offsets_db: Mapping[str, float],
        seed: np.random.SeedSequence,
    ) -> None:
        hull = site.compartment(room).hull
        if hull is None:
            raise SiteError(f"compartment {room!r} has microphones but no hull", remedy="give it a hull")
        nodes = [node for node in site.nodes if node.compartment == room and node.name in self.true_microphones_m]
        positions = np.vstack([self.true_microphones_m[node.name] for node in nodes])
        sources = [
            _leak_source(leak, scenario, hull, offsets_db[leak.name])
            for leak in scenario.leaks
            if leak.compartment == room
        ]
        here = [machine for machine in scenario.machines if machine.compartment in {None, room}]
        sources += [_machine_source(machine, hull) for machine in here]
        field = SoundField(
            room=_room(hull),
            air=Air(
                celsius_to_kelvin(scenario.air.temperature_c),
                scenario.air.pressure_hpa * 100.0,
                scenario.air.relative_humidity,
            ),
            sources=sources,
            microphones_m=_inside(hull, positions),
            sample_rate_hz=scenario.arrays.burst_rate_khz * 1000.0,
            seed=seed,
            reflections=scenario.acoustics.reflections,
            wall_reflection=scenario.acoustics.wall_reflection,
        )
        first = 0
        for node in nodes:
            count = len(self.true_microphones_m[node.name])
            self._field_of[node.name] = (field, tuple(range(first, first + count)))
            first += count


def _room(hull: Hull) -> Room:
    if isinstance(hull, CylinderHull):
        return CylinderRoom(hull.radius_m, hull.length_m)
    if isinstance(hull, BoxHull):
        return BoxRoom(*hull.size_m)
    raise SiteError(f"no acoustics for a {type(hull).__name__}", remedy="use a cylinder or a box")


def _inside(hull: Hull, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, 3) moved into the room where they lie in or behind its wall."""
    depth = hull.signed_distance_m(points_m) + _INSIDE_M
    return points_m - np.maximum(depth, 0.0)[:, None] * hull.outward(points_m)


def _point_inside(hull: Hull, position_m: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y, z = _inside(hull, np.array([position_m]))[0]
    return float(x), float(y), float(z)


def _leak_source(leak: LeakTable, scenario: ScenarioTable, hull: Hull, offset_db: float) -> SoundSource:
    hole = Hole(leak.diameter_mm / 1000.0, leak.discharge_coefficient, level_offset_db=offset_db)
    pressure_pa = scenario.air.pressure_hpa * 100.0
    temperature_k = celsius_to_kelvin(scenario.air.temperature_c)
    return SoundSource(
        name=f"leak {leak.name}",
        position_m=_point_inside(hull, leak.position_m),
        psd=lambda frequency_hz: hole.pressure_psd_pa2_hz(frequency_hz, pressure_pa, temperature_k),
        start_s=leak.opens_at_s,
        stop_s=leak.sealed_at_s,
    )


def _machine_source(table: MachineTable, hull: Hull) -> SoundSource:
    lines = tuple(Line(khz * 1000.0, level_db) for khz, level_db in table.lines_khz_db)
    machine = Machine(_point_inside(hull, table.position_m), table.level_db_at_20khz, lines)
    return SoundSource(
        name=f"machine {table.name}",
        position_m=machine.position_m,
        psd=machine.pressure_psd_pa2_hz,
        start_s=-np.inf,
        lines=lines,
    )
