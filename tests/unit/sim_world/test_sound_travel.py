"""Travel times in warm and cold air against a numerical integral, curvature included, and against Cramer's table."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.world.air import Air
from sim.world.sound.travel import travel_s

FloatArray = NDArray[np.float64]

AIR = Air(295.15, 101_325.0, 0.5)
CENTRE = (1.0, 0.0, 0.0)


def integrated_s(start_m: FloatArray, end_m: FloatArray, gradient: FloatArray) -> float:
    share = (np.arange(20_000) + 0.5) / 20_000
    places = start_m + share[:, None] * (end_m - start_m)
    temperature_k = AIR.temperature_k + (places - np.array(CENTRE)) @ gradient
    return float(np.linalg.norm(end_m - start_m) * np.mean(1.0 / np.sqrt(1.4 * 287.05 * temperature_k)))


def test_a_bent_path_takes_as_long_as_its_legs() -> None:
    corners = np.array([[0.1, 0.2, -0.5], [2.0, 1.0, 1.0], [1.5, -1.0, 0.3], [1.5, -1.0, 0.3]])
    gradient = (1.0, -2.0, 3.0)
    by_hand = sum(integrated_s(corners[i], corners[i + 1], np.array(gradient)) for i in range(2))
    # the midpoint rule with 20,000 steps is good to 1e-12
    assert float(travel_s(corners, AIR, gradient, CENTRE)) == pytest.approx(by_hand, rel=1e-10)


def test_without_a_gradient_it_is_length_over_speed() -> None:
    corners = np.array([[[0.0, 0.0, 0.0], [3.0, 4.0, 0.0]]])
    assert travel_s(corners, AIR, (0.0, 0.0, 0.0), CENTRE)[0] == pytest.approx(5.0 / AIR.sound_speed_m_s, rel=1e-14)


def test_bending_towards_the_cold_is_negligible() -> None:
    # by Fermat the true time is the least over curves: try bows of the straight 5 m, 2 K/m across it
    gradient = np.array([0.0, 0.0, 2.0])
    share = np.linspace(0.0, 1.0, 2001)
    straight = float(travel_s(np.array([[0.0, 0.0, 0.0], [5.0, 0.0, 0.0]]), AIR, (0.0, 0.0, 2.0), CENTRE))
    least = math.inf
    for bow_m in np.linspace(-0.03, 0.03, 61):
        curve = np.stack([5.0 * share, 0.0 * share, 4.0 * bow_m * share * (1.0 - share)], axis=1)
        least = min(least, float(travel_s(curve, AIR, tuple(gradient), CENTRE)))
    # at 1 K/m the docstring says 0.04 us; it goes with the square of the gradient
    assert 0.0 < straight - least < 4.0 * 0.05e-6


def cramer_m_s(celsius: float, water: float, pressure_pa: float, carbon: float = 0.0004) -> float:
    """Cramer 1993 (J. Acoust. Soc. Am. 93, 2510), equation 15 with the coefficients of table III; good to 300 ppm."""
    t, p = celsius, pressure_pa
    return (
        331.5024 + 0.603055 * t - 0.000528 * t**2
        + (51.471935 + 0.1495874 * t - 0.000782 * t**2) * water
        + (-1.82e-7 + 3.73e-8 * t - 2.93e-10 * t**2) * p
        + (-85.20931 - 0.228525 * t + 5.91e-5 * t**2) * carbon
        - 2.835149 * water**2 - 2.15e-13 * p**2 + 29.179762 * carbon**2 + 0.000486 * water * p * carbon
    )  # fmt: skip


@pytest.mark.parametrize("celsius", [10.0, 20.0, 30.0])
@pytest.mark.parametrize("humidity", [0.3, 0.6, 1.0])
def test_humidity_quickens_sound_as_cramer_says(celsius: float, humidity: float) -> None:
    air = Air(celsius + 273.15, 101_325.0, humidity)
    water = air.water_percent / 100.0
    ratio = cramer_m_s(celsius, water, 101_325.0) / cramer_m_s(celsius, 0.0, 101_325.0)
    # what the ideal gas leaves out grows with the water: measured 0.005 of its mole fraction, at 0.042 (30 C,
    # saturated) 2e-4, inside Cramer's own 300 ppm
    assert air.moist_speed_ratio == pytest.approx(ratio, abs=0.0055 * water)
    assert air.moist_speed_ratio > 1.0003
    assert Air(celsius + 273.15, 101_325.0, 0.0).moist_speed_ratio == pytest.approx(1.0, abs=1e-12)
    assert air.sound_speed_m_s == pytest.approx(cramer_m_s(celsius, 0.0, 101_325.0), rel=6e-4)


@pytest.mark.parametrize("gradient", [(20.0, 0.0, 0.0), (math.nan, 0.0, 0.0), (9.0, 0.0, 0.0)])
def test_refuses_gradients_that_burn_or_freeze(gradient: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"beyond|colder"):
        travel_s(np.array([[0.0, 0.0, 0.0], [30.0, 0.0, 0.0]]), AIR, gradient, CENTRE)
