"""How a source favours its axis: a piston's beam times a cardioid's power, as a function of frequency and angle.

How loud it is on the axis is the source's own; a leak in a wall has none of this, its half space is the wall's.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import j1

FloatArray = NDArray[np.float64]

LARGEST_PISTON_M = 1.0
MOST_EXPONENT = 8.0  # a beam of 48 degrees at half power, from the exponent alone
LEAK_AROUND = 10.0 ** (-30.0 / 20.0)  # what a real housing sends everywhere: 30 dB below the axis
BALL_POINTS = 256  # Gauss points of the mean over all angles; enough for a piston with k a up to about 300


@dataclass(frozen=True, slots=True)
class Directivity:
    """Radiation about an axis, 1 on it.

    Args:
        axis: direction in which it is loudest, room's frame, any length but zero.
        piston_radius_m: radius of the radiating disc: 2 J1(k a sin) / (k a sin); 0 for none.
        exponent: power of Kirchhoff's ((1 + cos) / 2); 0 radiates alike to the back, 1 is a cardioid.

    Raises:
        ValueError: no axis, or a number out of range.
    """

    axis: tuple[float, float, float]
    piston_radius_m: float = 0.0
    exponent: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a beam without a direction."""
        if not 0.0 < math.hypot(*self.axis) < math.inf:
            raise ValueError(f"axis {self.axis} has no direction")
        if not 0.0 <= self.piston_radius_m <= LARGEST_PISTON_M or not 0.0 <= self.exponent <= MOST_EXPONENT:
            raise ValueError(f"no beam has a piston of {self.piston_radius_m} m and an exponent of {self.exponent}")

    def cosine(self, launch: FloatArray) -> FloatArray:
        """Cosine (n,) of the angle to the axis of unit directions (n, 3); a zero direction counts as on axis."""
        axis = np.array(self.axis) / math.hypot(*self.axis)
        return np.where(np.any(launch != 0.0, axis=1), np.clip(launch @ axis, -1.0, 1.0), 1.0)

    def amplitude(self, cosine: float, wavenumber: FloatArray) -> FloatArray:
        """Pressure relative to the axis at equal distance, same shape as `wavenumber` (1/m); side lobes change sign."""
        cardioid = math.pow(max(0.5 * (1.0 + cosine), 0.0), self.exponent)
        beam = np.full(np.shape(wavenumber), cardioid)
        across = self.piston_radius_m * math.sqrt(max(1.0 - cosine * cosine, 0.0))
        if across > 0.0:
            argument = np.maximum(wavenumber * across, 1e-6)
            beam *= 2.0 * j1(argument) / argument
        return LEAK_AROUND + (1.0 - LEAK_AROUND) * beam

    def mean_square(self, wavenumber: FloatArray) -> FloatArray:
        """Mean of the squared amplitude over all directions: radiated power over that of a source alike all around."""
        cosines, weights = np.polynomial.legendre.leggauss(BALL_POINTS)
        coarse = np.linspace(0.0, float(np.max(wavenumber)), 128)
        mean = np.zeros_like(coarse)
        for cosine, weight in zip(cosines, weights, strict=True):
            mean += 0.5 * weight * np.square(self.amplitude(float(cosine), coarse))
        return np.interp(wavenumber, coarse, mean)
