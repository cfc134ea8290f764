"""A hole to vacuum: what flows out of it and what of its jet is heard inside the cabin.

The loss of pressure lives in `atmosphere`, the way of the sound to a microphone in `sound_field`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.world.air import GAS_CONSTANT_J_KG_K, HEAT_RATIO

FloatArray = NDArray[np.float64]

CHOKED_FLOW_FACTOR = math.sqrt(HEAT_RATIO) * math.pow(
    2.0 / (HEAT_RATIO + 1.0),
    (HEAT_RATIO + 1.0) / (2.0 * (HEAT_RATIO - 1.0)),
)  # 0.6847: mass flow of a choked nozzle = factor * area * pressure / sqrt(R T)
JET_STROUHAL = 0.2  # peak frequency * diameter / throat speed of round jet noise
HEARING_PRESSURE_PA = 20e-6  # 0 dB
BAND_HZ = (20e3, 100e3)  # where `acoustic_efficiency` counts the sound
BAND_POINTS = 512  # trapezia on a logarithmic axis; the spectrum is smooth, the error is below 1e-4
PEAK_CONSTANT = 2.0 / 3.0  # puts the maximum of x^2 / (1 + a x^5) at x = 1


@dataclass(frozen=True, slots=True)
class Hole:
    """A round hole through the hull, with vacuum outside.

    The sound settings are estimates good to 15 dB or so; `level_offset_db` is the place for that doubt.

    Args:
        diameter_m: diameter, m.
        discharge_coefficient: effective over geometric area, 0 to 1; 0.83 to 0.85 for a thin sharp edge.
        acoustic_efficiency: share of the power of the stream that turns into sound in 20 to 100 kHz.
        inward_share: share of that sound which goes into the cabin and not out with the jet.
        level_offset_db: added to every sound level, dB.
    """

    diameter_m: float
    discharge_coefficient: float
    acoustic_efficiency: float = 1e-4
    inward_share: float = 0.01
    level_offset_db: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a hole that cannot be."""
        if not self.diameter_m > 0.0:
            raise ValueError(f"hole diameter {self.diameter_m} m is not positive")
        if not 0.0 < self.discharge_coefficient <= 1.0:
            raise ValueError(f"discharge coefficient {self.discharge_coefficient} is outside 0 to 1")
        if self.acoustic_efficiency < 0.0 or self.inward_share < 0.0:
            raise ValueError("acoustic efficiency and inward share cannot be negative")

    @property
    def effective_area_m2(self) -> float:
        """Discharge coefficient times geometric area, m2."""
        return self.discharge_coefficient * math.pi / 4.0 * self.diameter_m**2

    def mass_flow_kg_s(self, pressure_pa: float, temperature_k: float) -> float:
        """Outflow, kg/s, of a choked orifice (to vacuum it always is) at this pressure and temperature."""
        speed = math.sqrt(GAS_CONSTANT_J_KG_K * temperature_k)
        return CHOKED_FLOW_FACTOR * self.effective_area_m2 * pressure_pa / speed

    def peak_frequency_hz(self, temperature_k: float) -> float:
        """Peak of the jet noise, Hz: Strouhal number 0.2 at the sonic throat speed (314 m/s at 22 C)."""
        return JET_STROUHAL * throat_speed_m_s(temperature_k) / self.diameter_m

    def inward_level_db(self, pressure_pa: float, temperature_k: float) -> float:
        """Level inside, dB re 20 uPa at 1 m in 20 to 100 kHz; minus infinity for a silent hole.

        Power of the stream (half m' U^2) times efficiency times inward share, radiated into the half space
        inside the hull: p^2 = W rho c / (2 pi r^2). 2 mm at 101.3 kPa: 31 W, 31 uW, 67 dB.
        """
        squared = self._inward_pressure_squared_pa2(pressure_pa, temperature_k)
        return 10.0 * math.log10(squared / HEARING_PRESSURE_PA**2) if squared > 0.0 else -math.inf

    def pressure_psd_pa2_hz(
        self,
        frequency_hz: FloatArray,
        pressure_pa: float,
        temperature_k: float,
    ) -> FloatArray:
        """One-sided power spectral density of the sound inside, Pa2/Hz at 1 m, same shape as `frequency_hz`.

        Round jet noise as x^2 / (1 + 2/3 x^5) with x the frequency over its peak: +6 dB an octave below,
        -9 dB an octave above, scaled so that its integral over 20 to 100 kHz is `inward_level_db`.
        """
        peak_hz = self.peak_frequency_hz(temperature_k)
        octaves = np.linspace(math.log(BAND_HZ[0]), math.log(BAND_HZ[1]), BAND_POINTS)
        band_hz = np.exp(octaves)
        in_band_hz = float(np.trapezoid(jet_spectrum(band_hz / peak_hz) * band_hz, octaves))
        scale = self._inward_pressure_squared_pa2(pressure_pa, temperature_k) / in_band_hz
        return scale * jet_spectrum(frequency_hz / peak_hz)

    def _inward_pressure_squared_pa2(self, pressure_pa: float, temperature_k: float) -> float:
        """Mean square pressure inside at 1 m in 20 to 100 kHz, Pa2; see `inward_level_db`."""
        flow_kg_s = self.mass_flow_kg_s(pressure_pa, temperature_k)
        stream_w = 0.5 * flow_kg_s * throat_speed_m_s(temperature_k) ** 2
        doubt = math.pow(10.0, self.level_offset_db / 10.0)
        inward_w = stream_w * self.acoustic_efficiency * self.inward_share * doubt
        density_kg_m3 = pressure_pa / (GAS_CONSTANT_J_KG_K * temperature_k)
        sound_speed_m_s = math.sqrt(HEAT_RATIO * GAS_CONSTANT_J_KG_K * temperature_k)
        return inward_w * density_kg_m3 * sound_speed_m_s / (2.0 * math.pi)


def throat_speed_m_s(temperature_k: float) -> float:
    """Sonic speed in the throat, sqrt(2 gamma R T / (gamma + 1)), m/s, from the cabin temperature."""
    return math.sqrt(2.0 * HEAT_RATIO / (HEAT_RATIO + 1.0) * GAS_CONSTANT_J_KG_K * temperature_k)


def jet_spectrum(ratio: FloatArray) -> FloatArray:
    """Shape of the jet noise over frequency divided by its peak; 1 at the peak."""
    shape: FloatArray = (1.0 + PEAK_CONSTANT) * np.square(ratio) / (1.0 + PEAK_CONSTANT * ratio**5)
    return shape
