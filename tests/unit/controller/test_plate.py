"""Lamb waves against Mindlin's plate, Kirchhoff's and Rayleigh's limits, and a published table's figures."""

import numpy as np
import pytest

from controller.measure.plate import Mode, Skin

ALUMINIUM_3_MM = Skin(0.003)


def mindlin_rad_m(frequency_hz: float, thickness_m: float) -> float:
    """Bending waves with shear and rotary inertia (Mindlin 1951, shear factor pi^2 / 12), aluminium."""
    longitudinal_m_s, transverse_m_s = 6320.0, 3130.0
    plate_m_s = 2.0 * transverse_m_s * np.sqrt(1.0 - (transverse_m_s / longitudinal_m_s) ** 2)
    shear_m_s = np.sqrt(np.pi**2 / 12.0) * transverse_m_s
    omega = 2.0 * np.pi * frequency_hz
    one, other = (omega / plate_m_s) ** 2, (omega / shear_m_s) ** 2
    half = (one + other) / 2.0
    return float(np.sqrt(half + np.sqrt(half**2 - one * other + 12.0 * (omega / (thickness_m * plate_m_s)) ** 2)))


@pytest.mark.parametrize("frequency_hz", [20e3, 40e3, 80e3, 150e3])
def test_bending_is_mindlins_within_a_hundredth(frequency_hz: float) -> None:
    found = ALUMINIUM_3_MM.wavenumber_rad_m(np.array([frequency_hz]), Mode.A0)[0]
    # Mindlin's approximation is 0.4 to 0.8 % off in speed in this range.
    assert found == pytest.approx(mindlin_rad_m(frequency_hz, 0.003), rel=0.01)


def test_thin_plates_bend_as_kirchhoff_says_and_stretch_at_the_plates_speed() -> None:
    thin, frequency = Skin(2e-4), np.array([1e3])
    plate_m_s = 2.0 * 3130.0 * np.sqrt(1.0 - (3130.0 / 6320.0) ** 2)
    omega = 2.0 * np.pi * frequency
    # k^2 = sqrt(12) w / (h cP); corrections go as h k, here 1e-2, squared.
    bending = np.sqrt(np.sqrt(12.0) * omega / (plate_m_s * 2e-4))
    assert thin.wavenumber_rad_m(frequency, Mode.A0) == pytest.approx(bending, rel=1e-3)
    assert thin.wavenumber_rad_m(frequency, Mode.S0) == pytest.approx(omega / plate_m_s, rel=1e-6)
    assert thin.group_speed_m_s(frequency, Mode.A0) == pytest.approx(2.0 * omega / bending, rel=1e-3)


def test_thick_plates_carry_rayleighs_wave() -> None:
    """A0 nears it from below: at most (0.87 + 1.12 nu) / (1 + nu) of shear's speed (Viktorov 1967)."""
    ratio = (3130.0 / 6320.0) ** 2
    poisson = (1.0 - 2.0 * ratio) / (2.0 - 2.0 * ratio)
    rayleigh_m_s = 3130.0 * (0.87 + 1.12 * poisson) / (1.0 + poisson)
    top = np.array([ALUMINIUM_3_MM.highest_hz])
    speed = 2.0 * np.pi * top / ALUMINIUM_3_MM.wavenumber_rad_m(top, Mode.A0)
    assert 0.8 * rayleigh_m_s < speed[0] < rayleigh_m_s


def test_what_is_no_skin_or_no_frequency_is_refused() -> None:
    with pytest.raises(ValueError, match="thick"):
        Skin(3.0)
    with pytest.raises(ValueError, match="longitudinal"):
        Skin(0.003, 3000.0, 3000.0)
    for frequency_hz in (0.0, 2.0 * ALUMINIUM_3_MM.highest_hz):
        with pytest.raises(ValueError, match="frequencies"):
            ALUMINIUM_3_MM.wavenumber_rad_m(np.array([frequency_hz]), Mode.A0)
