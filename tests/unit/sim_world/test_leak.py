"""A hole to vacuum: its flow and its sound, against figures worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.world.leak.hole import Hole
from sim.world.leak.jet import Loudness

PRESSURE_PA = 101_325.0
TEMPERATURE_K = 295.15


def band_level_db(hole: Hole, low_hz: float, high_hz: float) -> float:
    """Level of a hole's spectrum between two frequencies, by trapezia of 1 Hz."""
    frequency_hz = np.arange(low_hz, high_hz + 1.0)
    psd = hole.pressure_psd_pa2_hz(frequency_hz, PRESSURE_PA, TEMPERATURE_K)
    return 10.0 * math.log10(float(np.trapezoid(psd, frequency_hz)) / 20e-6**2)


def test_choked_flow_of_a_square_metre() -> None:
    hole = Hole(2e-3, 0.85)
    flow = hole.mass_flow_kg_s(PRESSURE_PA, TEMPERATURE_K) / hole.effective_area_m2
    assert flow == pytest.approx(238.4, abs=0.1)


@pytest.mark.parametrize(
    ("diameter_m", "kg_day"),
    [(0.5e-3, 3.4), (1e-3, 13.7), (2e-3, 55.0), (10e-3, 1370.0)],
)
def test_daily_loss(diameter_m: float, kg_day: float) -> None:
    flow = Hole(diameter_m, 0.85).mass_flow_kg_s(PRESSURE_PA, TEMPERATURE_K)
    assert flow * 86_400.0 == pytest.approx(kg_day, rel=0.011)


@pytest.mark.parametrize(("diameter_m", "level_db"), [(0.5e-3, 55.0), (1e-3, 61.0), (2e-3, 67.0)])
def test_level_inside(diameter_m: float, level_db: float) -> None:
    hole = Hole(diameter_m, 0.85)
    assert hole.inward_level_db(PRESSURE_PA, TEMPERATURE_K) == pytest.approx(level_db, abs=0.2)


def test_level_of_two_millimetres_step_by_step() -> None:
    # 0.5 * 6.366e-4 kg/s * (314.4 m/s)^2 = 31.5 W; 1e-4 * 0.01 of it; half space: W rho c / (2 pi)
    inward_w = 0.5 * 6.366e-4 * 314.4**2 * 1e-6
    expected_db = 10.0 * math.log10(inward_w * 1.196 * 344.4 / (2.0 * math.pi) / 4e-10)
    found_db = Hole(2e-3, 0.85).inward_level_db(PRESSURE_PA, TEMPERATURE_K)
    assert found_db == pytest.approx(expected_db, abs=0.01)


@given(diameter_m=st.floats(0.1e-3, 20e-3), offset_db=st.floats(-15.0, 15.0))
def test_spectrum_holds_the_declared_level(diameter_m: float, offset_db: float) -> None:
    hole = Hole(diameter_m, 0.85, Loudness(level_offset_db=offset_db))
    declared_db = hole.inward_level_db(PRESSURE_PA, TEMPERATURE_K)
    assert band_level_db(hole, 20e3, 100e3) == pytest.approx(declared_db, abs=0.002)
    plain_db = Hole(diameter_m, 0.85).inward_level_db(PRESSURE_PA, TEMPERATURE_K)
    assert declared_db - plain_db == pytest.approx(offset_db)


def test_peak_follows_the_strouhal_number() -> None:
    hole = Hole(2e-3, 0.85)
    assert hole.peak_frequency_hz(TEMPERATURE_K) == pytest.approx(31.4e3, rel=0.002)
    frequency_hz = np.linspace(5e3, 100e3, 95_001)
    psd = hole.pressure_psd_pa2_hz(frequency_hz, PRESSURE_PA, TEMPERATURE_K)
    assert frequency_hz[np.argmax(psd)] == pytest.approx(hole.peak_frequency_hz(TEMPERATURE_K), abs=1.0)


def test_slopes_far_from_the_peak() -> None:
    frequency_hz = np.array([300.0, 600.0, 1e6, 2e6])
    psd = Hole(2e-3, 0.85).pressure_psd_pa2_hz(frequency_hz, PRESSURE_PA, TEMPERATURE_K)
    level_db = 10.0 * np.log10(psd)
    assert level_db[1] - level_db[0] == pytest.approx(6.02, abs=0.01)
    assert level_db[3] - level_db[2] == pytest.approx(-9.03, abs=0.01)


def test_silent_hole_flows_without_sound() -> None:
    crack = Hole(0.3e-3, 0.85, Loudness(acoustic_efficiency=0.0))
    assert crack.inward_level_db(PRESSURE_PA, TEMPERATURE_K) == -math.inf
    assert not crack.pressure_psd_pa2_hz(np.array([20e3, 50e3]), PRESSURE_PA, TEMPERATURE_K).any()
    assert crack.mass_flow_kg_s(PRESSURE_PA, TEMPERATURE_K) > 0.0


@pytest.mark.parametrize(("diameter_m", "coefficient"), [(0.0, 0.85), (1e-3, 0.0), (1e-3, 1.2)])
def test_refuses_a_hole_that_cannot_be(diameter_m: float, coefficient: float) -> None:
    with pytest.raises(ValueError, match=r"diameter|coefficient"):
        Hole(diameter_m, coefficient)
