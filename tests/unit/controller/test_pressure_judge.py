"""What several pressure sensors say together: false alarms of a restless cabin, real falls, sensors that lie."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.detect.pressure import STALE_NS, WINDOWS_S, PressureHistory, PressureTrend, Settings, judge
from firmware_bridge.units import NS_PER_S
from tests.support.pressing import (
    BLOCK_S,
    START_PA,
    block_times,
    episodes_of_false_falls,
    histories,
    history,
    random_walk,
)

D = Settings().random_walk_pa2_s
BLOCKS_A_YEAR = round(365.25 * 86_400 / BLOCK_S)


def line(slope_pa_s: float, blocks: int = 220) -> NDArray[np.float64]:
    return START_PA + slope_pa_s * block_times(blocks)


def judged(means_pa: dict[str, NDArray[np.float64]], *, since_s: float | None = None) -> PressureTrend:
    trend = judge(histories(means_pa), Settings(), since_s=since_s)
    assert trend is not None
    return trend


def slepian_rate_a_year(threshold: float) -> float:
    """How often a sum over the windows of a continuous random walk's fall crosses `threshold` sigmas (an upper bound).

    Slepian's process, correlation 1 - |t| / L: crossings a second u phi(u) / L for high u (Slepian 1961, Shepp 1971);
    looking every 5 s only, and the sensor noise that sigma holds too, both make it rarer.
    """
    crossing = threshold * math.exp(-(threshold**2) / 2) / math.sqrt(2 * math.pi)
    return 365.25 * 86_400 * crossing * sum(1 / window_s for window_s in WINDOWS_S)


def test_a_year_of_a_restless_cabin_gives_no_false_fall() -> None:
    assert slepian_rate_a_year(Settings().threshold_sigmas) < 0.65
    walk = random_walk(np.random.default_rng(1), BLOCKS_A_YEAR, D)
    # Poisson with a mean of 0.65 at most: more than 3 in a thousandth of all years.
    assert episodes_of_false_falls(walk, Settings()) <= 3


def test_the_threshold_is_what_keeps_a_year_quiet() -> None:
    """The same year asked less strictly: the count must follow the theory, or the test above proves nothing."""
    walk = random_walk(np.random.default_rng(1), BLOCKS_A_YEAR, D)
    expected = slepian_rate_a_year(4.5)  # 76, an upper bound; one in five survives sampling and sensor noise
    assert 3 <= episodes_of_false_falls(walk, Settings(threshold_sigmas=4.5)) <= expected


def test_a_two_millimetre_hole_is_found_within_half_an_hour() -> None:
    """1.59 mmHg/h in the whole station is 0.059 Pa/s: 0.196 sqrt(L) sigmas, 8.6 over the window of 1,920 s.

    Its estimate has a sd of one sigma, so of all runs 0.1 % stay below 5.5 there; in 40 runs, one may.
    """
    slope_pa_s = 1.59 * 133.322 / 3600.0
    blocks = round(1930.0 / BLOCK_S) + 1
    found = []
    for seed in range(40):
        walk = random_walk(np.random.default_rng(seed), blocks, D)
        found.append(judged({"P1": walk - slope_pa_s * block_times(blocks)}).significant)
    assert sum(found) >= 39


def test_significance_is_unbiased_and_of_unit_spread() -> None:
    slope_pa_s, window_s = 0.05, 480.0
    blocks = round(window_s / BLOCK_S) + 2
    sigmas = []
    for seed in range(400):
        walk = random_walk(np.random.default_rng(1000 + seed), blocks, D) - slope_pa_s * block_times(blocks)
        fall = history(walk).fall_over(window_s)
        assert fall is not None
        sigmas.append(fall.sigmas)
    # The walk's own steps look like sensor noise of sqrt(5 D / 3) = 0.39 Pa, which sigma holds besides D L: a third of
    # a per cent. Four sigmas of a mean and of a spread from 400 draws: 4 / sqrt(400) and 4 / sqrt(800).
    assert np.mean(sigmas) == pytest.approx(slope_pa_s * math.sqrt(window_s / D), abs=0.2)
    assert np.std(sigmas) == pytest.approx(1.0, abs=0.15)


def test_the_rate_is_that_of_the_longest_steady_window() -> None:
    trend = judged({"P1": line(-0.2)})
    assert trend.fall.window_s == 960.0  # of a steady fall the longest window known
    late = line(-0.001)
    late[-27:] -= 8.0 * np.arange(27)  # 130 s of 1.6 Pa/s, of which 125 are in complete blocks
    young = judged({"P1": late})
    assert young.fall.window_s == 120.0
    assert young.fall.rate_pa_s == pytest.approx(-1.601)


@pytest.mark.parametrize("age_s", [180.0, 350.0, 700.0])
def test_the_rate_of_a_leak_younger_than_the_window_is_not_diluted(age_s: float) -> None:
    """These ages are just below a window times 3/4: that window is the most significant, and a quarter of it is tight.

    Its rate would be 25 % low, nine sigmas. The 95 % interval of the steady window must hold the true rate: of 60 runs
    in 57 with an sd of 1.7. Choosing the window by the same data costs some: six sd.
    """
    loss_pa_s, before, blocks = 1.0, 250, round(age_s / BLOCK_S)
    held = []
    for seed in range(60):
        walk = random_walk(np.random.default_rng([seed, 5]), before + blocks + 2, D)
        walk[before:] -= loss_pa_s * BLOCK_S * np.arange(blocks + 2)
        trend = judged({"P1": walk})
        assert trend.significant
        held.append(abs(-trend.fall.rate_pa_s - loss_pa_s) < 1.96 * trend.fall.sigma_pa_s)
    assert sum(held) >= 57 - 6 * 1.7


def test_a_known_onset_asks_for_less() -> None:
    # 0.025 Pa/s over 240 s is 0.025 x 240 / sqrt(0.09 x 240) = 1.3, over 900 s 2.5 sigmas; twice as steep 2.6 and 5.0.
    steep = {"P1": line(-0.05)}
    assert not judged(steep).significant
    assert judged(steep, since_s=900.0).significant
    assert not judged(steep, since_s=240.0).significant
    assert not judged({"P1": line(-0.025)}, since_s=900.0).significant
    assert not judged({"P1": line(+0.5)}, since_s=900.0).significant


def test_a_rise_is_never_significant() -> None:
    trend = judged({"P1": line(+1.0), "P2": line(+1.0)})
    assert not trend.significant
    assert trend.agreeing == ()
    assert trend.watched == ("P1", "P2")


def test_one_of_three_sensors_cannot_lie_either_way() -> None:
    alone = judged({"P1": line(-5.0), "P2": line(-0.001), "P3": line(-0.001)})
    assert not alone.significant
    assert alone.agreeing == ("P1",)
    stuck = judged({"P1": line(-0.001), "P2": line(-0.5), "P3": line(-0.5)})
    assert stuck.significant
    assert stuck.agreeing == ("P2", "P3")
    assert stuck.fall.rate_pa_s == pytest.approx(-0.5)
    rising = judged({"P1": line(+5.0), "P2": line(-0.5), "P3": line(-0.4)})
    assert rising.significant
    assert rising.fall.rate_pa_s == pytest.approx(-0.4)


def test_of_two_sensors_the_smaller_fall_is_believed() -> None:
    assert not judged({"P1": line(-5.0), "P2": line(-0.001)}).significant
    both = judged({"P1": line(-5.0), "P2": line(-0.3)})
    assert both.significant
    assert both.fall.rate_pa_s == pytest.approx(-0.3)
    assert both.agreeing == ("P1", "P2")


def test_a_sensor_agrees_that_reaches_half_of_what_is_asked() -> None:
    # Over 960 s a slope of s is s sqrt(960 / 0.09) = 103 s sigmas: 2.75 are asked, half of 5.5.
    weak = judged({"P1": line(-0.5), "P2": line(-0.026), "P3": line(-0.5)})
    assert weak.agreeing == ("P1", "P3")
    assert judged({"P1": line(-0.5), "P2": line(-0.0275), "P3": line(-0.5)}).agreeing == ("P1", "P2", "P3")


def test_a_sensor_that_fell_silent_has_no_say() -> None:
    """What P1 said before its cable broke is of another window than what P2 and P3 say now."""
    silent_blocks = STALE_NS // NS_PER_S // round(BLOCK_S)
    broken = line(-2.0)[: -silent_blocks - 1]
    trend = judged({"P1": broken, "P2": line(-1.0), "P3": line(-0.001)})
    assert trend.watched == ("P2", "P3")
    assert not trend.significant
    nearly = line(-2.0)[:-silent_blocks]
    assert judged({"P1": nearly, "P2": line(-1.0), "P3": line(-0.001)}).watched == ("P1", "P2", "P3")


def test_a_stuck_sensor_does_not_veto_one_that_falls() -> None:
    trend = judged({"P1": line(-10.0), "P2": line(0.0)})
    assert trend.significant
    assert trend.agreeing == ("P1",)


def test_nothing_known_is_no_trend() -> None:
    assert judge({}, Settings()) is None
    assert judge({"P1": PressureHistory(Settings())}, Settings()) is None
    assert judge(histories({"P1": line(-1.0, 5)}), Settings()) is None
    assert judge(histories({"P1": line(-1.0)}), Settings(), since_s=5000.0) is None
