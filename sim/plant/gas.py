"""The gas of a scenario: one body of air for each set of compartments joined by open hatches."""

from itertools import pairwise

import numpy as np

from firmware_bridge.site.survey import Site
from firmware_bridge.units import celsius_to_kelvin
from sim.scenario.leaks import LeakTable
from sim.scenario.scenario import ScenarioTable
from sim.world.gas.atmosphere import Atmosphere, CabinWeather, WeatherSettings
from sim.world.leak.hole import Hole


class _Body:
    """One connected volume: its gas, its weather, its holes."""

    def __init__(
        self, scenario: ScenarioTable, volume_m3: float, leaks: list[LeakTable], random: np.random.Generator
    ) -> None:
        weather = scenario.weather
        self.gas = Atmosphere(
            volume_m3, scenario.air.pressure_hpa * 100.0, celsius_to_kelvin(scenario.air.temperature_c)
        )
        self.weather = CabinWeather(
            WeatherSettings(
                weather.slope_rms_pa_h,
                weather.slope_correlation_s,
                weather.temperature_rms_k,
                weather.temperature_correlation_s,
            ),
            random,
        )
        self._leaks = leaks

    def step(self, from_s: float, until_s: float) -> None:
        """Move on; a hole that opens or is sealed on the way splits the step there."""
        times = {leak.opens_at_s for leak in self._leaks}
        times |= {leak.sealed_at_s for leak in self._leaks if leak.sealed_at_s is not None}
        edges = [from_s, *sorted(t for t in times if from_s < t < until_s), until_s]
        for start_s, end_s in pairwise(edges):
            open_areas = [
                Hole(leak.diameter_mm / 1000.0, leak.discharge_coefficient).effective_area_m2
                for leak in self._leaks
                if leak.opens_at_s <= start_s and (leak.sealed_at_s is None or start_s < leak.sealed_at_s)
            ]
            self.gas.step(end_s - start_s, open_areas)
        self.weather.step(until_s - from_s)


class Gas:
    """Pressure and temperature of every compartment over time."""

    def __init__(self, scenario: ScenarioTable, site: Site, seed: np.random.SeedSequence) -> None:
        """Fill the site; hatches stand as they normally do."""
        self._body_of: dict[str, _Body] = {}
        self._now_s = 0.0
        joined = _joined_rooms(site)
        for rooms, body_seed in zip(joined, seed.spawn(len(joined)), strict=True):
            volume_m3 = sum(site.compartment(room).volume_m3 for room in rooms)
            leaks = [leak for leak in scenario.leaks if leak.compartment in rooms]
            body = _Body(scenario, volume_m3, leaks, np.random.default_rng(body_seed))
            self._body_of |= dict.fromkeys(rooms, body)

    def step(self, now_s: float) -> None:
        """Move on to scenario time `now_s`."""
        if now_s > self._now_s:
            for body in {id(body): body for body in self._body_of.values()}.values():
                body.step(self._now_s, now_s)
            self._now_s = now_s

    def felt(self, compartment: str) -> tuple[float, float]:
        """Pressure (Pa) and temperature (K) now in `compartment`, weather included."""
        body = self._body_of[compartment]
        return body.weather.disturbed(body.gas.pressure_pa, body.gas.temperature_k)


def _joined_rooms(site: Site) -> list[tuple[str, ...]]:
    """Names of the compartments of each connected volume."""
    groups: list[set[str]] = [{room.name} for room in site.compartments]
    for hatch in (hatch for hatch in site.hatches if hatch.normally_open):
        touched = [group for group in groups if group & set(hatch.between)]
        groups = [group for group in groups if group not in touched] + [set().union(*touched)]
    return [tuple(sorted(group)) for group in groups]
