"""The bank of onsets against generalized least squares with the whole covariance matrix, which is no filter."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.detect.pressure_onsets import MAX_ONSETS, OnsetBank
from controller.detect.pressure_quiet import ORBIT_S, Quiet, QuietFilter
from controller.detect.pressure_rate import RateTracker
from firmware_bridge.units import S_PER_DAY, S_PER_HOUR

STEP_S = 60.0
QUIET = Quiet(drift_pa_h=-6.0, drift_sigma_pa_h=3.0, warmth_sigma=0.0)
NOISE_PA2 = 4.0


def covariance(minutes: int) -> NDArray[np.float64]:
    """Of the quiet cabin: a wander, a walk, the orbit's wave, a drift that hardly changes, noise, and any level."""
    at_s = STEP_S * np.arange(minutes)
    apart_s = np.abs(np.subtract.outer(at_s, at_s))
    wander = QUIET.wander_pa**2 * np.exp(-apart_s / QUIET.wander_s)
    walk = QUIET.walk_pa2_s * np.minimum.outer(at_s, at_s)
    orbit = 0.5 * QUIET.orbit_pa**2 * np.cos(2 * np.pi * apart_s / ORBIT_S) * np.exp(-apart_s / (2 * S_PER_DAY))
    drift = (QUIET.drift_sigma_pa_h / S_PER_HOUR) ** 2 * np.outer(at_s, at_s)
    return wander + walk + orbit + drift + NOISE_PA2 * np.eye(minutes) + 1e8


def run(values_pa: NDArray[np.float64]) -> tuple[QuietFilter, OnsetBank]:
    quiet, bank = QuietFilter(QUIET), OnsetBank()
    quiet.take(float(values_pa[0]), NOISE_PA2, 0.0)
    for value in values_pa[1:]:
        matrix = quiet.move(STEP_S)
        bank.step(matrix, STEP_S, quiet.take(float(value), NOISE_PA2, 0.0))
    return quiet, bank


@pytest.mark.parametrize("age_minutes", [1, 5, 20, 49])
def test_loss_and_sigma_are_those_of_generalized_least_squares(age_minutes: int) -> None:
    """Exact but for the drift, which the filter lets forget itself in a day: 50 minutes of it are 2 %."""
    minutes = 50
    values = 10.0 * np.random.default_rng(1).standard_normal(minutes)
    ramp = -np.maximum(STEP_S * (np.arange(minutes) - (minutes - 1 - age_minutes)), 0.0)
    solved = np.linalg.solve(covariance(minutes), ramp)
    expected = QUIET.drift_pa_h / S_PER_HOUR * STEP_S * np.arange(minutes)
    weight = float(ramp @ solved)
    onset = run(values)[1].nearest(age_minutes * STEP_S)
    assert onset is not None
    assert onset.age_s == age_minutes * STEP_S
    assert onset.sigma_pa_s == pytest.approx(1.0 / math.sqrt(weight), rel=0.02)
    assert onset.loss_pa_s == pytest.approx(float(solved @ (values - expected)) / weight, abs=0.05 * onset.sigma_pa_s)


def test_the_best_onset_is_when_the_leak_began() -> None:
    values = np.zeros(200)
    values[120:] -= 0.2 * STEP_S * np.arange(1, 81)
    onset = run(values)[1].best()
    assert onset is not None
    # Older onsets stand an eighth of their age apart.
    assert onset.age_s == pytest.approx(80 * STEP_S, rel=0.1)
    # The drift that is expected, 6 Pa/h, is no part of the loss: without it the values rise by that much.
    assert onset.loss_pa_s == pytest.approx(0.2 - 6.0 / S_PER_HOUR, rel=0.1)


def test_what_rises_is_told_as_rising() -> None:
    values = np.zeros(60)
    values[30:] += 0.5 * STEP_S * np.arange(1, 31)
    _, bank = run(values)
    rising, best = bank.most_rising(), bank.best()
    assert rising is not None
    assert best is not None
    assert rising.sigmas < -5.0
    assert best.sigmas < 2.0


def test_memory_is_bounded_and_the_oldest_onset_stays() -> None:
    _, bank = run(np.zeros(1500))
    oldest = bank.nearest(math.inf)
    assert oldest is not None
    assert oldest.age_s == 1499 * STEP_S
    assert bank._age_s.size <= MAX_ONSETS
    assert np.all(np.diff(bank._age_s) < 0)


def test_before_values_there_is_nothing_to_say() -> None:
    bank = OnsetBank()
    assert bank.best() is None
    assert bank.most_rising() is None
    assert bank.nearest(100.0) is None
    assert bank.belief() is None


def test_the_belief_about_a_leak_is_what_the_tracker_begins_with() -> None:
    values = np.zeros(100)
    values[60:] -= 0.3 * STEP_S * np.arange(1, 41)
    quiet, bank = run(values)
    belief = bank.belief()
    assert belief is not None
    tracker = RateTracker(quiet, belief)
    assert tracker.loss_pa_s == belief.loss_pa_s
    assert tracker.sigma_pa_s == pytest.approx(math.sqrt(belief.variance))
    assert abs(belief.loss_pa_s - 0.3) < 3.0 * tracker.sigma_pa_s
    assert np.linalg.eigvalsh(tracker._covariance).min() > -1e-9  # together a covariance


def followed(after: NDArray[np.float64], minutes: int = 40) -> RateTracker:
    """A leak of 0.3 Pa/s that was believed after some minutes, and what came then."""
    values = np.zeros(60 + minutes)
    values[60:] -= 0.3 * STEP_S * np.arange(1, minutes + 1)
    quiet, bank = run(values)
    belief = bank.belief()
    assert belief is not None
    tracker = RateTracker(quiet, belief)
    for value in values[-1] + after:
        matrix = quiet.move(STEP_S)
        quiet.take(float(value), NOISE_PA2, 0.0)
        tracker.step(matrix, quiet.noise(STEP_S), 0.0, STEP_S)
        tracker.take(float(value), NOISE_PA2, 0.0)
    return tracker


def test_a_leak_that_goes_on_is_known_ever_better() -> None:
    """Until the hole itself may have changed: 1 % in an hour, 0.003 Pa/s."""
    short, long = (followed(-0.3 * STEP_S * np.arange(1.0, n), minutes=5) for n in (1, 60))
    assert long.sigma_pa_s < 0.5 * short.sigma_pa_s
    assert abs(long.loss_pa_s - 0.3) < 2.0 * long.sigma_pa_s


def test_a_hole_that_grows_or_is_sealed_is_followed() -> None:
    """Ten times as much, or none: after two hours the estimate holds it, and its interval is narrow again."""
    for loss in (3.0, 0.0):
        tracker = followed(-loss * STEP_S * np.arange(1.0, 121.0))
        assert abs(tracker.loss_pa_s - loss) < 3.0 * tracker.sigma_pa_s
        assert tracker.sigma_pa_s < 0.1


def test_an_interval_without_data_only_grows() -> None:
    values = np.zeros(100)
    values[60:] -= 0.3 * STEP_S * np.arange(1, 41)
    quiet, bank = run(values)
    belief = bank.belief()
    assert belief is not None
    tracker = RateTracker(quiet, belief)
    before = tracker.sigma_pa_s
    for _ in range(5):
        matrix = quiet.move(600.0)
        tracker.step(matrix, quiet.noise(600.0), 0.0, 600.0)
        assert tracker.sigma_pa_s >= before
        before = tracker.sigma_pa_s
