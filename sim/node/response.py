"""Frequency responses of sensors and their filters: cascades of analog second-order sections, all minimum phase.

What is filtered, and how finite captures are cut, is the front end's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

SETTLED_NEPER = 23.0  # after so many time constants 1e-10 of a transient is left: less than any converter's step


@dataclass(frozen=True, slots=True)
class Section:
    """H(x) = (b0 + b1 x + b2 x^2) / (1 + x / q + x^2), x = j f / frequency_hz: one resonator.

    Zeros in the left half plane or at zero and infinity only, so the phase is the least that the magnitude allows.
    """

    frequency_hz: float
    q: float
    numerator: tuple[float, float, float]

    def __post_init__(self) -> None:
        """Refuse what does not settle and what is not minimum phase."""
        if not self.frequency_hz > 0.0 or not self.q > 0.0:
            raise ValueError(f"a resonance at {self.frequency_hz} Hz of quality {self.q} is none")
        if min(self.numerator) < 0.0:
            raise ValueError(f"the numerator {self.numerator} has zeros in the right half plane")

    def transfer(self, frequency_hz: FloatArray) -> ComplexArray:
        """H at frequencies (n,), Hz."""
        x: ComplexArray = 1j * np.asarray(frequency_hz / self.frequency_hz, dtype=np.complex128)
        b0, b1, b2 = self.numerator
        response: ComplexArray = (b0 + x * (b1 + x * b2)) / (1.0 + x * (1.0 / self.q + x))
        return response

    @property
    def time_constant_s(self) -> float:
        """Of the slower pole, s."""
        omega, half = 2.0 * math.pi * self.frequency_hz, 0.5 / self.q
        return 1.0 / (omega * (half if half <= 1.0 else half - math.sqrt(half**2 - 1.0)))


def bell(frequency_hz: float, q: float, peak_db: float) -> Section:
    """A resonance on a flat response: 0 dB far away, `peak_db` at the centre, `q` of the poles."""
    return Section(frequency_hz, q, (1.0, 10.0 ** (peak_db / 20.0) / q, 1.0))


def band_pass(frequency_hz: float, q: float) -> Section:
    """A resonator alone: 0 dB at the centre, 6 dB an octave down on either side."""
    return Section(frequency_hz, q, (0.0, 1.0 / q, 0.0))


def low_pass(frequency_hz: float, q: float = math.sqrt(0.5)) -> Section:
    """12 dB an octave down above `frequency_hz`; Butterworth unless told otherwise."""
    return Section(frequency_hz, q, (1.0, 0.0, 0.0))


def high_pass(frequency_hz: float, q: float = math.sqrt(0.5)) -> Section:
    """12 dB an octave down below `frequency_hz`."""
    return Section(frequency_hz, q, (0.0, 0.0, 1.0))


def butterworth(frequency_hz: float, order: int) -> tuple[Section, ...]:
    """A low pass of even `order`, 3 dB down at `frequency_hz` (Butterworth 1930).

    Raises:
        ValueError: an odd order.
    """
    if order < 2 or order % 2:
        raise ValueError(f"a cascade of second-order sections has no order {order}")
    angles = [math.pi * (2 * k + 1) / (2 * order) for k in range(order // 2)]
    return tuple(low_pass(frequency_hz, 0.5 / math.sin(angle)) for angle in angles)


@dataclass(frozen=True, slots=True)
class Response:
    """Sections in a row."""

    sections: Sequence[Section] = ()

    def transfer(self, frequency_hz: FloatArray) -> ComplexArray:
        """H at frequencies (n,), Hz; 1 everywhere without sections."""
        total = np.ones(len(frequency_hz), dtype=np.complex128)
        for section in self.sections:
            total *= section.transfer(frequency_hz)
        return total

    @property
    def settling_s(self) -> float:
        """Time after which nothing is left of a transient, s."""
        return SETTLED_NEPER * sum(section.time_constant_s for section in self.sections)
