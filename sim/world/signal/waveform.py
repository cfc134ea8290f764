"""What a source emits on the grid of absolute time n / sample rate: the same for whoever asks.

The spectrum of the noise is given to it in `sampling`; the way to a microphone in the fields `sound` and `structure`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.world.signal.sampling import phasor
from sim.world.sound.machine import Line

FloatArray = NDArray[np.float64]

NOISE_BLOCK = 4096  # samples drawn from one counter
COUNTER_MASK = 2**64 - 1  # time before zero counts down from the top
RAMP_S = 1e-3  # a source starts and stops in this time
WANDER_HZ = (0.1, 10.0)  # rates at which a line's frequency moves
WANDER_PARTS = 5


def white_noise(key: tuple[int, int], first: int, count: int) -> FloatArray:
    """Unit white Gaussian noise (count,) at the places first, first + 1, ... of the endless sequence `key`.

    Counter based (Philox: Salmon et al. 2011), one counter a block: any part of it, negative places too, is
    drawn without what comes before.
    """
    opening = first // NOISE_BLOCK
    pieces = []
    for block in range(opening, (first + count - 1) // NOISE_BLOCK + 1):
        counter = np.array([0, 0, block & COUNTER_MASK, 0], dtype=np.uint64)
        generator = np.random.Generator(np.random.Philox(key=np.array(key, dtype=np.uint64), counter=counter))
        pieces.append(generator.standard_normal(NOISE_BLOCK))
    skipped = first - opening * NOISE_BLOCK
    return np.concatenate(pieces)[skipped : skipped + count]


def gate(
    first: int,
    count: int,
    sample_rate_hz: float,
    start_s: float,
    stop_s: float | None,
) -> FloatArray | float:
    """How far a source is on, 0 to 1, at `count` places of the grid; one number if it does not change.

    Opens by half a cosine in the millisecond after `start_s`, closes so after `stop_s` (None: never).
    """
    begin_s, end_s = first / sample_rate_hz, (first + count - 1) / sample_rate_hz
    if end_s <= start_s or (stop_s is not None and begin_s >= stop_s + RAMP_S):
        return 0.0
    if begin_s >= start_s + RAMP_S and (stop_s is None or end_s <= stop_s):
        return 1.0
    time_s = (first + np.arange(count)) / sample_rate_hz
    opened: FloatArray = 0.5 - 0.5 * np.cos(np.pi * np.clip((time_s - start_s) / RAMP_S, 0.0, 1.0))
    if stop_s is not None:
        opened *= 0.5 + 0.5 * np.cos(np.pi * np.clip((time_s - stop_s) / RAMP_S, 0.0, 1.0))
    return opened


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
