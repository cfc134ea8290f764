"""The Rayleigh-Lamb equations of a free isotropic plate: wavenumber, slope and excitability of A0 and S0.

No thickness and no hertz: everything is scaled to half the plate's thickness; `plate` gives it dimensions.

With half thickness d: x = omega d / cT, y = k d, kappa = cT / cL, P = sqrt(y^2 - kappa^2 x^2), Q = sqrt(y^2 - x^2)
and q = sqrt(x^2 - y^2) the equations (Lamb 1917; Viktorov 1967), divided by what cannot vanish, are
    A0:  (2 y^2 - x^2)^2 tanh(P) / P - 4 y^2 Q tanh(Q) = 0, the one root above y = x
    S0:  (2 y^2 - x^2)^2 tan(q) / q - 4 y^2 P tanh(P) = 0, the one root between y = x cT / (plate speed) and x / sqrt(2)
where S0 lies for x below pi / 2, the frequency at which the mode A1 begins.
"""

import math
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Array = NDArray[Any]  # float64 for values, complex128 for derivatives

X_LIMIT = math.pi / 2.0  # omega d / cT from which on a third mode travels
BISECTIONS = 53  # halvings after which no double is left between the ends of a bracket
COMPLEX_STEP = 1e-40  # a derivative by a complex step has no cancellation, so the step may be this small
RAYLEIGH_SLOWEST = 1.2  # cT over the speed that A0 tends to is at most 1.144 (at a Poisson number of 0)
BRACKET_MARGIN = 1e-3  # the plate speed is S0's limit at low frequency; the bracket begins a little beside it


class Mode(IntEnum):
    """The two plate waves that travel at every frequency."""

    A0 = 0  # bending
    S0 = 1  # stretching


def plate_speed_ratio(kappa: float) -> float:
    """Speed of S0 at low frequency over cT: sqrt(E / (rho (1 - nu^2))) / cT = 2 sqrt(1 - kappa^2)."""
    return 2.0 * math.sqrt(1.0 - kappa**2)


def residual(mode: Mode, x: Array, y: Array, kappa: float) -> Array:
    """Left side of the mode's equation, zero on the mode; complex arguments give it off the real axis."""
    p = np.sqrt(y**2 - (kappa * x) ** 2)
    pressed = (2.0 * y**2 - x**2) ** 2
    if mode is Mode.A0:
        q = np.sqrt(y**2 - x**2)
        return np.asarray(pressed * np.tanh(p) / p - 4.0 * y**2 * q * np.tanh(q))
    q = np.sqrt(x**2 - y**2)
    return np.asarray(pressed * np.tan(q) / q - 4.0 * y**2 * p * np.tanh(p))


def wavenumber(mode: Mode, x: FloatArray, kappa: float) -> FloatArray:
    """K d of a mode at the scaled frequencies `x`, same shape, to rounding: bisection between proven bounds.

    Raises:
        ValueError: a frequency that is not between 0 and `X_LIMIT`.
    """
    if not np.all((x > 0.0) & (x < X_LIMIT)):
        raise ValueError(
            f"scaled frequencies {np.min(x)} to {np.max(x)} leave the range 0 to pi / 2 of A0 and S0 alone"
        )
    if mode is Mode.A0:
        bending = np.sqrt(math.sqrt(3.0) * x / plate_speed_ratio(kappa))  # Kirchhoff's plate, which is too stiff
        low, high = x * (1.0 + 1e-12), bending + RAYLEIGH_SLOWEST * x
    else:
        low, high = x / plate_speed_ratio(kappa) * (1.0 - BRACKET_MARGIN), x / math.sqrt(2.0)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        above = residual(mode, x, middle, kappa) > 0.0  # positive at the low end, negative at the high one
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    root: FloatArray = 0.5 * (low + high)
    return root


def slope(mode: Mode, x: FloatArray, y: FloatArray, kappa: float) -> FloatArray:
    """Dx / dy along a mode: its group speed over cT, by differentiating its equation."""
    by_x = residual(mode, x + 1j * COMPLEX_STEP, y + 0j, kappa).imag
    by_y = residual(mode, x + 0j, y + 1j * COMPLEX_STEP, kappa).imag
    return np.asarray(-by_y / by_x)


def excitability(mode: Mode, x: FloatArray, y: FloatArray, kappa: float) -> FloatArray:
    """Velocity of the loaded face per normal point force, in 1 / (4 rho cT d^2), as the amplitude of H0(2)(k r).

    The residue of the transformed surface response (Viktorov 1967; Achenbach 2003) at the mode's pole; force
    and velocity are both normal to the same face. Thin plates: A0 tends to 1 / (8 sqrt(B rho h)).
    """
    by_y = residual(mode, x + 0j, y + 1j * COMPLEX_STEP, kappa).imag / COMPLEX_STEP
    pressed = np.ones_like(x)
    if mode is Mode.S0:
        p, q = np.sqrt(y**2 - (kappa * x) ** 2), np.sqrt(x**2 - y**2)
        pressed = p * np.tanh(p) * np.tan(q) / q
    return np.asarray(x**3 * y * pressed / np.abs(by_y))
