"""Machines of the cabin as noise sources: a falling broad band, the hiss of a valve, and lines.

Lines are `tone`; how the noise becomes a waveform lives in `signal`, how it reaches a microphone in `field`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import SOUND_REFERENCE_PA
from sim.world.sound.tone import Line

FloatArray = NDArray[np.float64]

REFERENCE_HZ = 20e3
OCTAVE_HZ = REFERENCE_HZ * (math.sqrt(2.0) - math.sqrt(0.5))  # octave at 20 kHz, weighted by (20 kHz / f)^2
JET_OCTAVE = 0.379322  # integral of x^2 / (1 + 2/3 x^5) over the octave about 1
KNEE_HZ = 2e3  # below it the 1/f^2 law would run away; a fan's noise is flat there


@dataclass(frozen=True, slots=True)
class Hiss:
    """The jet of a valve or nozzle: x^2 / (1 + 2/3 x^5) about its peak, +6 dB an octave below and -9 dB above.

    Args:
        peak_hz: frequency of the peak, Hz: about 0.2 jet speeds over the diameter.
        level_db: level at 1 m of the octave about the peak, dB re 20 uPa.
    """

    peak_hz: float
    level_db: float

    def __post_init__(self) -> None:
        """Refuse a hiss without a peak."""
        if not 0.0 < self.peak_hz < math.inf or not math.isfinite(self.level_db):
            raise ValueError(f"a hiss of {self.level_db} dB about {self.peak_hz} Hz cannot be")

    def pressure_psd_pa2_hz(self, frequency_hz: FloatArray) -> FloatArray:
        """One-sided power spectral density, Pa2/Hz at 1 m, same shape as `frequency_hz`."""
        ratio = np.asarray(frequency_hz, dtype=np.float64) / self.peak_hz
        octave_pa2 = SOUND_REFERENCE_PA**2 * math.pow(10.0, self.level_db / 10.0)
        density: FloatArray = octave_pa2 / (JET_OCTAVE * self.peak_hz) * np.square(ratio) / (1.0 + 2.0 / 3.0 * ratio**5)
        return density


@dataclass(frozen=True, slots=True)
class Machine:
    """A fan, pump, valve or converter, small against its distance; levels are those on its axis if it has one.

    Args:
        position_m: place in the room's frame, m.
        broadband_db_at_20khz: level at 1 m of the octave band centred on 20 kHz, dB re 20 uPa.
        lines: its tones.
        hiss: its jet; None for none.
    """

    position_m: tuple[float, float, float]
    broadband_db_at_20khz: float
    lines: tuple[Line, ...] = ()
    hiss: Hiss | None = None

    def pressure_psd_pa2_hz(self, frequency_hz: FloatArray) -> FloatArray:
        """One-sided power spectral density of broad band and hiss, Pa2/Hz at 1 m, same shape as `frequency_hz`.

        The broad band falls as 1/f^2 (-6 dB an octave) from a knee at 2 kHz on; the lines are not in it.
        """
        octave_pa2 = SOUND_REFERENCE_PA**2 * math.pow(10.0, self.broadband_db_at_20khz / 10.0)
        fall = (REFERENCE_HZ**2 + KNEE_HZ**2) / (np.square(frequency_hz) + KNEE_HZ**2)
        density: FloatArray = octave_pa2 / OCTAVE_HZ * fall
        return density if self.hiss is None else density + self.hiss.pressure_psd_pa2_hz(frequency_hz)
