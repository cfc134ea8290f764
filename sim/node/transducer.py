"""Transducers: what physics does to a sensor, as the counts that its converter gives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REFERENCE_PA = 20e-6
SELF_NOISE_BAND_HZ = 80e3  # the self-noise level is stated for 20 to 100 kHz; the noise itself is white


@dataclass(frozen=True, slots=True)
class MicrophoneArray:
    """The front end of one array node: `gain` (channels,) is each microphone's true over nominal sensitivity."""

    gain: NDArray[np.float64]
    self_noise_pa_rtHz: float  # noqa: N815 - the unit's own spelling
    full_scale_pa: float
    bits: int
    rate_hz: float

    @property
    def scale_pa(self) -> float:
        """Pascal a count, as the node's channel table declares it."""
        return self.full_scale_pa / (1 << (self.bits - 1))

    def counts(self, pressure_pa: NDArray[np.float64], random: np.random.Generator) -> tuple[NDArray[np.int16], bool]:
        """Counts (channels, n) of the sound at the microphones, and whether any met the converter's limit."""
        noise_pa = self.self_noise_pa_rtHz * np.sqrt(self.rate_hz / 2)
        heard = pressure_pa * self.gain[:, None] + noise_pa * random.standard_normal(pressure_pa.shape)
        limit = (1 << (self.bits - 1)) - 1
        counts = np.rint(heard / self.scale_pa)
        saturated = bool(np.abs(counts).max(initial=0) > limit)
        return np.clip(counts, -limit - 1, limit).astype(np.int16), saturated


def self_noise_density(level_db: float) -> float:
    """Pa per root hertz of a white self-noise whose level in 20 to 100 kHz is `level_db` re 20 µPa."""
    return float(REFERENCE_PA * 10 ** (level_db / 20) / np.sqrt(SELF_NOISE_BAND_HZ))


@dataclass(frozen=True, slots=True)
class Barometer:
    """A pressure channel and a temperature channel of one chip."""

    bias_pa: float
    noise_pa: float
    bias_k: float
    noise_k: float

    PRESSURE_SCALE_PA = 0.01
    TEMPERATURE_SCALE_K = 0.001

    def pressure_counts(self, pressure_pa: float, random: np.random.Generator) -> int:
        """One conversion of the cabin pressure."""
        return round((pressure_pa + self.bias_pa + self.noise_pa * random.standard_normal()) / self.PRESSURE_SCALE_PA)

    def temperature_counts(self, temperature_k: float, random: np.random.Generator) -> int:
        """One conversion of the cabin temperature."""
        measured_k = temperature_k + self.bias_k + self.noise_k * random.standard_normal()
        return round(measured_k / self.TEMPERATURE_SCALE_K)
