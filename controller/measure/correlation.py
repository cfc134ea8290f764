"""Whitened cross-spectra -> correlation functions of all pairs, on a fine grid of lags."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from controller.measure.coherence import CoherentGroup
from controller.measure.cross_spectra import CrossSpectra, step_taps
from controller.measure.spectra import BAND_HZ, LAG_MARGIN_S, LOWEST_SPEED_M_S, Layout, tapered

STRUCK_S = 1.5e-4  # a peak with its flanks and the reflections close behind it
STRUCK_NEAR_S = 4e-5  # all lags of a node's 10 cm span but 0.6 ms: of another leak something must be left
TOGETHER = 8  # pairs that are transformed at once: they stay in the cache
LAGS_A_PERIOD = 8  # of the band's highest frequency: lag step 1.3 us at 192 kS/s


@dataclass(frozen=True, slots=True, eq=False)
class Correlations:
    """Correlation functions of one group.

    `value` (pairs, lags) is scaled so that pure noise has unit variance at every lag; `lag_step_s` the step of the
    lags, which run symmetrically around zero; `rms_frequency_hz` (pairs,) the weighted band's rms about zero; `bursts`
    is how many equal ones they are worth.
    """

    group: CoherentGroup
    value: NDArray[np.float32]
    lag_step_s: float
    rms_frequency_hz: NDArray[np.float64]
    mid_shift_s: NDArray[np.float64]
    mid_sigma_s: NDArray[np.float64]
    bursts: float = 1.0

    @property
    def zero(self) -> int:
        """Index of lag zero."""
        return int(self.value.shape[1] // 2)


def correlate(spectra: CrossSpectra) -> Correlations:
    """Generalised cross-correlation with smoothed-coherence weights (SCOT: Carter, Nuttall & Cable 1973).

    The steps gather bins with a window that lets correlation fall to 0.64 at the longest lag that they can show and
    folds what lies beyond; the layout keeps that beyond every possible delay. Faded bursts overlap the less the later
    one of them is, and so does their noise: what is left of it at each lag is divided out.
    """
    layout = spectra.layout
    pairs = len(spectra.group.pairs[0])
    upsampling = max(1, int(np.ceil(LAGS_A_PERIOD * BAND_HZ[1] / layout.rate_hz)))
    period = layout.length // layout.step
    lags = period * upsampling
    with np.errstate(divide="ignore"):
        scale = np.where(np.isfinite(v := spectra.variance), 1.0 / np.sqrt(v), 0.0)
    # irfft divides by its length; a unit-variance sum of steps is wanted instead.
    scale = (scale * lags / 2.0 * np.sqrt(2.0 / layout.steps)).astype(np.float32)
    longest_s = spectra.group.widest_m / LOWEST_SPEED_M_S + LAG_MARGIN_S
    reach = min(int(np.ceil(longest_s * layout.rate_hz * upsampling)), lags // 2 - 1)
    centred = np.empty((pairs, 2 * reach + 1), dtype=np.float32)
    spectrum = np.zeros((min(TOGETHER, pairs), lags // 2 + 1), dtype=np.complex64)
    for start in range(0, pairs, TOGETHER):
        rows = slice(start, min(start + TOGETHER, pairs))
        some = spectrum[: rows.stop - start]
        inside = some[:, layout.first : layout.first + layout.steps]
        np.multiply(spectra.value[rows], scale[rows, None], out=inside)
        value = fft.irfft(some, n=lags, axis=1)
        centred[rows, :reach] = value[:, -reach:]
        centred[rows, reach:] = value[:, : reach + 1]
    centred *= 1.0 / _noise(layout, upsampling, reach)
    rms_hz = float(np.sqrt(np.mean(layout.step_hz**2)))
    return Correlations(
        spectra.group,
        centred,
        1.0 / (layout.rate_hz * upsampling),
        np.full(pairs, rms_hz),
        spectra.mid_shift_s,
        spectra.mid_sigma_s,
        spectra.bursts,
    )


def subtracted(now: Correlations, before: Correlations) -> Correlations:
    """What came on top of `before`, scaled to unit noise again.

    Where machines are too weak for a direction they are still there on the average, and an average can be subtracted;
    it costs the noise of both.
    """
    ratio = now.bursts / before.bursts
    value = (now.value - np.float32(np.sqrt(ratio)) * before.value) / np.float32(np.sqrt(1.0 + ratio))
    return replace(now, value=value.astype(np.float32, copy=False))


def struck_out(functions: Correlations, delay_s: NDArray[np.float64]) -> Correlations:
    """The functions without what they hold around a delay each (pairs,): a source that has been found."""
    reach_s = np.where(functions.group.same_node, STRUCK_NEAR_S, STRUCK_S)
    lag = np.arange(functions.value.shape[1]) - functions.zero
    beside = np.abs(lag[None, :] * functions.lag_step_s - delay_s[:, None]) <= reach_s[:, None]
    return replace(functions, value=np.where(beside, np.float32(0.0), functions.value))


@lru_cache(8)
def _noise(layout: Layout, upsampling: int, reach: int) -> NDArray[np.float32]:
    """Standard deviation (2 reach + 1,) that pure noise of unit mean variance has at each lag."""
    window = np.zeros(layout.length)
    window[: layout.samples] = tapered(layout.samples, layout.taper)
    overlap = fft.irfft(np.abs(fft.rfft(window**2)) ** 2, n=layout.length)
    lag = np.arange(layout.length)
    taps = step_taps(layout)
    offsets = np.arange(len(taps)) - layout.reach
    kept = np.cos(2 * np.pi * np.outer(lag, offsets) / layout.length) @ taps
    folded = (overlap * kept**2).reshape(layout.step, -1).sum(axis=0)  # by the period of what the steps can show
    spread = np.sqrt(folded / folded.mean())
    at = np.abs(np.arange(-reach, reach + 1)) / upsampling
    found: NDArray[np.float32] = np.interp(at, np.arange(len(spread) + 1), [*spread, spread[0]]).astype(np.float32)
    return found
