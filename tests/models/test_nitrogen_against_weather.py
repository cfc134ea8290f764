"""The nitrogen watch in the simulated cabin's weather: what it notices how soon, and what it leaves.

Longer runs of the same: `python -m benchmarks.accuracy.nitrogen_table`.
"""

import pytest

from benchmarks.accuracy.nitrogen_table import coverage, quiet
from benchmarks.accuracy.pressure_table import scenario
from firmware_bridge.units import S_PER_HOUR

SHIPPED_SEED = 1


def test_a_quiet_fortnight_says_nothing() -> None:
    """At most one false fall a year is declared: in a fortnight, one is 4 % likely, two are not."""
    assert quiet(1 / 26, seed=11)[1] <= 1


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of 10 leaks 95 % is 9.5 with a sigma of 0.7; four sigmas below."""
    for name, found, share, _ in coverage(10, seed=3):
        assert found >= 9, name
        assert share * found >= 9.5 - 4 * 0.7, name


def test_destinys_hose_is_noticed_within_twelve_hours() -> None:
    """1.5 mmHg a day from 90 s on; the shipped seed, whose weather moves by ten times as much in an hour."""
    told = scenario("destiny-hose-2004", SHIPPED_SEED, 12.0 * S_PER_HOUR, 10.0)
    assert told
    _, first = told[0]
    assert "G1-nitrogen" in first.trend.agreeing
    # 200 Pa a day are 2.3e-3 Pa/s
    assert first.size.rate_pa_s.low < 2.31e-3 < first.size.rate_pa_s.high


def test_a_crack_of_a_shut_chamber_is_none_of_the_stations_nitrogen() -> None:
    """Zvezda, 2020: with its hatch shut only the chamber falls, and only its own barometer is named."""
    told = scenario("zvezda-crack-2020", 1, 0.5 * S_PER_HOUR)
    assert told
    assert all("G1-nitrogen" not in one.trend.agreeing for _, one in told)


@pytest.mark.statistical
def test_a_year_of_station_weather_keeps_to_the_declared_rate() -> None:
    """One a year is declared; two years, so two and four sigmas."""
    assert quiet(2.0, seed=21)[1] <= 2 + 4 * 1.4


@pytest.mark.statistical
def test_the_hose_is_noticed_whatever_the_seed() -> None:
    for seed in range(1, 9):
        assert scenario("destiny-hose-2004", seed, 12.0 * S_PER_HOUR, 5.0), seed
