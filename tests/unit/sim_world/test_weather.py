"""The transition laws of the cabin's weather in closed form, its stationarity, its stillness and its seed."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.accuracy.cabin_log import ManyCabins
from sim.scenario.weather import WeatherTable
from sim.world.gas.weather import CabinWeather, Transition, puff_answer
from sim.world.gas.weather_settings import DAY_S, ORBIT_S, PRESETS, WeatherSettings, preset

STATION = preset("station", slope_rms_pa_h=15.0, slope_correlation_s=700.0)
PUFFS = WeatherSettings(puff_pa=25.0, puff_rate_per_h=3.0, puff_rise_s=300.0, puff_fade_s=1500.0)


def spread(move: Transition) -> np.ndarray:
    """Covariance of what joins (slope, path, warmth, vapour) in one step."""
    joins = np.array(
        [
            [move.slope_new, 0.0, 0.0, 0.0],
            [move.path_shared, move.path_rest, 0.0, 0.0],
            [0.0, 0.0, move.warmth_new, 0.0],
            [0.0, 0.0, 0.0, move.vapour_new],
        ]
    )
    return joins @ joins.T


def mean(move: Transition) -> np.ndarray:
    """What a step makes of (slope, path, warmth, vapour)."""
    matrix = np.diag([move.slope_keep, 1.0, move.warmth_keep, move.vapour_keep])
    matrix[1, 0] = move.path_per_slope_s
    return matrix


@given(first_s=st.floats(0.01, 5000.0), second_s=st.floats(0.01, 5000.0))
@settings(max_examples=60)
def test_two_steps_are_one(first_s: float, second_s: float) -> None:
    first, second, whole = (Transition.over(dt_s, STATION) for dt_s in (first_s, second_s, first_s + second_s))
    assert mean(second) @ mean(first) == pytest.approx(mean(whole), rel=1e-9, abs=1e-12)
    joined = mean(second) @ spread(first) @ mean(second).T + spread(second)
    # the path's own variance is a difference of near equals in short steps: 1e-8 of it as in integral_variance
    assert joined == pytest.approx(spread(whole), rel=1e-7, abs=1e-18)
    kept = second.puff_keep * first.puff_per_coming + second.puff_per_coming * first.coming_keep
    assert kept == pytest.approx(whole.puff_per_coming, rel=1e-9, abs=1e-12)


def test_six_hundred_seconds_are_six_hundred_steps() -> None:
    second, whole = Transition.over(1.0, STATION), Transition.over(600.0, STATION)
    covariance = np.zeros((4, 4))
    for _ in range(600):
        covariance = mean(second) @ covariance @ mean(second).T + spread(second)
    assert covariance == pytest.approx(spread(whole), rel=1e-7, abs=1e-18)


def test_a_stationary_cabin_stays_so() -> None:
    move = Transition.over(37.0, STATION)
    for keep, new, rms in (
        (move.slope_keep, move.slope_new, STATION.slope_rms_pa_h / 3600.0),
        (move.warmth_keep, move.warmth_new, STATION.temperature_rms_k),
        (move.vapour_keep, move.vapour_new, STATION.vapour_rms_pa),
    ):
        assert (keep * rms) ** 2 + new**2 == pytest.approx(rms**2, rel=1e-12)


@pytest.mark.parametrize("dt_s", [7.0, 600.0, 20_000.0])
def test_puffs_come_when_they_come_however_time_is_chopped(dt_s: float) -> None:
    whole, chopped = (CabinWeather(PUFFS, np.random.default_rng(5)) for _ in range(2))
    for _ in range(3):
        whole.step(dt_s)
        for _ in range(50):
            chopped.step(dt_s / 50)
        assert chopped.pressure_offset_pa == pytest.approx(whole.pressure_offset_pa, abs=1e-8)


def test_puffs_are_shot_noise() -> None:
    # Campbell 1909: mean n a F, variance n a^2 F / 2 * F / (F + R) for the answer F/(F-R) (exp(-t/F) - exp(-t/R))
    cabins = 4000
    many = ManyCabins(PUFFS, np.random.default_rng(2), cabins)
    rate_per_s = PUFFS.puff_rate_per_h / 3600.0
    fade_s, rise_s = PUFFS.puff_fade_s, PUFFS.puff_rise_s
    mean_pa = rate_per_s * PUFFS.puff_pa * fade_s
    variance_pa2 = rate_per_s * PUFFS.puff_pa**2 * 0.5 * fade_s**2 / (fade_s + rise_s)
    for _ in range(2):  # at the start as drawn, and after a step as moved
        held_pa = np.asarray(many._puff_pa)
        assert np.mean(held_pa) == pytest.approx(mean_pa, abs=5.0 * math.sqrt(variance_pa2 / cabins))
        # excess kurtosis int h^4 / (n (int h^2)^2) = 0.56: a variance of N draws has a relative sigma sqrt(2.56 / N)
        assert np.var(held_pa) == pytest.approx(variance_pa2, rel=5.0 * math.sqrt(2.56 / cabins))
        many.step(4000.0)


def test_a_puff_gives_what_it_holds_while_none_is_taken_up() -> None:
    slow = replace(PUFFS, puff_fade_s=1e5, puff_rate_per_h=0.1)
    # after 10 rises all is in; the fade has taken 3000 / 1e5, the lag of the rise gives 300 / 1e5 of it back
    assert puff_answer(3000.0, slow) == pytest.approx(1.0 - 0.03 + 0.003, abs=1e-3)


def test_waves_have_their_amplitude_and_period() -> None:
    cabin = CabinWeather(WeatherSettings(orbit_wave_pa=7.0, day_wave_k=0.05), np.random.default_rng(8))
    pressures, warmths = [], []
    for _ in range(1000):
        pressures.append(cabin.pressure_offset_pa)
        cabin.step(ORBIT_S / 1000)
    assert np.ptp(pressures) == pytest.approx(14.0, rel=1e-4)
    assert cabin.pressure_offset_pa == pytest.approx(0.0, abs=1e-9)
    for _ in range(1000):
        warmths.append(cabin.temperature_offset_k)
        cabin.step(DAY_S / 1000)
    assert np.ptp(warmths) == pytest.approx(0.1, rel=1e-4)


def test_what_is_consumed_is_fed() -> None:
    fed = WeatherSettings(consumption_pa_h=12.0, feed_band_pa=60.0, feed_rate_pa_h=132.0)
    cabin = CabinWeather(fed, np.random.default_rng(1))
    offsets = [0.0]
    for _ in range(4 * 5500):  # 5 h down, 0.5 h up; four cycles in steps of 3.6 s
        cabin.step(3.6)
        offsets.append(cabin.pressure_offset_pa)
    slopes_pa_h = np.diff(offsets) / 3.6 * 3600.0
    assert np.ptp(offsets) == pytest.approx(60.0, abs=0.12)  # the turn lies within a step of 120 Pa/h
    assert np.quantile(slopes_pa_h, [0.01, 0.9, 0.92, 0.99]) == pytest.approx([-12.0, -12.0, 120.0, 120.0], rel=1e-6)
    assert offsets[-1] == pytest.approx(0.0, abs=1e-6)


def test_many_cabins_are_cabins() -> None:
    """What steps side by side has the spread of what steps alone."""
    time_s, cabins = 3000.0, 1500
    alone = []
    for seed in np.random.SeedSequence(4).spawn(cabins):
        cabin = CabinWeather(STATION, np.random.default_rng(seed))
        cabin.step(time_s)
        alone.append(cabin.pressure_offset_pa)
    many = ManyCabins(STATION, np.random.default_rng(4), cabins)
    many.step(time_s)
    # A spread between these quantiles of n Gaussian draws has a relative sigma of 1.04 / sqrt(n): 0.15 is four sigma of
    # two such. Feeds, 1.8 % of the time, stay outside.
    middle, side = (np.subtract(*np.quantile(values, [0.8, 0.2])) for values in (alone, many.pressure_offset_pa))
    assert middle == pytest.approx(side, rel=0.15)


@pytest.mark.parametrize("dt_s", [0.0, 1.0, 86_400.0])
def test_still_weather_is_exactly_still(dt_s: float) -> None:
    cabin = CabinWeather(preset("still"), np.random.default_rng(9))
    for _ in range(300):
        cabin.step(dt_s)
    assert cabin.disturbed(101_325.0, 295.15) == (101_325.0, 295.15)


@pytest.mark.parametrize("name", list(PRESETS))
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    def track(seed: int) -> bytes:
        cabin = CabinWeather(preset(name), np.random.default_rng(seed))
        steps = [1.0, 0.25, 700.0] * 200
        rows = []
        for dt_s in steps:
            cabin.step(dt_s)
            rows.append((cabin.pressure_offset_pa, cabin.temperature_offset_k))
        return np.array(rows).tobytes()

    assert track(3) == track(3)
    assert name == "still" or track(3) != track(4)


def test_old_keys_alone_mean_what_they_meant() -> None:
    cabins = 4000
    many = ManyCabins(WeatherSettings(20.0, 900.0, 0.02, 3600.0), np.random.default_rng(6), cabins)
    for _ in range(9):
        many.step(100.0)
    # one correlation time on: variance 2 (s tau)^2 (u - 1 + exp(-u)) at u = 1; five sigma of a variance of n draws
    expected_pa2 = 2.0 * (20.0 / 3600.0 * 900.0) ** 2 * math.exp(-1.0)
    assert np.var(many.pressure_offset_pa) == pytest.approx(expected_pa2, rel=5.0 * math.sqrt(2.0 / cabins))


def test_a_table_changes_a_preset_by_what_it_writes_down() -> None:
    table = WeatherTable(preset="station", puff_pa=0.0)
    assert preset(table.preset, **table.changes()) == replace(PRESETS["station"], puff_pa=0.0)
    assert preset("still", **WeatherTable().changes()) == WeatherSettings()


def test_table_and_settings_have_the_same_keys_and_defaults() -> None:
    table = {name: field.default for name, field in WeatherTable.model_fields.items() if name != "preset"}
    assert table == {field.name: field.default for field in fields(WeatherSettings)}
    for weather in PRESETS.values():
        WeatherTable(**{field.name: getattr(weather, field.name) for field in fields(weather)})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"slope_rms_pa_h": -1.0}, "slope_rms_pa_h"),
        ({"vapour_rms_pa": math.nan}, "vapour_rms_pa"),
        ({"vapour_correlation_s": 0.0}, "must be positive"),
        ({"day_wave_pa": math.inf}, "day_wave_pa"),
        ({"puff_rise_s": 2400.0}, "cannot fade"),
        ({"puff_rate_per_h": 1000.0}, "no puffs"),
        ({"consumption_pa_h": 600.0, "feed_band_pa": 1.0}, "never makes good"),
    ],
)
def test_refuses_weather_that_cannot_be(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        WeatherSettings(**wrong)


def test_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="no weather is called 'storm'"):
        preset("storm")
    for dt_s in (-1.0, math.nan):
        with pytest.raises(ValueError, match="cannot step"):
            CabinWeather(STATION, np.random.default_rng(0)).step(dt_s)
