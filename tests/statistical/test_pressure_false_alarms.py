"""How often a cabin without a leak looks like one: years of station weather, and of a cabin as the model has it."""

import numpy as np
import pytest

from benchmarks.accuracy.pressure_table import coverage, quiet, slow_test
from tests.support.pressing import restless

pytestmark = pytest.mark.statistical


def test_years_of_station_weather_keep_to_the_declared_rate() -> None:
    """At most one a year is declared: four years, so four and four sigmas; none of them may be a Caution or more."""
    result = quiet(4.0, seed=21)
    assert result.episodes <= 4 + 4 * 2
    assert result.above_advisory <= 1


def test_a_cabin_that_is_just_what_the_model_says_keeps_to_it_too() -> None:
    """Gaussian through and through, as rough as can be; half a year in cabins of nine days."""
    falls = 0
    for cabin in range(20):
        test = slow_test()
        drift_pa = -6.0 / 60.0 * np.arange(13_149)
        for minute, value in enumerate(drift_pa + restless(np.random.default_rng([5, cabin]), 13_149)):
            test.take(60.0 * minute, float(value), 0.35, 0.0)
            if test.loss is not None and test.loss.believed:
                falls += 1
                break
    assert falls <= 4  # a mean of 0.5: more than 4 in 6,000 such half-years


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """95 % of 300 are 285 with a sigma of 3.8."""
    for name, found, rate, hole, reserve in coverage(300, seed=5):
        assert found >= 295, name
        assert min(rate, hole, reserve) >= 0.90, name
