"""Pressure decay in closed form, and the statistics of the cabin's weather."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.world.gas.atmosphere import Atmosphere, CabinWeather, WeatherSettings, integral_variance
from sim.world.leak.hole import Hole

PASCAL_PER_MMHG = 133.322
RESTLESS = WeatherSettings(
    slope_rms_pa_h=18.0,
    slope_correlation_s=600.0,
    temperature_rms_k=0.2,
    temperature_correlation_s=1800.0,
)


def cabin(volume_m3: float = 916.0) -> Atmosphere:
    return Atmosphere(volume_m3, 101_325.0, 295.15)


def test_decay_is_the_closed_form() -> None:
    air = cabin()
    area_m2 = Hole(2e-3, 0.85).effective_area_m2
    air.step(3600.0, [area_m2])
    # k = 199.3 m/s * area / volume; 1.59 mmHg/h for 2 mm in 916 m3
    rate_per_s = 199.30 * area_m2 / 916.0
    assert air.pressure_pa == pytest.approx(101_325.0 * math.exp(-rate_per_s * 3600.0), abs=0.02)
    assert (101_325.0 - air.pressure_pa) / PASCAL_PER_MMHG == pytest.approx(1.59, abs=0.01)


def test_two_millimetres_reach_490_mmhg_in_8_8_days() -> None:
    air = cabin()
    air.step(8.8 * 86_400.0, [Hole(2e-3, 0.85).effective_area_m2])
    assert air.pressure_pa / PASCAL_PER_MMHG == pytest.approx(490.0, abs=2.0)


@given(
    cuts=st.lists(st.floats(0.0, 5e4), min_size=1, max_size=8),
    areas_m2=st.lists(st.floats(0.0, 1e-4), max_size=4),
)
def test_chopping_time_changes_nothing(cuts: list[float], areas_m2: list[float]) -> None:
    chopped, whole = cabin(), cabin()
    for dt_s in cuts:
        chopped.step(dt_s, areas_m2)
    whole.step(math.fsum(cuts), areas_m2)
    assert chopped.pressure_pa == pytest.approx(whole.pressure_pa, rel=1e-12)


def test_what_leaves_the_mass_is_the_leak_rate() -> None:
    air, hole = cabin(22.0), Hole(5e-3, 0.85)
    before_kg = air.mass_kg
    air.step(1.0, [hole.effective_area_m2])
    # the mean of the rates at both ends: the error is k^2 dt^2 / 12 of it, here 2e-9
    mean_kg_s = 0.5 * (hole.mass_flow_kg_s(101_325.0, 295.15) + air.leak_rate_kg_s)
    assert before_kg - air.mass_kg == pytest.approx(mean_kg_s, rel=1e-7)


def test_no_hole_no_leak() -> None:
    air = cabin()
    air.step(1e6, [])
    assert air.pressure_pa == 101_325.0
    assert air.leak_rate_kg_s == 0.0


def test_holes_add_up() -> None:
    one, two = cabin(), cabin()
    one.step(60.0, [3e-6])
    two.step(60.0, [1e-6, 2e-6])
    assert one.pressure_pa == pytest.approx(two.pressure_pa, rel=1e-14)


@pytest.mark.parametrize(("dt_s", "area_m2"), [(-1.0, 1e-6), (1.0, -1e-6)])
def test_refuses_steps_that_cannot_be(dt_s: float, area_m2: float) -> None:
    with pytest.raises(ValueError, match="cannot step"):
        cabin().step(dt_s, [area_m2])


@given(exponent=st.floats(-6.0, 1.7))
def test_integral_variance_is_its_integral(exponent: float) -> None:
    ratio = math.pow(10.0, exponent)
    # 2 * integral of (1 - exp(-s))^2 from 0 to u, whose terms are all positive
    nodes, weights = np.polynomial.legendre.leggauss(60)
    place = 0.5 * ratio * (nodes + 1.0)
    expected = ratio * float(np.sum(weights * np.expm1(-place) ** 2))
    assert integral_variance(ratio) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("steps", [1, 20])
def test_weather_has_its_statistics_whatever_the_step(steps: int) -> None:
    runs, time_s = 2000, 900.0
    seeds = np.random.SeedSequence(11).spawn(runs)
    start, end, pressure, warmth = (np.empty(runs) for _ in range(4))
    for run, seed in enumerate(seeds):
        weather = CabinWeather(RESTLESS, np.random.default_rng(seed))
        start[run] = weather.slope_pa_h
        for _ in range(steps):
            weather.step(time_s / steps)
        end[run], pressure[run], warmth[run] = (
            weather.slope_pa_h,
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
    before = (weather.slope_pa_h, weather.temperature_offset_k)
    weather.step(0.0)
    assert (weather.slope_pa_h, weather.temperature_offset_k, weather.pressure_offset_pa) == (*before, 0.0)


def test_a_kelvin_presses_by_343_pascal() -> None:
    weather = CabinWeather(WeatherSettings(0.0, 1.0, 1.0, 1.0), np.random.default_rng(0))
    pressure_pa, temperature_k = weather.disturbed(101_325.0, 295.15)
    warmth_k = temperature_k - 295.15
    assert warmth_k != 0.0
    assert (pressure_pa - 101_325.0) / warmth_k == pytest.approx(343.3, abs=0.1)
