"""The quiet cabin's filter: what it expects of wanders, walks, waves, drifts and thermometers."""

import math

import numpy as np
import pytest

from controller.detect.pressure_quiet import DRIFT, ORBIT_COS, ORBIT_S, ORBIT_SIN, WARMTH, Quiet, QuietFilter
from firmware_bridge.units import S_PER_HOUR

STILL = {"wander_pa": 0.0, "walk_pa2_s": 0.0, "orbit_pa": 0.0, "drift_pa_h": 0.0, "drift_sigma_pa_h": 0.0}


def quiet(**changes: float) -> Quiet:
    return Quiet(**{**STILL, "warmth_sigma": 0.0, **changes})


@pytest.mark.parametrize("gap_s", [60.0, 600.0, 7200.0])
def test_what_a_second_value_may_be(gap_s: float) -> None:
    """After one value: twice the noise, a walk D t, and a wander's 2 s2 (1 - exp(-t / tau))."""
    settings = quiet(wander_pa=11.0, walk_pa2_s=0.02)
    kalman = QuietFilter(settings)
    kalman.take(5.0, 2.0, 0.0)
    kalman.move(gap_s)
    variance = 2.0 * 2.0 + 0.02 * gap_s + 2.0 * 121.0 * -math.expm1(-gap_s / 3600.0)
    surprise = kalman.take(5.0, 2.0, 0.0)
    assert surprise.variance_pa2 == pytest.approx(variance, rel=1e-4)  # a level of 1e8 Pa2 is not quite unknown
    assert surprise.innovation_pa == pytest.approx(0.0, abs=1e-3)


def test_the_first_value_surprises_nobody() -> None:
    kalman = QuietFilter(Quiet())
    assert kalman.take(-30_000.0, 1.0, 50.0).sigmas == 0.0
    kalman.rebase()
    assert kalman.take(+900.0, 1.0, 50.0).sigmas == 0.0


def test_the_expected_drift_is_expected() -> None:
    kalman = QuietFilter(quiet(drift_pa_h=-10.0))
    kalman.take(0.0, 1.0, 0.0)
    kalman.move(S_PER_HOUR)
    assert kalman.take(-10.0, 1.0, 0.0).innovation_pa == pytest.approx(0.0, abs=1e-6)


def test_a_wave_with_the_orbit_is_learned() -> None:
    kalman = QuietFilter(quiet(orbit_pa=8.0, wander_pa=1.0))
    at_s = 60.0 * np.arange(400)
    late = []
    for now_s in at_s:
        kalman.move(60.0)
        surprise = kalman.take(7.0 * math.sin(2 * math.pi * now_s / ORBIT_S), 0.1, 0.0)
        late.append(abs(surprise.innovation_pa))
    assert np.mean(late[300:]) < 0.2  # a minute of the wave alone is 0.5 Pa
    assert math.hypot(kalman.mean[ORBIT_COS], kalman.mean[ORBIT_SIN]) == pytest.approx(7.0, rel=0.1)


@pytest.mark.parametrize("truth", [0.0, 0.5, 1.0])
def test_what_thermometers_are_worth_is_learned(truth: float) -> None:
    """A thermometer in a warm box says nothing of the gas, a good one all: the pressure tells which."""
    random = np.random.default_rng(2)
    kalman = QuietFilter(Quiet())
    warmth = np.cumsum(10.0 * random.standard_normal(500))  # 30 mK from minute to minute
    for value in warmth:
        kalman.move(60.0)
        kalman.take(truth * value, 1.0, value)
    assert kalman.worth == pytest.approx(truth, abs=0.05)
    kalman.rebase()
    assert kalman.worth == pytest.approx(truth, abs=0.05)  # another level does not change the thermometer
    assert kalman.covariance[WARMTH, WARMTH] < 0.01


def test_the_drift_forgets_itself_toward_what_is_expected() -> None:
    kalman = QuietFilter(quiet(drift_pa_h=-6.0, drift_sigma_pa_h=6.0))
    kalman.mean[DRIFT] = 0.01
    for _ in range(10):
        kalman.move(86_400.0)
    assert kalman.mean[DRIFT] * S_PER_HOUR == pytest.approx(-6.0, abs=0.01)
    assert math.sqrt(kalman.covariance[DRIFT, DRIFT]) * S_PER_HOUR == pytest.approx(6.0)
