"""Fast front ends: what capsule, amplifier and converter make of the field at their sensors, as counts.

Slow sensors are next door; what the field is, and where the sensors truly sit, is the plant's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from firmware_bridge.units import SOUND_REFERENCE_PA
from sim.node.response import Response

FloatArray = NDArray[np.float64]

SELF_NOISE_BAND_HZ = 80e3  # the self-noise level is stated for 20 to 100 kHz; the noise itself is white
TAPER_S = 2e-3  # in which a capture's ends fade: with a band that ends at Nyquist, delays stay exact to 1e-6
SENSITIVITY_K = 293.15  # sensitivities are stated at 20 C
OVERLOAD_ORDER = 3  # of the soft clipping x / (1 + |x|^n)^(1/n): a hundredth of the distortion 20 dB below overload
OVERLOAD_REACH = 1.24843  # a sine of this amplitude is distorted by 10 %, which is how data sheets define overload
NOISE_RISE_LIMIT_DB = 60.0  # a decimation filter ends the rise of shaped noise


@dataclass(frozen=True, slots=True)
class NoiseRise:
    """Noise shaping of a one-bit converter: density twice (power) at `corner_hz`, then 6 dB an octave and order."""

    corner_hz: float
    order: int

    def power(self, frequency_hz: FloatArray) -> FloatArray:
        """Noise power density over that far below the corner, (n,)."""
        risen = 1.0 + (frequency_hz / self.corner_hz) ** (2 * self.order)
        bounded: FloatArray = np.minimum(risen, 10.0 ** (NOISE_RISE_LIMIT_DB / 10.0))
        return bounded


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """The fast channels of one node and quantity. Field and noise are in its SI unit, referred to the sensors' input.

    Args:
        gain: (channels,) true over nominal sensitivity.
        noise_density: white self-noise, unit per root hertz.
        full_scale: field that gives full scale.
        bits: of the converter.
        rate_hz: nominal samples a second.
        responses: one a channel, or none for flat ones.
        skew_s: a multiplexed converter takes channel k this times k later than channel 0.
        overload: amplitude of a sine that is distorted by 10 %; infinity for none short of the converter.
        effective_bits: what the converter's own noise leaves of its bits; None for all.
        noise_rise: noise shaping; None for white.
        gain_per_k: relative change of sensitivity, 1/K, about 20 C.
    """

    gain: FloatArray
    noise_density: float
    full_scale: float
    bits: int
    rate_hz: float
    responses: Sequence[Response] = ()
    skew_s: float = 0.0
    overload: float = math.inf
    effective_bits: float | None = None
    noise_rise: NoiseRise | None = None
    gain_per_k: float = 0.0
    margin: int = field(init=False)

    def __post_init__(self) -> None:
        """Refuse what does not fit together; find how much more than a burst has to be captured."""
        if self.responses and len(self.responses) != len(self.gain):
            raise ValueError(f"{len(self.responses)} responses for {len(self.gain)} channels")
        if self.effective_bits is not None and self.effective_bits > self.bits:
            raise ValueError(f"{self.effective_bits} effective bits of {self.bits}")
        settling_s = max((response.settling_s for response in self.responses), default=0.0)
        needed = self.responses or self.skew_s
        margin = math.ceil((TAPER_S + max(settling_s, TAPER_S)) * self.rate_hz) if needed else 0
        object.__setattr__(self, "margin", margin)

    @property
    def scale(self) -> float:
        """SI units a count, as the node's channel table declares it."""
        return self.full_scale / (1 << (self.bits - 1))

    def counts(
        self, heard: FloatArray, random: np.random.Generator, temperature_k: float = SENSITIVITY_K
    ) -> tuple[NDArray[np.int16], bool]:
        """Counts (channels, n) of the field at the sensors, and whether any met the converter's limit.

        Args:
            heard: (channels, margin + n + margin), sampled at the rate of this front end's own clock.
            random: for the noise; used in the same way whatever is heard.
            temperature_k: of the sensors.
        """
        felt = self._filtered(heard) if self.margin else heard
        gain = self.gain * (1.0 + self.gain_per_k * (temperature_k - SENSITIVITY_K))
        felt = self._overloaded(felt * gain[:, None]) + self._noise(felt.shape, random)
        limit = (1 << (self.bits - 1)) - 1
        counts = np.rint(felt / self.scale)
        saturated = bool(np.abs(counts).max(initial=0) > limit)
        return np.clip(counts, -limit - 1, limit).astype(np.int16), saturated

    def noise_power(self, frequency_hz: FloatArray) -> FloatArray:
        """One-sided density (n,) of everything that the front end adds, unit^2/Hz, rounding to counts included."""
        shape = np.ones(len(frequency_hz)) if self.noise_rise is None else self.noise_rise.power(frequency_hz)
        rounding = self.scale**2 / 12.0
        density: FloatArray = self.noise_density**2 * shape + (self._converter_power + rounding) * 2.0 / self.rate_hz
        return density

    def response_power(self, frequency_hz: FloatArray) -> FloatArray:
        """(channels, n): |H|^2, sensitivity included."""
        flat = np.ones((len(self.gain), len(frequency_hz)))
        shaped = [np.abs(response.transfer(frequency_hz)) ** 2 for response in self.responses]
        power: FloatArray = self.gain[:, None] ** 2 * (np.array(shaped) if shaped else flat)
        return power

    @property
    def _converter_power(self) -> float:
        """Mean square of the converter's noise beyond that of rounding: what takes `bits` down to the effective."""
        if self.effective_bits is None:
            return 0.0
        effective = self.full_scale / float(2.0 ** (self.effective_bits - 1.0))
        return (effective**2 - self.scale**2) / 12.0

    def _filtered(self, heard: FloatArray) -> FloatArray:
        """Responses and skew, exact in between: the ends fade out before they meet on the transform's circle."""
        total = heard.shape[1]
        fade = math.ceil(TAPER_S * self.rate_hz)
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
        window = np.ones(total)
        window[:fade], window[-fade:] = ramp, ramp[::-1]
        length = int(fft.next_fast_len(total + self.margin, real=True))
        spectrum = fft.rfft(heard * window, n=length, axis=1)
        frequency_hz: FloatArray = fft.rfftfreq(length, 1.0 / self.rate_hz)
        for row, response in enumerate(self.responses):
            spectrum[row] *= response.transfer(frequency_hz)
        if self.skew_s:
            late_s = self.skew_s * np.arange(len(spectrum))
            spectrum *= np.exp(2j * np.pi * late_s[:, None] * frequency_hz)
        filtered: FloatArray = fft.irfft(spectrum, n=length, axis=1)
        return filtered[:, self.margin : total - self.margin]

    def _overloaded(self, felt: FloatArray) -> FloatArray:
        if math.isinf(self.overload):
            return felt
        ceiling = self.overload / OVERLOAD_REACH
        bent: FloatArray = felt / (1.0 + np.abs(felt / ceiling) ** OVERLOAD_ORDER) ** (1.0 / OVERLOAD_ORDER)
        return bent

    def _noise(self, shape: tuple[int, ...], random: np.random.Generator) -> FloatArray:
        white: FloatArray = random.standard_normal(shape)
        self_noise = self.noise_density * np.sqrt(self.rate_hz / 2)
        if self.noise_rise is None:
            noise: FloatArray = math.hypot(self_noise, math.sqrt(self._converter_power)) * white
            return noise
        # Noise has no beginning, so shaping it on a circle leaves no seam.
        spectrum = fft.rfft(white, axis=1)
        frequency_hz: FloatArray = fft.rfftfreq(shape[1], 1.0 / self.rate_hz)
        power = self.noise_rise.power(frequency_hz) * self_noise**2 + self._converter_power
        shaped: FloatArray = fft.irfft(spectrum * np.sqrt(power), n=shape[1], axis=1)
        return shaped


def self_noise_density(level_db: float) -> float:
    """Pa per root hertz of a white self-noise whose level in 20 to 100 kHz is `level_db` re 20 µPa."""
    return float(SOUND_REFERENCE_PA * 10 ** (level_db / 20) / np.sqrt(SELF_NOISE_BAND_HZ))


def overload_amplitude(level_db: float) -> float:
    """Amplitude, Pa, of a sine of `level_db` re 20 µPa rms."""
    return float(SOUND_REFERENCE_PA * 10 ** (level_db / 20) * np.sqrt(2.0))
