"""Lines of machines: tones whose frequency wanders, as they are declared and as they sound.

The broad band beside them is `machine`; how they reach a microphone is told in `field`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import SOUND_REFERENCE_PA
from sim.world.signal.sampling import phasor

FloatArray = NDArray[np.float64]

WANDER_HZ = (0.1, 10.0)  # rates at which a line's frequency moves
WANDER_PARTS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A tone whose frequency wanders about its nominal value, as that of a switch-mode converter does.

    Args:
        frequency_hz: mean frequency, Hz.
        level_db: level of the tone at 1 m, dB re 20 uPa rms.
        wander: rms deviation of the frequency as a share of it; the deviation moves in 0.1 to 10 s.
    """

    frequency_hz: float
    level_db: float
    wander: float = 1e-4

    def __post_init__(self) -> None:
        """Refuse a line without a frequency."""
        if not self.frequency_hz > 0.0 or self.wander < 0.0:
            raise ValueError(f"line at {self.frequency_hz} Hz with wander {self.wander} cannot be")

    @property
    def amplitude_pa(self) -> float:
        """Peak pressure of the tone at 1 m, Pa."""
        return math.sqrt(2.0) * SOUND_REFERENCE_PA * math.pow(10.0, self.level_db / 20.0)


@dataclass(frozen=True, slots=True)
class Tone:
    """A line made audible: a carrier whose phase a few slow sinusoids move, in closed form of absolute time.

    Args:
        line: what was declared.
        phase_rad: phase of the carrier at time zero.
        parts: (rate Hz, swing of the carrier's phase rad, phase rad) of every sinusoid.
    """

    line: Line
    phase_rad: float
    parts: tuple[tuple[float, float, float], ...]

    @staticmethod
    def drawn(line: Line, generator: np.random.Generator) -> "Tone":
        """Draw the phases and one rate in each fifth of 0.1 to 10 Hz (on a log scale), of equal wander."""
        edges = np.geomspace(*WANDER_HZ, WANDER_PARTS + 1)
        rates_hz = edges[:-1] * (edges[1:] / edges[:-1]) ** generator.random(WANDER_PARTS)
        swing_hz = line.wander * line.frequency_hz * math.sqrt(2.0 / WANDER_PARTS)
        phases = generator.uniform(0.0, 2.0 * math.pi, WANDER_PARTS + 1)
        parts = tuple(
            (float(rate), swing_hz / float(rate), float(phase))
            for rate, phase in zip(rates_hz, phases[1:], strict=True)
        )
        return Tone(line, float(phases[0]), parts)

    def samples(self, first: int, count: int, sample_rate_hz: float) -> FloatArray:
        """Pressure at 1 m, Pa, (count,) at the places first, first + 1, ... of the grid."""
        cycles = (self.line.frequency_hz / sample_rate_hz) * np.arange(first, first + count, dtype=np.float64)
        phase = 2.0 * math.pi * (cycles - np.floor(cycles)) + self.phase_rad
        for rate_hz, swing_rad, start_rad in self.parts:
            step = 2.0 * math.pi * rate_hz / sample_rate_hz
            opening = swing_rad * np.exp(1j * math.fmod(step * first + start_rad, 2.0 * math.pi))
            phase += (opening * phasor(step, count)).imag
        wave: FloatArray = self.line.amplitude_pa * np.cos(phase)
        return wave
