"""An isotropic plate in vacuum and the two Lamb waves A0 and S0 in it, in SI units.

The equations and their roots live in `lamb`. Curvature, stiffeners, water, lining and all higher modes do not exist
here: above thickness times frequency of cT / 2 (1565 Hz m in aluminium: 326 kHz in 4.8 mm) A1 begins, and is refused.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.world.structure import lamb
from sim.world.structure.lamb import Mode

FloatArray = NDArray[np.float64]

POISSON = (0.05, 0.49)  # solids that hulls are made of; S0's bracket needs a Poisson number above 0.02
THICKNESS_M = (1e-4, 0.1)  # foil and armour
LOWEST_HZ_M = 0.1  # 100 Hz in 1 mm: below, the roots of A0 lose digits to cancellation (1e-10 here)


@dataclass(frozen=True, slots=True)
class Material:
    """An isotropic elastic solid.

    Args:
        longitudinal_m_s: speed of pressure waves in the bulk, m/s.
        transverse_m_s: speed of shear waves in the bulk, m/s.
        density_kg_m3: density, kg/m3.
    """

    longitudinal_m_s: float
    transverse_m_s: float
    density_kg_m3: float

    def __post_init__(self) -> None:
        """Refuse what is no solid."""
        if not (self.transverse_m_s > 0.0 and self.density_kg_m3 > 0.0 and math.isfinite(self.longitudinal_m_s)):
            raise ValueError(f"{self} is no material: speeds and density must be positive")
        if not (self.longitudinal_m_s > self.transverse_m_s and POISSON[0] <= self.poisson <= POISSON[1]):
            raise ValueError(
                f"wave speeds {self.longitudinal_m_s} and {self.transverse_m_s} m/s do not go together: "
                f"their Poisson number must be {POISSON[0]} to {POISSON[1]}"
            )

    @property
    def poisson(self) -> float:
        """Poisson number."""
        squared = (self.transverse_m_s / self.longitudinal_m_s) ** 2
        return (1.0 - 2.0 * squared) / (2.0 - 2.0 * squared)

    @property
    def young_pa(self) -> float:
        """Young's modulus, Pa."""
        return 2.0 * self.density_kg_m3 * self.transverse_m_s**2 * (1.0 + self.poisson)


ALUMINIUM = Material(6320.0, 3130.0, 2700.0)


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate of one thickness, m."""

    thickness_m: float
    material: Material = ALUMINIUM

    def __post_init__(self) -> None:
        """Refuse foil and blocks."""
        if not THICKNESS_M[0] <= self.thickness_m <= THICKNESS_M[1]:
            raise ValueError(f"plate thickness {self.thickness_m} m is outside {THICKNESS_M[0]} to {THICKNESS_M[1]} m")

    @property
    def limit_hz(self) -> float:
        """Frequency at which a third mode begins (A1): cT / (2 h), Hz."""
        return self.material.transverse_m_s / (2.0 * self.thickness_m)

    @property
    def surface_density_kg_m2(self) -> float:
        """Mass of a square metre, kg/m2."""
        return self.material.density_kg_m3 * self.thickness_m

    def wavenumber_rad_m(self, mode: Mode, frequency_hz: FloatArray) -> FloatArray:
        """K of a mode, rad/m, same shape as `frequency_hz`.

        Raises:
            ValueError: a frequency at or above `limit_hz` or below 0.1 Hz m over the thickness.
        """
        return self._roots(mode, frequency_hz)[1] / (0.5 * self.thickness_m)

    def group_speed_m_s(self, mode: Mode, frequency_hz: FloatArray) -> FloatArray:
        """Speed of the energy, d omega / d k, m/s; raises as `wavenumber_rad_m`."""
        x, y = self._roots(mode, frequency_hz)
        return self.material.transverse_m_s * lamb.slope(mode, x, y, self._kappa)

    def admittance_m_s_n(self, mode: Mode, frequency_hz: FloatArray) -> FloatArray:
        """Y of a mode, m/s per N, real: a normal point force F moves the same face at r with F Y H0(2)(k r).

        F^2 Y (F rms) is the power that the mode carries off. Raises as `wavenumber_rad_m`.
        """
        x, y = self._roots(mode, frequency_hz)
        impedance = self.material.density_kg_m3 * self.material.transverse_m_s * self.thickness_m**2
        return lamb.excitability(mode, x, y, self._kappa) / impedance

    @property
    def _kappa(self) -> float:
        return self.material.transverse_m_s / self.material.longitudinal_m_s

    def _roots(self, mode: Mode, frequency_hz: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Scaled frequency and wavenumber of a mode."""
        lowest_hz = LOWEST_HZ_M / self.thickness_m
        if not np.all((frequency_hz >= lowest_hz) & (frequency_hz < self.limit_hz)):
            raise ValueError(
                f"{self.thickness_m * 1e3:g} mm of plate carry only A0 and S0 from {lowest_hz:.0f} to "
                f"{self.limit_hz:.0f} Hz, asked for {np.min(frequency_hz):.0f} to {np.max(frequency_hz):.0f} Hz"
            )
        x = np.pi * self.thickness_m / self.material.transverse_m_s * np.asarray(frequency_hz, dtype=np.float64)
        return x, lamb.wavenumber(mode, x, self._kappa)
