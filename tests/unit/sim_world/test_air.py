"""The air against published values: ISO 9613-1 absorption, the speed of sound, the gas law."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.world.air import Air

DB_PER_NP = 20.0 / math.log(10.0)
CABIN = Air(temperature_k=295.15, pressure_pa=101_325.0, relative_humidity=0.5)


@pytest.mark.parametrize(
    ("humidity", "expected_db_m"),
    [
        (0.5, [0.15, 0.50, 1.37, 2.13, 3.55]),
        (0.3, [0.23, 0.62, 1.18, 1.64, 2.75]),
        (0.7, [0.11, 0.40, 1.27, 2.24, 4.07]),
    ],
)
def test_absorption_is_that_of_the_standard(humidity: float, expected_db_m: list[float]) -> None:
    air = Air(295.15, 101_325.0, humidity)
    frequency_hz = np.array([10e3, 20e3, 40e3, 60e3, 100e3])
    # the table has two decimals, so the last digit may be off by half
    assert air.absorption_np_m(frequency_hz) * DB_PER_NP == pytest.approx(expected_db_m, abs=0.0051)


def test_absorption_at_low_pressure() -> None:
    air = Air(295.15, 70e3, 0.5)
    loss_db_m = air.absorption_np_m(np.array([20e3, 40e3, 60e3, 100e3])) * DB_PER_NP
    assert loss_db_m == pytest.approx([0.51, 1.48, 2.42, 4.37], abs=0.0055)


def test_absorption_at_an_audible_frequency() -> None:
    # ISO 9613-1 table 1: 20 C, 70 %, 1 kHz: 4.98 dB/km; its frequency is the exact midband of 1000 Hz
    air = Air(293.15, 101_325.0, 0.7)
    assert air.absorption_np_m(np.array([1000.0]))[0] * DB_PER_NP * 1e3 == pytest.approx(4.98, abs=0.02)


def test_sound_speed_at_22_celsius() -> None:
    assert CABIN.sound_speed_m_s == pytest.approx(344.4, abs=0.05)


def test_sound_speed_rises_by_0_583_m_s_per_kelvin() -> None:
    warmer = Air(296.15, 101_325.0, 0.5)
    assert warmer.sound_speed_m_s - CABIN.sound_speed_m_s == pytest.approx(0.583, abs=0.001)


def test_density_of_sea_level_air() -> None:
    assert Air(288.15, 101_325.0, 0.0).density_kg_m3 == pytest.approx(1.225, abs=0.001)


@given(frequency_hz=st.floats(1e3, 2e5), humidity=st.floats(0.0, 1.0), pressure_pa=st.floats(4e4, 1.1e5))
def test_absorption_grows_with_frequency(frequency_hz: float, humidity: float, pressure_pa: float) -> None:
    air = Air(295.15, pressure_pa, humidity)
    low, high = air.absorption_np_m(np.array([frequency_hz, 1.1 * frequency_hz]))
    assert 0.0 < low < high


@pytest.mark.parametrize(
    ("temperature_k", "pressure_pa", "humidity"),
    [(22.0, 101_325.0, 0.5), (295.15, 0.0, 0.5), (295.15, 101_325.0, 50.0), (math.nan, 101_325.0, 0.5)],
)
def test_refuses_what_is_not_air(temperature_k: float, pressure_pa: float, humidity: float) -> None:
    with pytest.raises(ValueError, match=r"temperature|pressure|humidity"):
        Air(temperature_k, pressure_pa, humidity)
