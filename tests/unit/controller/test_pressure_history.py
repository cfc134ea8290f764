"""One pressure sensor's falls against closed forms: slopes, noise, temperature, gaps, what comes late."""

import math

import numpy as np
import pytest

from controller.detect.pressure import (
    BLOCK_NS,
    MAX_BLOCKS,
    MIN_NOISE_PA,
    TEMPERATURE_MEMORY_S,
    WINDOWS_S,
    Fall,
    PressureHistory,
    Settings,
)
from firmware_bridge.units import NS_PER_S
from tests.support.pressing import BLOCK_S, START_PA, block_times, history, scalars, temperatures

D = Settings().random_walk_pa2_s


def falls(sensor: PressureHistory, window_s: float) -> Fall:
    fall = sensor.fall_over(window_s)
    assert fall is not None
    return fall


@pytest.mark.parametrize("window_s", [60.0, 120.0, 240.0, 480.0])
@pytest.mark.parametrize("slope_pa_s", [-0.5, 0.0, 0.02])
def test_a_steady_slope_is_found_exactly_with_the_declared_sigma(window_s: float, slope_pa_s: float) -> None:
    sensor = history(START_PA + slope_pa_s * block_times(110))
    fall = falls(sensor, window_s)
    assert fall.window_s == window_s
    assert fall.rate_pa_s == pytest.approx(slope_pa_s, abs=1e-9)
    # A straight line has no second differences: of the sensor's noise only the assumed minimum is left.
    assert fall.sigma_pa_s == pytest.approx(math.sqrt(D * window_s + 2 * MIN_NOISE_PA**2) / window_s)
    assert fall.sigmas == pytest.approx(-slope_pa_s / fall.sigma_pa_s)
    assert fall.pressure_pa == pytest.approx(START_PA + slope_pa_s * BLOCK_S * 108.5)  # the newest complete block


def test_values_of_a_block_are_averaged_and_the_newest_block_waits() -> None:
    sensor = PressureHistory(Settings())
    time_s = np.arange(0.0, 70.0, 0.5)
    ripple = np.where(np.arange(len(time_s)) % 2, 3.0, -3.0)
    sensor.take_pressure(scalars(time_s, START_PA + ripple))
    sensor.take_pressure(scalars(70.0, 0.0))  # would ruin every fall if it counted before its block is complete
    fall = falls(sensor, 60.0)
    assert fall.rate_pa_s == pytest.approx(0.0, abs=1e-9)
    assert fall.pressure_pa == pytest.approx(START_PA)
    assert sensor.last_pa == 0.0


def test_the_sensors_own_noise_is_learned() -> None:
    # The estimate rests on eleven second differences, sd a third of it; averaged over 200 sensors it is within 3 %.
    # The median of absolute Gaussian values times 1.4826 is the sd: eleven values and their correlation bias it by less
    # than 10 %.
    random = np.random.default_rng(3)
    noise_pa = 20.0
    estimates = []
    for _ in range(200):
        sigma_pa = falls(history(START_PA + noise_pa * random.standard_normal(20)), 60.0).sigma_pa_s * 60.0
        estimates.append(math.sqrt((sigma_pa**2 - D * 60.0) / 2))
    assert np.mean(estimates) == pytest.approx(noise_pa, rel=0.13)


def test_little_is_known_at_first() -> None:
    sensor = PressureHistory(Settings())
    assert sensor.fall_over(60.0) is None
    assert sensor.last_pa is None
    sensor.take_pressure(scalars(block_times(12), START_PA))
    assert sensor.fall_over(60.0) is None  # 11 complete blocks, 50 s from the first to the last
    sensor.take_pressure(scalars([62.5], START_PA))
    assert falls(sensor, 60.0).window_s == 55.0  # one block short is near enough
    sensor.take_pressure(scalars([67.5], START_PA))
    assert falls(sensor, 60.0).window_s == 60.0
    assert sensor.fall_over(120.0) is None


@pytest.mark.parametrize(
    ("missing", "window_s"),
    [((7, 8), 55.0), ((7, 9), None), ((12, 17), 60.0)],
    ids=["one block at the start", "two blocks at the start", "in the middle"],
)
def test_a_gap_counts_only_at_the_start_of_the_window(missing: tuple[int, int], window_s: float | None) -> None:
    # 21 blocks: the window of 60 s goes from block 7 to block 19.
    kept = np.r_[0 : missing[0], missing[1] : 21]
    sensor = PressureHistory(Settings())
    sensor.take_pressure(scalars(block_times(21)[kept], START_PA - 0.5 * block_times(21)[kept]))
    fall = sensor.fall_over(60.0)
    assert (None if fall is None else fall.window_s) == window_s
    if fall is not None:
        assert fall.rate_pa_s == pytest.approx(-0.5)


def test_a_late_value_changes_no_finished_block() -> None:
    sensor = history(np.full(30, START_PA))
    sensor.take_pressure(scalars([42.0, 72.0], 0.0))
    assert falls(sensor, 60.0).rate_pa_s == 0.0
    assert falls(sensor, 60.0).pressure_pa == START_PA


def test_values_out_of_order_within_the_newest_block_count() -> None:
    sensor = history(np.full(20, START_PA))
    sensor.take_pressure(scalars([101.0, 104.0, 102.0], [START_PA - 3.0, START_PA - 3.0, START_PA + 6.0]))
    sensor.take_pressure(scalars([106.0], START_PA))
    assert falls(sensor, 60.0).pressure_pa == pytest.approx(START_PA)


def test_a_warming_cabin_is_no_leak_and_no_cure() -> None:
    """In a closed volume P follows T; the compensated pressure falls only by what leaks."""
    slow_k_s = 0.5 / 3600.0  # half a kelvin an hour: 171 Pa/h uncompensated
    time_s = np.arange(0.0, 2000.0, 1.0)
    temperature_k = 295.0 + slow_k_s * time_s
    leak = np.exp(-5e-7 * time_s)
    sensor = PressureHistory(Settings())
    for at_s, kelvin, pressure in zip(time_s, temperature_k, START_PA * leak * temperature_k / 295.0, strict=True):
        sensor.take_temperature(temperatures(at_s, kelvin))
        sensor.take_pressure(scalars(at_s, pressure))
    fall = falls(sensor, 960.0)
    # The smoothed temperature lags by its memory of 60 s: 8 mK or 2.8 Pa, the same at both ends of the window. Only
    # what the lag changed since the start, exp(-1035 / 60), is left: below 1e-6 Pa/s.
    assert fall.rate_pa_s == pytest.approx(-5e-7 * START_PA, rel=2e-3)
    # A ramp in steps of 1 s, each taken at its end, is half a step ahead of the ramp.
    assert sensor.temperature_k == pytest.approx(temperature_k[-1] - slow_k_s * (TEMPERATURE_MEMORY_S - 0.5), abs=1e-6)


def test_a_step_of_temperature_is_followed_with_the_memory_of_the_gas() -> None:
    sensor = PressureHistory(Settings())
    sensor.take_temperature(temperatures([0.0], 290.0))
    sensor.take_temperature(temperatures([30.0], 300.0))
    assert sensor.temperature_k == pytest.approx(290.0 + 10.0 * -math.expm1(-0.5))
    # The same after any chopping of a constant temperature into values: the filter is exact for a held value.
    sensor.take_temperature(temperatures(np.arange(31.0, 91.0), 300.0))
    assert sensor.temperature_k == pytest.approx(300.0 - 10.0 * math.exp(-90.0 / TEMPERATURE_MEMORY_S))


def test_without_a_thermometer_pressures_are_taken_as_they_are() -> None:
    sensor = history(np.linspace(START_PA, START_PA - 10.0, 30))
    assert sensor.temperature_k is None
    assert falls(sensor, 60.0).rate_pa_s == pytest.approx(-10.0 / 29 / BLOCK_S)


def test_memory_is_bounded_and_holds_the_longest_window() -> None:
    assert max(WINDOWS_S) * NS_PER_S < MAX_BLOCKS * BLOCK_NS
    sensor = history(START_PA - 0.001 * block_times(2 * MAX_BLOCKS + 10))
    assert len(sensor._blocks) <= 2 * MAX_BLOCKS
    assert falls(sensor, max(WINDOWS_S)).rate_pa_s == pytest.approx(-0.001)


def test_the_newest_block_is_known_by_its_start() -> None:
    assert PressureHistory(Settings()).newest_ns is None
    assert history(np.full(3, START_PA)).newest_ns == 2 * BLOCK_NS
