import numpy as np
import pytest
from numpy.typing import NDArray

from controller.cli.pressure_columns import Log
from controller.cli.pressure_log import Answer, judge_log
from controller.detect.pressure import Settings
from controller.detect.pressure_cabins import GRAIN_S, CabinWeights, all_cabins
from controller.detect.pressure_onsets import OnsetBank
from controller.detect.pressure_quiet import Quiet, QuietFilter
from controller.detect.pressure_rough import SPANS_S, Roughness
from controller.measure.leak_size import Settings as SizeSettings
from firmware_bridge.units import S_PER_DAY, S_PER_HOUR

PERIOD_S = 4500.0  # of no orbit
AIR_PA = 101_325.0
DAY = np.linspace(0.0, 86_340.0, 1440, dtype=np.float64)


def wavy(at_s: NDArray[np.float64], seed: int, size_pa: float = 100.0) -> NDArray[np.float64]:
    noise_pa = np.random.default_rng(seed).standard_normal(at_s.size)
    return np.asarray(size_pa * np.sin(2.0 * np.pi * at_s / PERIOD_S) + noise_pa)


def judged(pressure_pa: NDArray[np.float64]) -> Answer:
    log = Log(DAY, {"pressure_pa": AIR_PA + pressure_pa}, {})
    return judge_log(log, 916.0, Settings(), SizeSettings())


def test_at_first_the_cabin_is_as_the_settings_say() -> None:
    cabins = all_cabins(Quiet())
    weights = CabinWeights(cabins)
    assert cabins[weights.usual].quiet == Quiet()
    assert int(np.argmax(weights.log_weight)) == weights.usual
    weights.sees_warmth = True  # then one that swings unseen is less likely still
    assert weights.log_weight[-1] - weights.log_weight[weights.usual] < -10.0


def test_a_wave_is_learned_with_its_period() -> None:
    cabins = all_cabins(Quiet())
    weights = CabinWeights(cabins)
    at_s = np.arange(0.0, S_PER_DAY, GRAIN_S)
    for now_s, value in zip(at_s, wavy(at_s, 1), strict=True):
        weights.learn(float(now_s), float(value), 1.0, 0.0)
    likeliest = cabins[int(np.argmax(weights.log_weight))].quiet
    assert likeliest.orbit_pa > 50.0
    # frequencies are 1 / (16 - 1) of 1/3300 - 1/7800 Hz apart: 5 % of this one's
    assert likeliest.orbit_s == pytest.approx(PERIOD_S, rel=0.06)
    again = CabinWeights(cabins)
    again.seen = weights.seen
    assert int(np.argmax(again.log_weight)) == int(np.argmax(weights.log_weight))


def test_a_wave_without_a_leak_is_no_leak_and_a_leak_in_it_is_one() -> None:
    still = wavy(DAY, 2)
    assert not judged(still).leak
    onset_s, rate_pa_h = 10.0 * S_PER_HOUR, 300.0
    answer = judged(still - rate_pa_h / S_PER_HOUR * np.maximum(DAY - onset_s, 0.0))
    assert answer.leak
    assert answer.detected_s is not None
    assert onset_s < answer.detected_s < onset_s + 2.0 * PERIOD_S
    slope = -rate_pa_h / S_PER_HOUR
    assert abs(answer.fall.rate_pa_s - slope) <= 3.0 * answer.fall.sigma_pa_s


def test_a_kind_of_cabin_that_explains_a_fall_excuses_it() -> None:
    """Two cabins, equally likely: the fall is as significant as in the one that makes least of it."""
    smooth, rough = Quiet(orbit_pa=0.0), Quiet(orbit_pa=0.0, walk_pa2_s=1.0)
    series = np.cumsum(np.full(60, -6.0))
    found = {}
    for name, kinds in {"smooth": (smooth,), "rough": (rough,), "both": (smooth, rough)}.items():
        quiet, bank = QuietFilter(*kinds), OnsetBank(len(kinds))
        quiet.take(0.0, 1.0, 0.0)
        for value in series:
            matrix = quiet.move(60.0)
            bank.step(matrix, 60.0, quiet.take(float(value), 1.0, 0.0))
        best = bank.best(np.zeros(len(kinds)), 0.0)
        assert best is not None
        found[name] = best.sigmas
    assert found["rough"] < 0.5 * found["smooth"]
    assert found["both"] == pytest.approx(found["rough"])


@pytest.mark.parametrize("times", [1.0, 4.0])
def test_a_walk_that_is_rougher_than_said_is_known_as_such(times: float) -> None:
    said = Quiet(wander_pa=0.0, orbit_pa=0.0)
    steps = np.sqrt(said.walk_pa2_s * 60.0) * np.random.default_rng(3).standard_normal(5 * 1440)
    rough = Roughness(waves_taken=True)
    for minute, value in enumerate(times * np.cumsum(steps)):
        rough.take(60.0 * minute, float(value), 1e-3, said)
    # medians of 96 squares have 13 %; of the longest span there are 30, and the largest of three is taken
    assert len(SPANS_S) == 3
    assert 0.8 * times < rough.times < 1.5 * times
