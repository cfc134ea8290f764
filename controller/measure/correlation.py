"""Cross-spectra -> correlation functions: whitened, with the baseline's noise taken out, on a fine grid of lags."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import uniform_filter1d

from controller.measure.coherence import CoherentGroup
from controller.measure.cross_spectra import SpectraSnapshot

UPSAMPLING = 4  # lag step 1.3 µs at 192 kS/s: a quarter of the shortest period in the band
SMOOTHING_BINS = 65  # 0.8 kHz at 16,384 samples: wide enough for a power estimate, narrow enough for a machine's line
MACHINE_SIGMAS = 4.0  # a lag of the baseline's correlation that stands out this far belongs to a machine
LAG_MARGIN_S = 3e-4  # survey, speed of sound and clock errors may put a delay a little beyond its baseline


@dataclass(frozen=True, slots=True, eq=False)
class Correlations:
    """Correlation functions of one group.

    `value` (pairs, lags) is scaled so that pure noise has unit variance at every lag; `lag_step_s` the step of the
    lags, which run symmetrically around zero; `rms_frequency_hz` (pairs,) the weighted band's rms about zero.
    """

    group: CoherentGroup
    value: NDArray[np.float32]
    lag_step_s: float
    rms_frequency_hz: NDArray[np.float64]
    mid_shift_s: NDArray[np.float64]
    mid_sigma_s: NDArray[np.float64]

    @property
    def zero(self) -> int:
        """Index of lag zero."""
        return int(self.value.shape[1] // 2)


def correlate(now: SpectraSnapshot, baseline: SpectraSnapshot | None, sound_speed_m_s: float) -> Correlations:
    """Correlation functions of the sound that came on top of `baseline`.

    Each pair's cross-spectrum is divided by the geometric mean of the smoothed powers (SCOT, Carter 1973) and weighted
    by the share of power that is new, so that bins that hold only machines count for nothing. What the baseline's own
    correlation shows beyond its noise - the delays of machines and their echoes - is taken out lag by lag: in bins it
    would be lost in the noise of few bursts, and subtracting it everywhere would add that noise.
    """
    first, second = now.group.pairs
    power = np.maximum(uniform_filter1d(now.power, SMOOTHING_BINS, axis=1), 1e-30)
    known = baseline is not None and baseline.length == now.length and baseline.rate_hz == now.rate_hz
    share = _new_share(power, now, baseline) if baseline is not None and known else np.ones_like(power)
    weight = np.sqrt(share[first] * share[second])
    # Under pure noise each bin of the whitened spectrum has variance 1 / bursts: this gives unit variance a lag.
    spread = np.sqrt(np.sum(weight**2, axis=1) / np.maximum(now.bursts, 1e-9) / 2)
    scale = weight / np.sqrt(power[first] * power[second]) / np.maximum(spread, 1e-12)[:, None]
    reach = _reach(now, sound_speed_m_s)
    value = _to_lags(now.cross * scale, now, reach)
    if baseline is not None and known:
        machines = _to_lags(baseline.cross * scale, now, reach)
        noise = np.sqrt(now.bursts / np.maximum(baseline.bursts, 1e-9))[:, None]
        value -= np.where(np.abs(machines) > MACHINE_SIGMAS * noise, machines, 0.0).astype(np.float32)
    frequency_hz = (now.first_bin + np.arange(weight.shape[1])) * now.rate_hz / now.length
    rms_hz = np.sqrt((weight**2 * frequency_hz**2).sum(axis=1) / np.maximum((weight**2).sum(axis=1), 1e-12))
    return Correlations(now.group, value, 1.0 / (now.rate_hz * UPSAMPLING), rms_hz, now.mid_shift_s, now.mid_sigma_s)


def _new_share(power: NDArray[np.float64], now: SpectraSnapshot, baseline: SpectraSnapshot) -> NDArray[np.float64]:
    """Share of each bin's power (sensors, bins) that the baseline does not explain, less one sigma of its estimate."""
    noise = uniform_filter1d(baseline.power, SMOOTHING_BINS, axis=1)
    bursts = max(float(now.bursts.max(initial=1.0)), 1.0), max(float(baseline.bursts.max(initial=1.0)), 1.0)
    doubt = np.sqrt((1.0 / bursts[0] + 1.0 / bursts[1]) / SMOOTHING_BINS)
    return np.asarray(np.clip(1.0 - noise / power * (1.0 + doubt), 0.0, 1.0))


def _reach(now: SpectraSnapshot, sound_speed_m_s: float) -> int:
    """Longest lag that the group's widest pair can show, in steps."""
    first, second = now.group.pairs
    widest_m = float(np.linalg.norm(now.group.position_m[first] - now.group.position_m[second], axis=1).max())
    lags = int(np.ceil((widest_m / sound_speed_m_s + LAG_MARGIN_S) * now.rate_hz * UPSAMPLING))
    return min(lags, now.length * UPSAMPLING // 2 - 1)


def _to_lags(weighted: NDArray[np.complex128], now: SpectraSnapshot, reach: int) -> NDArray[np.float32]:
    length = now.length * UPSAMPLING
    spectrum = np.zeros((weighted.shape[0], length // 2 + 1), dtype=np.complex64)
    spectrum[:, now.first_bin : now.first_bin + weighted.shape[1]] = weighted
    # irfft divides by its length; a unit-variance sum of bins is wanted instead.
    lagged = fft.irfft(spectrum, n=length, axis=1, overwrite_x=True) * np.float32(length / 2)
    return np.concatenate([lagged[:, -reach:], lagged[:, : reach + 1]], axis=1).astype(np.float32)
