"""The diffuse tail of a plate: what a skin still rings with after the first arrivals, as a random impulse response.

Decay and level follow from the loss factor and the mass of the skin; no way is followed here, so nothing is said about
how alike the tails of two neighbouring sensors are: they are drawn apart.

A force of mean square F^2 feeds F^2 Y into a skin of mass m; a loss factor eta takes omega eta times the energy
m v^2 that is there, so v^2 = F^2 Y / (omega eta m) (Lyon and DeJong 1995), which as an impulse response is noise of
power Y / m that decays as exp(-omega eta t): by 60 dB in T60 = 2.2 / (f eta).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sim.world.structure.lamb import Mode
from sim.world.structure.plate import Plate

FloatArray = NDArray[np.float64]

LOSS_FACTOR = (1e-4, 0.3)  # a bell and a plate buried in lining
BANDS_AN_OCTAVE = 3.0  # within a band one decay: 26 % wide, so rates of decay are off by 13 % at most
DECAYED_DB = 60.0  # then the tail ends
LONGEST_S = 0.25  # or then: what rings longer fades out in the last tenth
RISE_S = 1e-4  # in which a band's tail opens after the direct A0 of that band has come


@dataclass(frozen=True, slots=True)
class Reverberation:
    """How the skin rings.

    Args:
        loss_factor: eta of the installed skin, all losses together.
        share: of the energy by the formula above that is given to the tail; 0 for none, the rest is with the ways.
    """

    loss_factor: float = 5e-3
    share: float = 1.0

    def __post_init__(self) -> None:
        """Refuse tails that grow or never end."""
        if not LOSS_FACTOR[0] <= self.loss_factor <= LOSS_FACTOR[1]:
            raise ValueError(f"loss factor {self.loss_factor} is outside {LOSS_FACTOR[0]} to {LOSS_FACTOR[1]}")
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"a share of {self.share} of the energy is outside 0 to 1")

    def decay_s(self, frequency_hz: float) -> float:
        """T60 = 2.2 / (f eta), s."""
        return math.log(10.0**6) / (2.0 * math.pi) / (frequency_hz * self.loss_factor)

    def duration_s(self, low_hz: float) -> float:
        """Length of the tail after its opening, s, in a band that begins at `low_hz`."""
        return 0.0 if self.share == 0.0 else min(LONGEST_S, self.decay_s(low_hz) * DECAYED_DB / 60.0)

    def tail(
        self,
        plate: Plate,
        area_m2: float,
        direct_m: float,
        band_hz: tuple[float, float],
        sample_rate_hz: float,
        generator: np.random.Generator,
    ) -> FloatArray:
        """Velocity at a sensor after a unit impulse of force (N s on one sample), m/s, (taps,).

        Args:
            plate: the skin.
            area_m2: its area.
            direct_m: shortest way to the sensor: each band opens when its A0 has come.
            band_hz: lowest and highest frequency, Hz; the plate must carry A0 and S0 alone there.
            sample_rate_hz: rate of the taps.
            generator: gives the noise.
        """
        count = max(2, round(BANDS_AN_OCTAVE * math.log2(band_hz[1] / band_hz[0]))) + 1
        centre_hz = np.geomspace(*band_hz, count)
        opens_s = direct_m / plate.group_speed_m_s(Mode.A0, centre_hz)
        taps = math.ceil((float(opens_s.max()) + self.duration_s(band_hz[0])) * sample_rate_hz)
        size = fft.next_fast_len(taps, real=True)
        frequency_hz = fft.rfftfreq(size, 1.0 / sample_rate_hz)
        inside = (frequency_hz >= band_hz[0]) & (frequency_hz <= band_hz[1])
        fed = np.array([plate.admittance_m_s_n(mode, centre_hz) for mode in Mode]).sum(axis=0)
        power = np.interp(frequency_hz[inside], centre_hz, fed) / (plate.surface_density_kg_m2 * area_m2)
        noise = np.zeros(len(frequency_hz), dtype=np.complex128)
        drawn = fft.rfft(generator.standard_normal(size))[inside]
        noise[inside] = drawn * np.sqrt(self.share * power / sample_rate_hz)
        time_s = np.arange(taps) / sample_rate_hz
        place = np.interp(np.log(np.maximum(frequency_hz, 1.0)), np.log(centre_hz), np.arange(count))
        total = np.zeros(taps)
        for band in range(count):
            hat = np.clip(1.0 - np.abs(place - band), 0.0, None)
            decay = np.exp(-math.pi * centre_hz[band] * self.loss_factor * time_s)
            opened = np.clip((time_s - opens_s[band]) / RISE_S, 0.0, 1.0)
            total += fft.irfft(noise * hat, n=size)[:taps] * decay * opened
        fade = np.clip((1.0 - np.arange(taps) / taps) / 0.1, 0.0, 1.0)
        return np.asarray(total * fade)
