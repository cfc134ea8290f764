"""How loud each microphone is in each ultrasonic band; what is usual and what is not lives next door."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from firmware_bridge.units import SOUND_REFERENCE_PA

EDGES_HZ = (12e3, 24e3, 48e3, 90e3)  # octaves: below, machines; above, air absorbs 3 dB a metre
SEGMENT = 1024


@dataclass(frozen=True, slots=True)
class BandLevels:
    """Levels (channels, bands) in dB re 20 µPa of one burst."""

    level_db: NDArray[np.float64]


def band_levels(pressure_pa: NDArray[np.float32], rate_hz: float) -> BandLevels:
    """Band levels of a burst (channels, n): Hann segments, half overlapped (Welch 1967).

    Raises:
        ValueError: the burst is shorter than one segment, or its rate does not reach the lowest band.
    """
    if pressure_pa.shape[1] < SEGMENT or rate_hz / 2 < EDGES_HZ[1]:
        raise ValueError(f"burst of {pressure_pa.shape[1]} samples at {rate_hz:.0f} Hz")
    starts = np.arange(0, pressure_pa.shape[1] - SEGMENT + 1, SEGMENT // 2)
    window = np.hanning(SEGMENT)
    segments = pressure_pa[:, starts[:, None] + np.arange(SEGMENT)] * window
    power = np.mean(np.abs(fft.rfft(segments, axis=-1)) ** 2, axis=1) * (2.0 / (rate_hz * np.sum(window**2)))
    frequency_hz = fft.rfftfreq(SEGMENT, 1.0 / rate_hz)
    step_hz = rate_hz / SEGMENT
    levels = []
    for low, high in pairwise(EDGES_HZ):
        inside = (frequency_hz >= low) & (frequency_hz < min(high, rate_hz / 2))
        energy = power[:, inside].sum(axis=1) * step_hz
        levels.append(10 * np.log10(np.maximum(energy, 1e-20) / SOUND_REFERENCE_PA**2))
    return BandLevels(np.stack(levels, axis=1))
