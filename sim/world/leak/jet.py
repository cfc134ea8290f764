"""A jet into vacuum as a source: how turbulent it is, what of it is heard inside and how it shakes the plate.

How much flows in the jet is told by the kinds of leak; the ways of sound and vibration live in other rooms.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.world.air import GAS_CONSTANT_J_KG_K, HEAT_RATIO
from sim.world.leak.flow import throat_speed_m_s

FloatArray = NDArray[np.float64]

JET_STROUHAL = 0.2  # peak frequency * diameter / throat speed of round jet noise (Tam 1998, Lush 1971)
BAND_HZ = (20e3, 100e3)  # where `acoustic_efficiency` counts the sound
BAND_POINTS = 512  # trapezia on a logarithmic axis; the spectrum is smooth, the error is below 1e-4
PEAK_CONSTANT = 2.0 / 3.0  # puts the maximum of x^2 / (1 + a x^5) at x = 1
# integral of the spectrum over all x: int x^2 / (1 + a x^5) dx = a^(-3/5) (pi / 5) / sin(3 pi / 5), times 1 + a
SPECTRUM_AREA = (
    (1.0 + PEAK_CONSTANT) * math.pow(PEAK_CONSTANT, -0.6) * (math.pi / 5.0) / math.sin(0.6 * math.pi)
)  # 1.404
LAMINAR_REYNOLDS = 2000.0  # a tenth of the turbulent sound
TURBULENT_REYNOLDS = 4000.0  # nine tenths of it
ONSET_REYNOLDS = math.sqrt(LAMINAR_REYNOLDS * TURBULENT_REYNOLDS)  # half of it: 2828
ONSET_POWER = math.log(9.0) / math.log(TURBULENT_REYNOLDS / ONSET_REYNOLDS)  # 6.34: nine tenths at 4000


@dataclass(frozen=True, slots=True)
class Loudness:
    """How strongly the jets of a leak act on the cabin and on the plate. Estimates, not measurements.

    The airborne level is good to 15 dB or so: what reaches the cabin from a leak into vacuum depends on the
    edge of the hole. The force is good to 20 dB: no published figure was found for holes in thin plates.

    Args:
        acoustic_efficiency: share of the power of the stream that turns into sound in 20 to 100 kHz. Jets near
            sonic speed radiate 1e-4 and some of it (Lighthill 1952: 1e-4 M^5).
        inward_share: share of that sound which goes into the cabin and not out with the jet.
        level_offset_db: added to every level, in the cabin and in the plate, dB: the place for the doubt.
        unsteadiness: rms of the force of turbulence on the plate over the momentum flux of the jet. 1 % is the
            intensity of turbulence in the core of a short nozzle; pipe flow reaches 5 to 10 %.
    """

    acoustic_efficiency: float = 1e-4
    inward_share: float = 0.01
    level_offset_db: float = 0.0
    unsteadiness: float = 0.01

    def __post_init__(self) -> None:
        """Refuse negative shares."""
        if self.acoustic_efficiency < 0.0 or self.inward_share < 0.0 or self.unsteadiness < 0.0:
            raise ValueError("acoustic efficiency, inward share and unsteadiness cannot be negative")


USUAL = Loudness()


@dataclass(frozen=True, slots=True)
class Jet:
    """One stream of a leak.

    Args:
        diameter_m: hydraulic diameter (four times area over wetted edge: twice the opening of a slot), m.
        mass_flow_kg_s: what it carries.
        reynolds: mass flow per area times hydraulic diameter over viscosity.
    """

    diameter_m: float
    mass_flow_kg_s: float
    reynolds: float

    def peak_frequency_hz(self, temperature_k: float) -> float:
        """Peak of the jet noise, Hz: Strouhal number 0.2 at the sonic throat speed (314 m/s at 22 C)."""
        return JET_STROUHAL * throat_speed_m_s(temperature_k) / self.diameter_m

    def inward_pressure_squared_pa2(self, loudness: Loudness, pressure_pa: float, temperature_k: float) -> float:
        """Mean square pressure inside at 1 m in 20 to 100 kHz, Pa2.

        Power of the stream (half m' U^2) times efficiency, inward share and turbulence, radiated into the half
        space inside the hull: p^2 = W rho c / (2 pi r^2). Both the flow and rho go as the pressure: 20 log P.
        """
        stream_w = 0.5 * self.mass_flow_kg_s * throat_speed_m_s(temperature_k) ** 2
        inward_w = stream_w * loudness.acoustic_efficiency * loudness.inward_share * _strength(self, loudness)
        density_kg_m3 = pressure_pa / (GAS_CONSTANT_J_KG_K * temperature_k)
        sound_speed_m_s = math.sqrt(HEAT_RATIO * GAS_CONSTANT_J_KG_K * temperature_k)
        return inward_w * density_kg_m3 * sound_speed_m_s / (2.0 * math.pi)

    def force_squared_n2(self, loudness: Loudness, temperature_k: float) -> float:
        """Mean square of the turbulent force on the plate, N2, all frequencies: (unsteadiness m' U)^2."""
        thrust_n = self.mass_flow_kg_s * throat_speed_m_s(temperature_k)
        return (loudness.unsteadiness * thrust_n) ** 2 * _strength(self, loudness)


def turbulence(reynolds: float) -> float:
    """Share of the power of fully turbulent noise that a jet of this Reynolds number makes, 0 to 1.

    One law for round jets and slots: r^n / (1 + r^n), r = Re / 2828, n = 6.34, so a tenth at 2000, nine tenths
    at 4000, between which flow in pipes and slots turns turbulent (Reynolds 1883; Patel and Head 1969), and
    -117 dB at 40. Smooth, so that a falling pressure fades a leak out and does not switch it off.
    """
    ratio = math.pow(reynolds / ONSET_REYNOLDS, ONSET_POWER)
    return ratio / (1.0 + ratio)


def jet_spectrum(ratio: FloatArray) -> FloatArray:
    """Shape of the jet noise over frequency divided by its peak; 1 at the peak, +6 dB an octave below, -9 above."""
    shape: FloatArray = (1.0 + PEAK_CONSTANT) * np.square(ratio) / (1.0 + PEAK_CONSTANT * ratio**5)
    return shape


def pressure_psd_pa2_hz(
    jets: Sequence[Jet],
    loudness: Loudness,
    frequency_hz: FloatArray,
    pressure_pa: float,
    temperature_k: float,
) -> FloatArray:
    """One-sided spectral density of the sound of `jets` inside, Pa2/Hz at 1 m, same shape as `frequency_hz`.

    Round jet noise as x^2 / (1 + 2/3 x^5) with x the frequency over its peak. Several jets are independent: their
    powers add, each spread over its own spectrum. All is scaled so that its integral over 20 to 100 kHz is the
    level of the jets together, for that band is where `acoustic_efficiency` counts, wherever the peaks are.
    """
    squares_pa2 = [jet.inward_pressure_squared_pa2(loudness, pressure_pa, temperature_k) for jet in jets]
    peaks_hz = [jet.peak_frequency_hz(temperature_k) for jet in jets]
    octaves = np.linspace(math.log(BAND_HZ[0]), math.log(BAND_HZ[1]), BAND_POINTS)
    band_hz = np.exp(octaves)
    in_band_pa2 = float(np.trapezoid(_spread(squares_pa2, peaks_hz, band_hz) * band_hz, octaves))
    if not in_band_pa2 > 0.0:
        return np.zeros(np.shape(frequency_hz))
    return math.fsum(squares_pa2) / in_band_pa2 * _spread(squares_pa2, peaks_hz, frequency_hz)


def force_psd_n2_hz(
    jets: Sequence[Jet],
    loudness: Loudness,
    frequency_hz: FloatArray,
    temperature_k: float,
) -> FloatArray:
    """One-sided spectral density of the force of `jets` normal to the plate, N2/Hz, same shape as `frequency_hz`.

    An estimate: turbulence makes the momentum flux m' U of each jet flutter by `Loudness.unsteadiness` (rms over
    all frequencies) with the spectrum of its sound. 2 mm at one atmosphere: thrust 0.2 N, force 2 mN rms.
    """
    squares_n2 = [jet.force_squared_n2(loudness, temperature_k) for jet in jets]
    return _spread(squares_n2, [jet.peak_frequency_hz(temperature_k) for jet in jets], frequency_hz)


def _spread(powers: Sequence[float], peaks_hz: Sequence[float], frequency_hz: FloatArray) -> FloatArray:
    """Powers spread over the spectra of jets with these peaks: a density whose integral over all Hz is their sum."""
    density = np.zeros(np.shape(frequency_hz))
    for power, peak_hz in zip(powers, peaks_hz, strict=True):
        density += power / (SPECTRUM_AREA * peak_hz) * jet_spectrum(frequency_hz / peak_hz)
    return density


def _strength(jet: Jet, loudness: Loudness) -> float:
    return turbulence(jet.reynolds) * math.pow(10.0, loudness.level_offset_db / 10.0)
