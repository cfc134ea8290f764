"""Machine noise against what its levels declare."""

import math

import numpy as np
import pytest

from sim.world.sound.machine import Hiss, Machine
from sim.world.sound.tone import Line

FAN = Machine((1.0, 0.0, 0.0), broadband_db_at_20khz=50.0)


def test_octave_at_20_khz_has_the_declared_level() -> None:
    frequency_hz = np.linspace(20e3 / math.sqrt(2.0), 20e3 * math.sqrt(2.0), 100_001)
    squared = float(np.trapezoid(FAN.pressure_psd_pa2_hz(frequency_hz), frequency_hz))
    # the knee at 2 kHz makes it 1 % less steep than 1/f^2
    assert 10.0 * math.log10(squared / 20e-6**2) == pytest.approx(50.0, abs=0.02)


def test_falls_by_6_db_an_octave() -> None:
    low, high = FAN.pressure_psd_pa2_hz(np.array([30e3, 60e3]))
    assert 10.0 * math.log10(low / high) == pytest.approx(6.0, abs=0.03)


def test_stays_finite_at_zero_frequency() -> None:
    assert np.isfinite(FAN.pressure_psd_pa2_hz(np.array([0.0]))[0])


def test_line_amplitude_is_that_of_its_level() -> None:
    # 94 dB is 1 Pa rms
    assert Line(40e3, 20.0 * math.log10(1.0 / 20e-6)).amplitude_pa == pytest.approx(math.sqrt(2.0))


@pytest.mark.parametrize(("frequency_hz", "wander"), [(0.0, 1e-4), (40e3, -1.0)])
def test_refuses_a_line_that_cannot_be(frequency_hz: float, wander: float) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        Line(frequency_hz, 40.0, wander)


def test_hiss_has_its_level_about_its_peak() -> None:
    valve = Hiss(25e3, 60.0)
    frequency_hz = np.linspace(25e3 / math.sqrt(2.0), 25e3 * math.sqrt(2.0), 100_001)
    squared = float(np.trapezoid(valve.pressure_psd_pa2_hz(frequency_hz), frequency_hz))
    assert 10.0 * math.log10(squared / 20e-6**2) == pytest.approx(60.0, abs=0.001)
    density = valve.pressure_psd_pa2_hz(np.arange(1e3, 100e3, 100.0))
    assert 1e3 + 100.0 * int(np.argmax(density)) == pytest.approx(25e3, abs=100.0)


def test_a_machine_with_a_hiss_is_the_sum_of_both() -> None:
    frequency_hz = np.array([10e3, 25e3, 80e3])
    both = Machine((1.0, 0.0, 0.0), 50.0, (), Hiss(25e3, 60.0)).pressure_psd_pa2_hz(frequency_hz)
    alone = FAN.pressure_psd_pa2_hz(frequency_hz) + Hiss(25e3, 60.0).pressure_psd_pa2_hz(frequency_hz)
    assert both == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize(("peak_hz", "level_db"), [(0.0, 60.0), (-1.0, 60.0), (math.inf, 60.0), (25e3, math.nan)])
def test_refuses_a_hiss_that_cannot_be(peak_hz: float, level_db: float) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        Hiss(peak_hz, level_db)
