"""Levels of known sounds, from bursts and from nodes; their model against differences and image sources."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from controller.localize.forward import HullModel, Model, SoundSpeedModel
from controller.localize.level_model import (
    SCATTER_DB,
    LevelModel,
    LevelSurroundings,
    level_surroundings,
)
from controller.localize.solver import solve
from controller.measure.level import (
    CALIBRATION_DB,
    BandPowers,
    Level,
    measure_level,
    powers_of_burst,
    powers_of_levels,
)
from firmware_bridge.samples import LevelBlock
from firmware_bridge.site.box import BoxHull
from firmware_bridge.units import SOUND_REFERENCE_PA, Quantity
from tests.support import box_room
from tests.support.hearing import RATE_HZ, ROOM, box_site, wave_block

BAND = (30e3, 45e3)
SITE = box_site()
A_NAMES = tuple(sensor.name for sensor in SITE.node("A").sensors)
FREE = LevelSurroundings(absorption_db_m=1.2, critical_m=1e3)
SPEED = 344.0


def level_at(
    places: NDArray[np.float64], level_db: NDArray[np.float64], nodes: tuple[str, ...], sigma_db: float = 2.0
) -> Level:
    names = tuple(f"m{at}" for at in range(len(places)))
    return Level(names, nodes, places, level_db, np.full(len(places), sigma_db), BAND)


def powers(mean_square: float, node: str = "A", freedom: float = 2000.0) -> BandPowers:
    names = tuple(sensor.name for sensor in SITE.node(node).sensors)
    return BandPowers(node, names, BAND, np.full(len(names), mean_square), freedom)


def test_a_tone_and_noise_have_the_power_that_they_have() -> None:
    time_s = np.arange(8192) / RATE_HZ
    noise = np.random.default_rng(1).standard_normal((2, 8192))
    tone = 0.3 * np.sqrt(2.0) * np.cos(2 * np.pi * 40e3 * time_s)
    found = powers_of_burst(wave_block("A", ("a", "b", "c"), np.vstack([noise, tone])), BAND)
    assert found is not None
    # White noise of 1 Pa has 15 of 96 kHz in the band; 640 bins, 427 worth one: 5 %, four sigmas 20 %.
    assert found.mean_square_pa2[:2] == pytest.approx(15 / 96, rel=0.2)
    # A Hann window of whole power turns a tone's mean square into itself, but for its phase: 1 / samples.
    assert found.mean_square_pa2[2] == pytest.approx(0.09, rel=1e-3)
    scatter = [
        powers_of_burst(wave_block("A", ("a",), np.random.default_rng(s).standard_normal((1, 8192))), BAND)
        for s in range(60)
    ]
    values = np.array([one.mean_square_pa2[0] for one in scatter if one is not None])
    # Relative sigma sqrt(2 / freedom); of 60 draws it is known to a tenth: four of those.
    assert np.std(values) / np.mean(values) == pytest.approx(np.sqrt(2.0 / found.freedom), rel=0.4)


def test_what_is_no_measurement_has_no_power() -> None:
    wave = np.ones((1, 4096))
    assert powers_of_burst(wave_block("A", ("a",), wave, missing=((0, 5),)), BAND) is None
    assert powers_of_burst(wave_block("A", ("a",), wave, rate_hz=64_000.0), BAND) is None


def levels_of(saturated: bool = False, quantity: Quantity = Quantity.ULTRASOUND) -> LevelBlock:
    bands = np.array([[20e3, 30e3], [30.1e3, 44.9e3]])
    return LevelBlock("A", quantity, A_NAMES, 0, 10**9, bands, np.array([[1.0, 4.0]] * 4), saturated)


def test_a_nodes_own_levels_are_taken_where_they_are_of_the_band() -> None:
    found = powers_of_levels(levels_of(), BAND)
    assert found is not None
    assert found.mean_square_pa2 == pytest.approx(4.0)
    assert found.freedom == 2 * 15e3
    assert powers_of_levels(levels_of(), (45e3, 60e3)) is None
    assert powers_of_levels(levels_of(saturated=True), BAND) is None
    assert powers_of_levels(levels_of(quantity=Quantity.SURFACE_VELOCITY), BAND) is None


def test_the_background_is_taken_off() -> None:
    level = measure_level([powers(5.0), powers(2.0, "B")], [powers(1.0), powers(1.0, "B")], SITE, ROOM)
    assert level is not None
    assert level.nodes == ("A",) * 4 + ("B",) * 4
    expected = 10 * np.log10(np.array([4.0] * 4 + [1.0] * 4) / SOUND_REFERENCE_PA**2)
    assert level.level_db == pytest.approx(expected)
    assert np.all(level.sigma_db >= CALIBRATION_DB)
    assert np.all(level.sigma_db[4:] > level.sigma_db[:4])  # as much background as leak: less is known


def test_what_does_not_rise_is_not_heard() -> None:
    assert measure_level([powers(1.02)], [powers(1.0)], SITE, ROOM) is None
    both = measure_level([powers(1.02), powers(9.0, "B")], [powers(1.0), powers(1.0, "B")], SITE, ROOM)
    assert both is not None
    assert set(both.nodes) == {"B"}
    with pytest.raises(ValueError, match="one band at a time"):
        measure_level([powers(1.0)], [BandPowers("A", A_NAMES, (1e3, 2e3), np.ones(4), 10.0)], SITE, ROOM)


def test_in_a_free_field_twice_as_far_is_six_decibels_and_the_airs_share() -> None:
    places = np.array([[0.5, 0.0, 0.0], [1.0, 0.0, 0.0]])
    told = level_at(places, np.array([60.0, 60.0]), ("A", "B"), sigma_db=1e-3)
    model = LevelModel(told, FREE)
    lower = np.array([0.0, -20 * np.log10(2.0) - 0.5 * 1.2])
    # The residual at the source vanishes only for the difference that the law has, whatever the level: the source's
    # is drawn to its prior by (6 / 25)^2 at most.
    fitting = LevelModel(level_at(places, 60.0 - 20 * np.log10(0.5) - 0.6 + lower, ("A", "B"), 1e-3), FREE)
    at = np.array([0.0, 0.0, 0.0, SPEED])
    assert fitting.residual(at)[0] == pytest.approx(0.0, abs=1e-3)
    assert np.abs(model.residual(at)[0]).max() > 0.5


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), critical_m=st.floats(0.5, 100.0))
def test_the_jacobian_is_that_of_numerical_differences(seed: int, critical_m: float) -> None:
    random = np.random.default_rng(seed)
    places = random.uniform(0.0, 3.0, (6, 3))
    level = level_at(places, random.uniform(30.0, 70.0, 6), ("A", "A", "B", "B", "C", "C"))
    model = LevelModel(level, LevelSurroundings(1.5, critical_m))
    state = np.append(random.uniform(0.0, 3.0, 3), SPEED)
    if np.linalg.norm(places - state[:3], axis=1).min() < 0.1:
        return
    _, jacobian = model.residual(state)
    for column in range(4):
        step = np.zeros(4)
        step[column] = 1e-5
        numeric = (model.residual(state + step)[0] - model.residual(state - step)[0]) / 2e-5
        # 1e-10 times a third derivative of 20 dB / (0.1 m)^3 x 2: 1e-5.
        assert jacobian[:, column] == pytest.approx(numeric, abs=1e-4)


def test_levels_are_honest_about_a_room_that_echoes() -> None:
    """Image sources of a stranger: at the true place chi-square is what the stated sigmas allow, in most rooms.

    16 microphones of four nodes: four nodes' scatter and sixteen calibrations, which are perfect here, so that what is
    left is the nodes': four degrees of freedom less the source's level.
    """
    squares = []
    for seed in range(12):
        random = np.random.default_rng([40, seed])
        places = box_room.microphones(random)
        leak = random.uniform(0.1, box_room.SIZE_M - 0.1)
        leak[int(random.integers(3))] = 0.0
        sound = box_room.heard(random, leak, places)
        nodes = tuple(name for name in "ABCD" for _ in range(4))
        block = wave_block("A", tuple(f"m{at}" for at in range(16)), sound)
        told = powers_of_burst(block, BAND)
        assert told is not None
        level = level_at(places, 10 * np.log10(told.mean_square_pa2), nodes, CALIBRATION_DB)
        size = box_room.SIZE_M
        around = level_surroundings(
            BAND,
            temperature_k=293.15,
            pressure_pa=101_325.0,
            relative_humidity=0.5,
            volume_m3=float(np.prod(size)),
            area_m2=2.0 * float(size[0] * size[1] + size[1] * size[2] + size[2] * size[0]),
        )
        assert 0.5 < around.critical_m < 2.5  # published for such cabins: 1.3 to 2.2 m of 106 m³ with a fifth absorbed
        residual, _ = LevelModel(level, around).residual(np.append(leak, SPEED))
        squares.append(float(residual @ residual))
    # Three degrees of freedom: 95 % are below 7.8; the stated sigma is none too large where the mean is above a tenth.
    assert np.mean(np.array(squares) < 7.8) >= 0.9, squares
    assert np.mean(squares) > 0.1


def test_levels_alone_say_little_and_say_so() -> None:
    hull = BoxHull((3.0, 2.4, 2.0))
    leak = np.array([1.0, 2.4, 0.8])
    places = np.array([s.position_m for node in SITE.nodes for s in node.sensors], dtype=float)
    nodes = tuple(node.name for node in SITE.nodes for _ in node.sensors)
    away = np.linalg.norm(places - leak, axis=1)
    level = level_at(places, 60 - 20 * np.log10(away) - 1.2 * away, nodes)
    models: list[Model] = [LevelModel(level, FREE), HullModel(hull, 0.005), SoundSpeedModel(SPEED, 0.6)]
    solution = solve(models, np.append(leak + np.array([0.2, 0.0, -0.2]), SPEED))
    assert solution is not None
    assert np.linalg.norm(solution.state[:3] - leak) < 0.05
    # 4 dB a node at 1 to 2 m: half of the distance, decimetres.
    assert 0.1 < np.sqrt(np.trace(solution.covariance[:3, :3])) < 2.0


def test_a_node_less() -> None:
    level = level_at(np.eye(3), np.full(3, 50.0), ("A", "A", "B"))
    model = LevelModel(level, FREE)
    rest = model.without("B")
    assert rest is not None
    assert rest.rows == ("A", "A")
    assert model.without("A") is None
    assert model.without("C") is model
    assert SCATTER_DB >= 3.0
