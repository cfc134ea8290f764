"""The statistics of the cabin's weather: slope, path and warmth, whatever the steps."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.world.gas.weather import CabinWeather, integral_variance
from sim.world.gas.weather_settings import WeatherSettings

RESTLESS = WeatherSettings(
    slope_rms_pa_h=18.0,
    slope_correlation_s=600.0,
    temperature_rms_k=0.2,
    temperature_correlation_s=1800.0,
)


@given(exponent=st.floats(-6.0, 1.7))
def test_integral_variance_is_its_integral(exponent: float) -> None:
    ratio = math.pow(10.0, exponent)
    # 2 * integral of (1 - exp(-s))^2 from 0 to u, whose terms are all positive
    nodes, weights = np.polynomial.legendre.leggauss(60)
    place = 0.5 * ratio * (nodes + 1.0)
    expected = ratio * float(np.sum(weights * np.expm1(-place) ** 2))
    assert integral_variance(ratio) == pytest.approx(expected, rel=1e-8)


def slope_pa_h(weather: CabinWeather) -> float:
    """The wandering slope alone, of which `slope_rms_pa_h` is the rms."""
    return weather._slope_pa_s * 3600.0


@pytest.mark.parametrize("steps", [1, 20])
def test_weather_has_its_statistics_whatever_the_step(steps: int) -> None:
    runs, time_s = 2000, 900.0
    seeds = np.random.SeedSequence(11).spawn(runs)
    start, end, pressure, warmth = (np.empty(runs) for _ in range(4))
    for run, seed in enumerate(seeds):
        weather = CabinWeather(RESTLESS, np.random.default_rng(seed))
        start[run] = slope_pa_h(weather)
        for _ in range(steps):
            weather.step(time_s / steps)
        end[run], pressure[run], warmth[run] = (
            slope_pa_h(weather),
            weather.pressure_offset_pa,
            weather.temperature_offset_k,
        )
    ratio = time_s / RESTLESS.slope_correlation_s
    rms_pa = RESTLESS.slope_rms_pa_h / 3600.0 * RESTLESS.slope_correlation_s
    spread_pa2 = 2.0 * rms_pa**2 * (ratio - 1.0 + math.exp(-ratio))
    # a variance from n Gaussian draws has a relative sigma of sqrt(2 / n), a correlation at most 1 / sqrt(n)
    five_sigma = 5.0 * math.sqrt(2.0 / runs)
    assert np.var(end) == pytest.approx(RESTLESS.slope_rms_pa_h**2, rel=five_sigma)
    assert np.var(pressure) == pytest.approx(spread_pa2, rel=five_sigma)
    assert np.var(warmth) == pytest.approx(RESTLESS.temperature_rms_k**2, rel=five_sigma)
    assert np.corrcoef(start, end)[0, 1] == pytest.approx(math.exp(-ratio), abs=5.0 / math.sqrt(runs))
    # Cov(integral, slope at the end) = rms^2 tau (1 - exp(-u)) for a stationary start
    expected = (1.0 - math.exp(-ratio)) * rms_pa / math.sqrt(spread_pa2)
    assert np.corrcoef(pressure, end)[0, 1] == pytest.approx(expected, abs=5.0 / math.sqrt(runs))


def test_weather_comes_back_from_its_seed() -> None:
    first, second, other = (CabinWeather(RESTLESS, np.random.default_rng(seed)) for seed in (3, 3, 4))
    for weather in (first, second, other):
        weather.step(10.0)
        weather.step(20.0)
    assert first.disturbed(1e5, 295.0) == second.disturbed(1e5, 295.0)
    assert first.disturbed(1e5, 295.0) != other.disturbed(1e5, 295.0)


def test_weather_that_stands_still_stays() -> None:
    weather = CabinWeather(RESTLESS, np.random.default_rng(3))
    before = (slope_pa_h(weather), weather.temperature_offset_k)
    weather.step(0.0)
    assert (slope_pa_h(weather), weather.temperature_offset_k, weather.pressure_offset_pa) == (*before, 0.0)


def test_a_kelvin_presses_by_343_pascal() -> None:
    weather = CabinWeather(WeatherSettings(0.0, 1.0, 1.0, 1.0), np.random.default_rng(0))
    pressure_pa, temperature_k = weather.disturbed(101_325.0, 295.15)
    warmth_k = temperature_k - 295.15
    assert warmth_k != 0.0
    assert (pressure_pa - 101_325.0) / warmth_k == pytest.approx(343.3, abs=0.1)
