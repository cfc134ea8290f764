"""From a declared skin and a surveyed hull to a structure field: shapes, frames, ribs, leaks that open."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from firmware_bridge.errors import SiteError
from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.placed import place
from firmware_bridge.site.revolution import RevolutionHull
from firmware_bridge.site.sphere import SphereHull
from sim.plant.force_sources import leak_forces
from sim.plant.leaks import PlantLeak
from sim.plant.structure import structure_field
from sim.scenario.structure import SPEED_RATIO, MaterialTable, StructureTable
from sim.world.leak.hole import Hole
from sim.world.leak.schedule import Change, Opening
from sim.world.structure.field import ForceSource
from sim.world.structure.paths import Joint
from sim.world.structure.plate import POISSON, Material
from tests.support.panel import ways

FloatArray = NDArray[np.float64]

RATE_HZ = 192e3
CYLINDER = CylinderHull(2.1, 8.0)
QUIET = StructureTable(reverberation=0.0, rib_spacing_m=0.5)


def white(frequency_hz: FloatArray) -> FloatArray:
    return np.full(np.shape(frequency_hz), 1e-12)


def side(x_m: float, angle_rad: float) -> tuple[float, float, float]:
    return x_m, 2.1 * math.cos(angle_rad), 2.1 * math.sin(angle_rad)


def test_evenly_spaced_ribs_stand_between_the_ends() -> None:
    forces = [ForceSource("tap", side(0.1, 0.0), white)]
    field = structure_field(QUIET, CYLINDER, forces, np.array([side(7.9, 0.1)]), sample_rate_hz=RATE_HZ, seed=1)
    direct = ways(field, "tap", 0)[0]
    assert [crossing.joint for crossing in direct.crossings] == [Joint.RIB] * 15  # 0.5, 1.0, ... 7.5


@pytest.mark.parametrize(
    ("hull", "one", "other", "length_m"),
    [
        (CYLINDER, side(1.0, 0.0), side(4.0, 1.0), math.hypot(3.0, 2.1)),
        (BoxHull((2.0, 1.0, 1.0)), (0.5, 0.5, 0.0), (1.5, 0.0, 0.4), math.hypot(1.0, 0.9)),
        (SphereHull(2.0), (2.0, 0.0, 0.0), (0.0, 0.0, 2.0), math.pi),
        (RevolutionHull(((0.0, 2.1), (8.0, 2.1))), side(1.0, 0.0), side(4.0, 1.0), math.hypot(3.0, 2.1)),
        (RevolutionHull(((0.0, 0.0), (3.0, 2.0), (5.0, 2.0))), (4.0, 2.0, 0.0), (4.5, 2.0, 0.0), 0.5),
    ],
)
def test_every_shape_of_hull_has_its_geodesics_wherever_it_stands(
    hull: Hull, one: tuple[float, float, float], other: tuple[float, float, float], length_m: float
) -> None:
    table = StructureTable(reverberation=0.0)
    here = structure_field(
        table, hull, [ForceSource("tap", one, white)], np.array([other]), sample_rate_hz=RATE_HZ, seed=1
    )
    assert ways(here, "tap", 0)[0].length_m == pytest.approx(length_m, abs=2e-6)
    moved = place(hull, (3.0, -1.0, 2.0), "+z")
    # "+z" takes x to z and z to -x
    there = [(3.0 - z, -1.0 + y, 2.0 + x) for x, y, z in (one, other)]
    far = structure_field(
        table, moved, [ForceSource("tap", there[0], white)], np.array(there[1:]), sample_rate_hz=RATE_HZ, seed=1
    )
    assert ways(far, "tap", 0)[0].length_m == pytest.approx(length_m, abs=2e-6)
    assert far.capture(0.0, 256, [0]) == pytest.approx(here.capture(0.0, 256, [0]), rel=1e-3, abs=1e-13)


def test_a_leak_shakes_the_skin_while_it_is_open_and_captures_agree() -> None:
    opening = Opening((Change(1.0, 0.0, 1.0), Change(1.1, 0.05, 0.5)))
    leaks = [
        PlantLeak("one", "cabin", side(3.0, 0.0), Hole(2e-3, 0.85), opening),
        PlantLeak("two", "lock", side(3.0, 0.0), Hole(2e-3, 0.85), opening),
    ]
    forces = leak_forces(leaks, "cabin", 101_325.0, 295.0)
    assert [force.name for force in forces] == ["leak one"]
    field = structure_field(QUIET, CYLINDER, forces, np.array([side(3.3, 0.0)]), sample_rate_hz=RATE_HZ, seed=1)
    assert not field.capture(0.5, 4096, [0]).any()
    whole, half = field.capture(1.02, 12_000, [0]), field.capture(1.2, 12_000, [0])
    ratio = float(np.sqrt(np.mean(half**2) / np.mean(whole**2)))
    assert ratio == pytest.approx(0.5, rel=0.05)  # 63 ms of some 50 kHz: 1.3 % each
    across = field.capture(1.09, 20_000, [0])
    part = field.capture(1.09 + 5000 / RATE_HZ, 4096, [0])
    assert np.abs(part - across[:, 5000:9096]).max() < 1e-8 * float(np.sqrt(np.mean(across**2)))


def test_materials_and_tables_agree_on_what_is_a_solid() -> None:
    for nu, ratio in zip(POISSON, SPEED_RATIO, strict=True):
        assert Material(3000.0 * ratio, 3000.0, 1.0).poisson == pytest.approx(nu, abs=0.01)
    table = StructureTable(
        thickness_mm=2.0,
        material=MaterialTable(longitudinal_m_s=5900.0, transverse_m_s=3200.0, density_kg_m3=7800.0),
        reverberation=0.0,
    )
    forces = [ForceSource("tap", side(1.0, 0.0), white)]
    sensors_m = np.array([side(1.5, 0.0)])
    steel = structure_field(table, CYLINDER, forces, sensors_m, sample_rate_hz=RATE_HZ, seed=1)
    light = structure_field(
        StructureTable(thickness_mm=2.0, reverberation=0.0), CYLINDER, forces, sensors_m, sample_rate_hz=RATE_HZ, seed=1
    )
    assert np.std(steel.capture(0.0, 4096, [0])) < 0.6 * np.std(light.capture(0.0, 4096, [0]))  # three times as heavy


@pytest.mark.parametrize(
    "keys",
    [
        {"thickness_mm": 0.0},
        {"material": "cheese"},
        {"material": {"longitudinal_m_s": 3000.0, "transverse_m_s": 2900.0, "density_kg_m3": 2700.0}},
        {"eta": 0.0},
        {"rib_loss_db": -1.0},
        {"conversion_share": 0.6},
        {"rib_spacing_m": 0.5, "ribs_x_m": (1.0,)},
        {"wraps": 9},
        {"unknown": 1},
    ],
)
def test_the_table_refuses_what_cannot_be(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StructureTable.model_validate(keys)


def test_a_skin_too_thick_for_two_modes_is_the_sites_fault() -> None:
    slow = MaterialTable(longitudinal_m_s=1200.0, transverse_m_s=600.0, density_kg_m3=1000.0)
    with pytest.raises(SiteError, match="more than A0 and S0"):
        structure_field(
            StructureTable(thickness_mm=30.0, material=slow),
            CYLINDER,
            [],
            np.array([side(1.0, 0.0)]),
            sample_rate_hz=RATE_HZ,
            seed=1,
        )
