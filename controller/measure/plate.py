"""How fast the two Lamb waves A0 and S0 of a plate run, by frequency. Which way they take over a hull is localize's."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

HALVINGS = 60
SINGLE_MODE_SHARE = 0.8  # of the frequency where A1 begins: near it S0 slows down and is no wave to measure by
THICKNESS_M = (1e-4, 0.1)

Floats = NDArray[np.float64]


class Mode(StrEnum):
    """The waves that a plate has at all frequencies."""

    A0 = "A0"  # bends it: slow, dispersive, and most of what a leak makes
    S0 = "S0"  # stretches it: three times as fast


@dataclass(frozen=True, slots=True)
class Skin:
    """An isotropic plate by its thickness and the speeds of its bulk waves; the default is aluminium."""

    thickness_m: float
    longitudinal_m_s: float = 6320.0
    transverse_m_s: float = 3130.0

    def __post_init__(self) -> None:
        """Refuse what is no plate of a solid."""
        if not THICKNESS_M[0] <= self.thickness_m <= THICKNESS_M[1]:
            raise ValueError(f"a skin of {self.thickness_m:g} m is none; it must be {THICKNESS_M[0]:g} to "
                             f"{THICKNESS_M[1]:g} m thick")  # fmt: skip
        if not 0.0 < np.sqrt(2.0) * self.transverse_m_s < self.longitudinal_m_s:
            raise ValueError("the longitudinal speed of a solid is more than 1.41 times its transverse one")

    @property
    def highest_hz(self) -> float:
        """Up to here A0 and S0 are the only waves and are told apart well."""
        return SINGLE_MODE_SHARE * self.transverse_m_s / (2.0 * self.thickness_m)

    def wavenumber_rad_m(self, frequency_hz: Floats, mode: Mode) -> Floats:
        """Wavenumbers (n,) at frequencies up to `highest_hz`, by the Rayleigh-Lamb equations (Lamb 1917).

        Bisection between speeds that enclose the one root (Graff 1975, 8.1): for A0 from that of bending, which is too
        fast for thick plates, down; for S0 from that of extension down to shear's.

        Raises:
            ValueError: a frequency that is none, or too high.
        """
        omega = 2.0 * np.pi * np.asarray(frequency_hz, dtype=float)
        if np.any(omega <= 0.0) or np.any(omega > 2.0 * np.pi * self.highest_hz * (1.0 + 1e-9)):
            raise ValueError(f"frequencies must be above 0 and up to {self.highest_hz:g} Hz")
        extension = 2.0 * self.transverse_m_s * np.sqrt(1.0 - (self.transverse_m_s / self.longitudinal_m_s) ** 2)
        if mode is Mode.A0:
            bending = np.sqrt(np.sqrt(12.0) * omega / (extension * self.thickness_m))
            low = np.maximum(bending, omega / self.transverse_m_s) * (1.0 + 1e-12)
            high = bending + omega / (0.8 * self.transverse_m_s)  # Rayleigh's wave has 0.87 of shear's speed and more
            function = self._antisymmetric
        else:
            low, high = omega / (extension * 1.0001), omega / (self.transverse_m_s * 1.0001)
            function = self._symmetric
        below = np.sign(function(low, omega))
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            same = np.sign(function(middle, omega)) == below
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        return np.asarray(0.5 * (low + high))

    def group_speed_m_s(self, frequency_hz: Floats, mode: Mode) -> Floats:
        """D omega / d k (n,) by central differences of a thousandth."""
        frequency = np.asarray(frequency_hz, dtype=float)
        above, below = (self.wavenumber_rad_m(frequency * (1.0 + step), mode) for step in (5e-4, -5e-4))
        return np.asarray(2.0 * np.pi * frequency * 1e-3 / (above - below))

    def _antisymmetric(self, k: Floats, omega: Floats) -> Floats:
        """4 k^2 a b tanh(b h) - (k^2 + b^2)^2 tanh(a h), both waves evanescent across the plate."""
        half = self.thickness_m / 2.0
        a = np.sqrt(np.maximum(k**2 - (omega / self.longitudinal_m_s) ** 2, 0.0))
        b = np.sqrt(np.maximum(k**2 - (omega / self.transverse_m_s) ** 2, 0.0))
        return np.asarray(4.0 * k**2 * a * b * np.tanh(b * half) - (k**2 + b**2) ** 2 * np.tanh(a * half))

    def _symmetric(self, k: Floats, omega: Floats) -> Floats:
        """(q^2 - k^2)^2 sin(q h) - 4 k^2 a q tanh(a h) cos(q h), shear waves standing across the plate."""
        half = self.thickness_m / 2.0
        a = np.sqrt(np.maximum(k**2 - (omega / self.longitudinal_m_s) ** 2, 0.0))
        q = np.sqrt(np.maximum((omega / self.transverse_m_s) ** 2 - k**2, 0.0))
        return np.asarray(
            (q**2 - k**2) ** 2 * np.sin(q * half) - 4.0 * k**2 * a * q * np.tanh(a * half) * np.cos(q * half)
        )
