"""Slow sensors: each error by itself against what it is defined as."""

import numpy as np
import pytest

from sim.node.slow_sensor import SlowCharacter, SlowSensor

P_PA, T_K = 99_330.0, 298.15


def readings(character: SlowCharacter, count: int = 1, period_s: float = 1.0, seed: int = 1) -> np.ndarray:
    sensor, random = SlowSensor(character), np.random.default_rng(seed)
    return np.array([sensor.count(P_PA, T_K, k * period_s, random) for k in range(count)]) * character.scale


def test_an_ideal_sensor_reads_what_there_is() -> None:
    assert readings(SlowCharacter(0.01)) == pytest.approx(P_PA, abs=1e-9)


def test_noise_bias_and_drift() -> None:
    noisy = readings(SlowCharacter(0.01, noise=2.0, bias=30.0), 20_000)
    assert noisy.mean() - P_PA == pytest.approx(30.0, abs=0.07)  # five sigmas of 2 / sqrt(20,000)
    assert noisy.std() == pytest.approx(2.0, rel=0.025)
    drifting = readings(SlowCharacter(0.01, drift_per_day=24.0), 25, 3600.0)
    assert drifting - P_PA == pytest.approx(np.arange(25.0), abs=0.006)


def test_wander_grows_as_the_root_of_time() -> None:
    ends = [readings(SlowCharacter(0.01, wander_per_rtday=3.0), 5, 86_400.0, seed)[-1] - P_PA for seed in range(2000)]
    assert np.std(ends) == pytest.approx(6.0, rel=0.08)  # four days; five sigmas of 1 / sqrt(4,000)


def test_temperature_moves_the_zero() -> None:
    sensor, random = SlowSensor(SlowCharacter(0.01, per_k=1.5)), np.random.default_rng(1)
    assert sensor.count(P_PA, T_K + 10.0, 0.0, random) * 0.01 == pytest.approx(P_PA + 15.0)


@pytest.mark.parametrize("step_pa", [0.16, 10.0])
def test_readings_are_whole_steps(step_pa: float) -> None:
    values = readings(SlowCharacter(0.01, noise=20.0, resolution=step_pa), 2000)
    assert values / step_pa == pytest.approx(np.rint(values / step_pa), abs=1e-6)
    assert np.var(values) == pytest.approx(400.0 + step_pa**2 / 12, rel=0.16)  # five sigmas of sqrt(2 / 2,000)


def test_a_slow_sensor_follows_a_step_exponentially_however_often_it_is_read() -> None:
    for period_s in (1.0, 15.0):
        sensor, random = SlowSensor(SlowCharacter(0.01, response_s=30.0)), np.random.default_rng(1)
        sensor.count(0.0, T_K, 0.0, random)
        values = [sensor.count(1000.0, T_K, at_s, random) for at_s in np.arange(period_s, 30.5, period_s)]
        assert values[-1] * 0.01 == pytest.approx(1000 * (1 - np.exp(-1)), abs=0.006)


def test_a_thermometer_in_its_box_is_too_warm() -> None:
    assert readings(SlowCharacter(0.001, heating=5.0)) == pytest.approx(P_PA + 5.0)


@pytest.mark.parametrize("wrong", [{"scale": 0.0}, {"scale": 1.0, "noise": -1.0}, {"scale": 1.0, "response_s": -1.0}])
def test_impossible_sensors_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"measures nothing|negative"):
        SlowCharacter(**wrong)
