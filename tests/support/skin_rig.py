"""Hulls that a leak shakes: contact sensors somewhere on them, and what the simulated world lets them feel."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from controller.localize.skin_waves import SkinFix, SkinLocator
from controller.localize.verdict import NoFix
from controller.measure.plate import Skin
from firmware_bridge.samples import VibrationBlock
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.schema import SiteTable
from firmware_bridge.site.survey import Site, build_site
from firmware_bridge.units import Quantity
from sim.plant.leaks import declared_leaks
from sim.plant.seeds import FieldSeeds
from sim.plant.shaking import Shaking
from sim.scenario.nodes import SurveyErrorTable
from sim.scenario.structure import StructureTable
from tests.support.tube import LEAK, RATE_HZ, TIME_S, contact, scenario

SAMPLES = 16_384
SENSORS = 8
THICKNESS_M = 0.003  # the simulator's default
SELF_NOISE_M_S = 3.4e-13 * np.sqrt(RATE_HZ / 2)
APART_M, FROM_LEAK_M = 0.5, 0.15
ROOMS: dict[str, tuple[float, dict[str, Any]]] = {
    "tube": (15.0, {"shape": "cylinder", "radius_m": 1.1, "length_m": 4.0}),
    "box": (11.5, {"shape": "box", "size_m": (2.2, 2.1, 2.6)}),
}
Shape = Literal["tube", "box"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SkinTrial:
    """A leak somewhere on a hull, and what was said of it."""

    verdict: SkinFix | NoFix
    leak_m: Floats

    @property
    def error_m(self) -> float:
        """Infinite where there is no fix."""
        if isinstance(self.verdict, NoFix):
            return float("inf")
        return float(np.linalg.norm(self.verdict.position_m - self.leak_m))


def shaken(
    seed: int,
    *,
    shape: Shape = "tube",
    structure: StructureTable | None = None,
    told_m: float = THICKNESS_M,
    sigma_m: float = 0.003,
    diameter_mm: float = 2.0,
) -> SkinTrial:
    """One hull, all drawn by `seed`; `told_m` is the thickness as told, `sigma_m` how far sensors are off."""
    random = np.random.default_rng([seed, 5])
    hull = _site(shape, ()).compartment("tube").hull
    assert hull is not None
    places, leak = _places(hull, random)
    site = _site(shape, tuple(contact(f"c{at}", at, _triple(place)) for at, place in enumerate(places)))
    told = scenario(
        structure=structure or StructureTable(),
        leaks=(LEAK.model_copy(update={"position_m": _triple(leak), "diameter_mm": diameter_mm}),),
        survey_error=SurveyErrorTable(microphone_sigma_m=sigma_m),
    )
    root = FieldSeeds(np.random.SeedSequence(seed)).root
    shaking = Shaking(told, site, root, leaks=declared_leaks(told), rates_hz={"skin": RATE_HZ})
    velocity = shaking.capture("skin", TIME_S, SAMPLES, 0.0)
    velocity = velocity + SELF_NOISE_M_S * random.standard_normal(velocity.shape)
    sensors = site.node("skin").of_quantity(Quantity.SURFACE_VELOCITY)
    names = tuple(sensor.name for sensor in sensors)
    block = VibrationBlock(
        "skin", names, 1, 0, 0.0, RATE_HZ, velocity.astype(np.float32), True, False, (), RATE_HZ
    )  # fmt: skip
    locator = SkinLocator(hull, Skin(told_m), sensors, sensor_sigma_m=max(sigma_m, 1e-3))
    return SkinTrial(locator.locate([[block]]), leak)


def _site(shape: Shape, sensors: tuple[dict[str, Any], ...]) -> Site:
    volume_m3, hull = ROOMS[shape]
    table = {
        "format": 1,
        "name": "test",
        "compartments": ({"name": "tube", "volume_m3": volume_m3, "hull": hull},),
        "nodes": ({"name": "skin", "uid": "c1", "compartment": "tube", "sensors": sensors},),
    }
    return build_site(SiteTable.model_validate(table), "test")


def _places(hull: Hull, random: np.random.Generator) -> tuple[list[Floats], Floats]:
    grid = hull.grid(0.05)
    places: list[Floats] = []
    while len(places) < SENSORS:
        place = grid[random.integers(len(grid))]
        if all(np.linalg.norm(place - other) > APART_M for other in places):
            places.append(place)
    while True:
        leak = np.asarray(grid[random.integers(len(grid))])
        if min(float(np.linalg.norm(leak - place)) for place in places) > FROM_LEAK_M:
            return places, leak


def _triple(place: Floats) -> tuple[float, float, float]:
    return float(place[0]), float(place[1]), float(place[2])
