"""Of which gases the weather is: parts add up to it, nitrogen feels warmth only, no room loses what it has not got."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.units import S_PER_DAY
from sim.world.gas.cabin import Four
from sim.world.gas.species import MOLAR_GAS_CONSTANT_J_MOL_K, Species, air
from sim.world.gas.weather import CabinWeather
from sim.world.gas.weather_settings import WeatherSettings, preset
from sim.world.gas.weather_species import BREATHED_OF_MADE, HIDDEN_WARMTH, WeatherParts, mixed

CABIN: Four = air(100_000.0, 295.0, oxygen_pa=21_000.0, carbon_dioxide_pa=400.0, relative_humidity=0.45).partial_pa
PA = st.floats(-500.0, 500.0)
ROUGH = preset("station", slope_rms_pa_h=20.0)


def after(weather: WeatherSettings, hours: float, seed: int = 1) -> CabinWeather:
    cabin = CabinWeather(weather, np.random.default_rng(seed))
    cabin.step(3600.0 * hours)
    return cabin


@pytest.mark.parametrize("hours", [0.0, 0.1, 7.0, 100.0])
def test_the_parts_are_the_whole(hours: float) -> None:
    cabin = after(ROUGH, hours)
    assert sum(cabin.parts) == pytest.approx(cabin.pressure_offset_pa, abs=1e-9)
    assert hours > 0.0 or cabin.parts == WeatherParts(0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "weather",
    [
        WeatherSettings(slope_rms_pa_h=50.0),
        WeatherSettings(puff_pa=25.0, puff_rate_per_h=5.0),
        WeatherSettings(consumption_pa_h=12.0, feed_band_pa=100.0),
    ],
)
def test_nobody_breathes_or_feeds_nitrogen(weather: WeatherSettings) -> None:
    cabin = after(weather, 5.0)
    assert abs(cabin.pressure_offset_pa) > 1.0
    assert mixed(CABIN, 1.0, cabin.parts, 1.0)[Species.NITROGEN] == CABIN[Species.NITROGEN]


@pytest.mark.parametrize(("what", "share"), [("orbit_wave_pa", 1.0), ("day_wave_pa", HIDDEN_WARMTH)])
def test_unseen_warmth_moves_nitrogen_as_all_gas(what: str, share: float) -> None:
    cabin = after(replace(WeatherSettings(), **{what: 20.0}), 0.4)
    nitrogen_pa = mixed(CABIN, 1.0, cabin.parts, 1.0)[Species.NITROGEN]
    expected = share * cabin.pressure_offset_pa / sum(CABIN)
    assert nitrogen_pa / CABIN[Species.NITROGEN] - 1.0 == pytest.approx(expected, rel=1e-9)


def test_people_make_less_carbon_dioxide_than_they_breathe_oxygen() -> None:
    parts = after(WeatherSettings(day_wave_pa=25.0), 5.0).parts
    made, breathed = 1.0 / 44.0095, 0.84 / 31.9988  # kg a day, each by its molar mass
    assert parts.oxygen_pa / parts.carbon_dioxide_pa == pytest.approx(-breathed / made, rel=0.01)
    assert pytest.approx(breathed / made, rel=0.01) == BREATHED_OF_MADE


def test_the_day_is_as_large_as_that_of_six_people() -> None:
    """Amplitudes by hand: nights of 8 h at 0.6 of the mean rates in 916 m3, removal to 400 Pa, condensers of 50 min.

    A third either way: rates of people are no better known (0.65 to 1.5 kg of carbon dioxide a day).
    """
    share = 0.6 * 2.0 / math.pi * math.sin(math.pi / 3.0)  # first harmonic of a day of 16 h at 1.2 and 8 h at 0.6
    per_mol = MOLAR_GAS_CONSTANT_J_MOL_K * 295.0 / 916.0
    turn = math.tau / S_PER_DAY
    made, breathed, evaporated = (
        6.0 * kg_day / kg_mol * per_mol / S_PER_DAY for kg_day, kg_mol in ((1.0, 0.044), (0.84, 0.032), (1.9, 0.018))
    )  # Pa/s
    carbon_pa = share * made / math.hypot(turn, made / 400.0)
    oxygen_pa = share * breathed / turn
    water_pa = share * evaporated / math.hypot(turn, 1.0 / 3000.0)
    day_pa = preset("station").day_wave_pa * (1.0 - HIDDEN_WARMTH)
    assert day_pa == pytest.approx(carbon_pa, rel=1 / 3)
    assert BREATHED_OF_MADE * day_pa == pytest.approx(oxygen_pa, rel=1 / 3)
    assert BREATHED_OF_MADE * day_pa == pytest.approx(water_pa, rel=1 / 3)


@given(
    partial=st.tuples(*[st.floats(0.0, 1e5)] * 4).filter(lambda four: sum(four) > 3000.0),
    parts=st.builds(WeatherParts, PA, PA, PA, PA),
    warmth=st.floats(0.99, 1.01),
)
@settings(max_examples=60)
def test_what_a_room_has_not_got_comes_from_another_gas(partial: Four, parts: WeatherParts, warmth: float) -> None:
    told = mixed(partial, warmth, parts, 1.0)
    assert min(told) >= 0.0
    # all of the weather takes 2,000 Pa at most: there is always enough
    assert sum(told) == pytest.approx(sum(partial) * warmth + sum(parts), rel=1e-12)
