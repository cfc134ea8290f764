"""What falls of separate volumes mean: against a general Gaussian from scipy, closed forms, and common sense."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from controller.isolate.belief import CONDUCTANCES_M3_S, Belief
from controller.isolate.falls import (
    BLIND,
    BLIND_PA,
    GAS_CONSTANT_J_KG_K,
    LYING,
    ROOM_TEMPERATURE_K,
    SENSOR_WALK_PA2_S,
    Barometer,
    Drop,
    distances,
    fall_evidence,
    weather_pa2,
)
from controller.isolate.settings import Settings
from tests.support.searching import BAROMETERS, PRESSURE_PA, STATION, drops

SETTINGS = Settings()
CALM = Settings(random_walk_pa2_s=1e-6, unexplained_kg_day=0.0)
PARTS = STATION.parts({"b"})  # tunnel + home, store + rest


def test_the_likelihood_is_that_of_gaussians_with_a_liar_among_them() -> None:
    """The same mixture put together from scipy's density, a few conductances and every compartment."""
    fallen = drops(tunnel=9.0, home=7.0, rest=1.0)
    seen = np.array([drop.drop_pa for drop in fallen])
    elapsed_s = 300.0
    weather = weather_pa2(STATION, PARTS, BAROMETERS, elapsed_s, SETTINGS)
    told = fall_evidence(STATION, PARTS, fallen, elapsed_s, SETTINGS)
    lies = [np.zeros((3, 3)), BLIND_PA**2 * np.eye(3), *(BLIND_PA**2 * np.diag(row) for row in np.eye(3))]
    cases = list(zip([1 - LYING - BLIND, BLIND, LYING / 3, LYING / 3, LYING / 3], lies, strict=True))

    def expected(mean: np.ndarray, beside: np.ndarray) -> float:
        densities = [w * multivariate_normal(mean, weather + beside + lie).pdf(seen) for w, lie in cases]
        return math.log(sum(densities))

    rows = {"tunnel": [0, 1], "home": [0, 1], "store": [2], "rest": [2]}
    none = expected(np.zeros(3), np.zeros((3, 3)))
    for column in (60, 120, 160):
        for room, places in rows.items():
            volume = 89.0 if room in {"tunnel", "home"} else 827.0
            lost = 1.0 - math.exp(-CONDUCTANCES_M3_S[column] * elapsed_s / volume)
            mean = np.zeros(3)
            mean[places] = PRESSURE_PA * lost
            beside = SETTINGS.volume_sigma**2 * np.outer(mean, mean)
            ours = told[STATION.number[room], column] - told[-1, 0]
            assert ours == pytest.approx(expected(mean, beside) - none, rel=1e-9, abs=1e-9)


def test_weather_has_its_parts() -> None:
    """Same volume: all of the walk in common; apart: half of it; people use gas only where a lifeboat is."""
    covariance = weather_pa2(STATION, PARTS, BAROMETERS, 100.0, SETTINGS)
    share = PRESSURE_PA / 1e5
    walk = SETTINGS.random_walk_pa2_s * 100.0 * share**2
    kg = SETTINGS.unexplained_kg_day * 100.0 / 86400.0
    used = (kg * GAS_CONSTANT_J_KG_K * ROOM_TEMPERATURE_K / 89.0) ** 2
    own = 2 * 0.2**2 + SENSOR_WALK_PA2_S * 100.0
    assert covariance[0, 1] == pytest.approx(walk + used)
    assert covariance[0, 2] == pytest.approx(walk * (1.0 - SETTINGS.own_weather))
    assert covariance[0, 0] == pytest.approx(walk + used + own)
    assert covariance[2, 2] == pytest.approx(walk + own)
    inert = (Barometer("n", "home", 75_000.0, 0.2, inert=True),)
    assert weather_pa2(STATION, PARTS, inert, 100.0, SETTINGS)[0, 0] == pytest.approx(
        SETTINGS.random_walk_pa2_s * 100.0 * 0.75**2 + own
    )


def test_what_falls_alone_leaks_and_what_falls_together_is_weather() -> None:
    alone = Belief.flat(STATION.rooms, 0.1).told(
        fall_evidence(STATION, PARTS, drops(tunnel=40.0, home=40.0), 600.0, SETTINGS)
    )
    assert alone.of()["tunnel"] + alone.of()["home"] > 0.99
    assert alone.of()["tunnel"] == pytest.approx(alone.of()["home"])
    together = Belief.flat(STATION.rooms, 0.1).told(
        fall_evidence(STATION, PARTS, drops(tunnel=6.0, home=6.0, rest=6.0), 600.0, SETTINGS)
    )
    assert together.no_leak > 0.1  # more than before: 6 Pa is what weather does in ten minutes


def test_one_barometer_alone_may_lie() -> None:
    """However far a lone barometer falls, the odds against a leak never become worse than a liar's."""
    odds = []
    for fallen_pa in (50.0, 500.0, 5000.0):
        parts = STATION.parts({"a"})
        belief = Belief.flat(STATION.rooms, 0.99).told(
            fall_evidence(STATION, parts, drops(tunnel=fallen_pa), 120.0, SETTINGS)
        )
        odds.append(belief.of()["tunnel"] / belief.no_leak)
    assert odds[0] < 50.0
    two = (*drops(tunnel=500.0), Drop(Barometer("p-2", "tunnel", PRESSURE_PA, 0.2), 500.0))
    sure = Belief.flat(STATION.rooms, 0.99).told(fall_evidence(STATION, STATION.parts({"a"}), two, 120.0, SETTINGS))
    assert sure.of()["tunnel"] / sure.no_leak > 10 * odds[1]


def test_distances_grow_as_two_quiet_barometers_say() -> None:
    """Without weather: drops over noise. Volumes 89 and 827 m3, 1e-5 m3/s, after 1000 s."""
    d = distances(STATION, PARTS, BAROMETERS[1:], 1e-5, 1000.0, CALM)
    sigma = math.sqrt(2 * 0.2**2 + SENSOR_WALK_PA2_S * 1000.0)
    near, far = (PRESSURE_PA * 1e-5 * 1000.0 / volume for volume in (89.0, 827.0))
    # 1 - exp(-x) is x within half of x, here 6e-5; the little weather left is 1e-3 Pa2 of 0.38.
    assert d[0, 2] == pytest.approx(near / sigma, rel=2e-3)
    assert d[1, 2] == pytest.approx(far / sigma, rel=2e-3)
    assert d[0, 1] == pytest.approx(math.hypot(near, far) / sigma, rel=2e-3)


def test_a_compartment_that_nobody_watches_is_found_by_exclusion() -> None:
    """The store has no barometer: alone behind two hatches, its leak is what makes no other fall."""
    parts = STATION.parts({"b", "c"})
    belief = Belief.flat(STATION.rooms, 0.02)
    column = int(np.argmin(np.abs(CONDUCTANCES_M3_S - 2e-4)))
    known = np.full((5, CONDUCTANCES_M3_S.size), -50.0)
    known[:, column] = 0.0  # the leak's size is known from before
    told = belief.told(known).told(fall_evidence(STATION, parts, drops(), 900.0, SETTINGS))
    assert told.of()["store"] > 0.9
