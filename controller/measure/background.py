"""What a group hears while nothing leaks, learned from quiet bursts, and how to take it out of later ones.

A machine reaches the microphones by fixed ways, so in every bin its sound has a fixed direction in the space of the
microphones, however its strength varies. What lies along the directions that stand above noise is taken out (signal
subspace: Schmidt 1986; nulling by projection: Van Trees 2002, Optimum Array Processing, 6.7); noise has no direction,
so quiet bursts that hold nothing but noise take nothing out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from controller.measure.spectra import BurstSpectra, ComplexArray, Layout

SMOOTHING_HZ = 800.0  # wide enough for a power estimate, narrow enough for a machine's line
RANK_SMOOTHING_HZ = 1500.0  # whether something has a direction is asked of so much of the band at once
STRONG = 8.0  # of the noise: what is weaker has no direction that a few bursts could tell; it can only be subtracted
EDGE_MARGIN = 1.15  # on what noise reaches by chance
MOST_DIRECTIONS = 6  # machines that are told apart; of sixteen dimensions the leak needs most


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Directions of machines.

    Args:
        layout: of the spectra that it fits.
        power: smoothed power (sensors, bins) of the quiet bursts, Pa^2.
        directions: orthonormal (bins, sensors, rank), 0 where fewer stand out; in units of the quiet amplitude.
    """

    layout: Layout
    power: NDArray[np.float32]
    directions: ComplexArray

    @property
    def rank(self) -> float:
        """How many directions are taken out, mean over the band."""
        return float(np.sum(np.abs(self.directions) ** 2) / self.directions.shape[0])

    def removed(self, spectra: BurstSpectra) -> ComplexArray:
        """The spectra (sensors, bins) without what lies along the machines' directions."""
        if spectra.layout != self.layout or not self.directions.shape[2]:
            return spectra.values
        amplitude = np.sqrt(self.power)
        values = np.ascontiguousarray((spectra.values / amplitude).T)[:, :, None]
        directions = self.directions
        if not spectra.present.all():
            directions = _orthonormal(directions * spectra.present[None, :, None])
        along = directions.conj().transpose(0, 2, 1) @ values
        rest: ComplexArray = ((values - directions @ along)[:, :, 0].T * amplitude).astype(np.complex64)
        return rest


def learn(quiet: Sequence[BurstSpectra], *, audible: bool = False) -> Background | None:
    """What machines do in those `quiet` bursts that most microphones share; None where there are none.

    A single burst cannot tell a machine from noise bin by bin: it counts as a machine's if one is `audible` in it.
    """
    fitting = [burst for burst in quiet if burst.layout == quiet[0].layout]
    if not fitting:
        return None
    # A node that is unplugged for good must not keep the others from learning.
    there = max((burst.present for burst in fitting), key=np.count_nonzero)
    whole = [burst for burst in fitting if np.array_equal(burst.present, there)]
    if len(whole) == 1 and not audible:
        return None
    layout = whole[0].layout
    stacked = np.stack([burst.values for burst in whole], axis=2)  # (sensors, bins, bursts)
    power = smoothed(np.mean(np.abs(stacked) ** 2, axis=2), layout, SMOOTHING_HZ)
    scaled = np.ascontiguousarray((stacked / np.sqrt(power)[:, :, None]).transpose(1, 0, 2))
    gram = scaled.conj().transpose(0, 2, 1) @ scaled / np.float32(len(whole))
    value, vector = np.linalg.eigh(gram)
    value, vector = np.maximum(value[:, ::-1], 1e-12), vector[:, :, ::-1]
    if len(whole) > 1:
        stands = _stands_out(value, min(MOST_DIRECTIONS, len(whole) - 1), int(there.sum()), layout)
    else:
        stands = np.ones((layout.bins, 1), dtype=bool)
    kept = int(np.max(stands.sum(axis=1), initial=0))
    directions = scaled @ vector[:, :, :kept] / np.sqrt(len(whole) * value[:, None, :kept])
    return Background(layout, power, (directions * stands[:, None, :kept]).astype(np.complex64))


def smoothed(power: NDArray[np.float32], layout: Layout, width_hz: float) -> NDArray[np.float32]:
    """Mean over `width_hz` of the bins (..., bins), never 0."""
    bins = max(1, round(width_hz * layout.length / layout.rate_hz))
    found: NDArray[np.float32] = np.maximum(uniform_filter1d(power, bins, axis=-1), np.float32(1e-30))
    return found


def _stands_out(value: NDArray[np.float32], rank: int, sensors: int, layout: Layout) -> NDArray[np.bool_]:
    """Which of the first `rank` eigenvalues (bins, bursts) of the quiet covariance are above what noise reaches.

    The largest eigenvalue of pure noise is (1 + sqrt(sensors / bursts))^2 of its mean (Marchenko & Pastur 1967); the
    noise is what the smaller ones leave, corrected for the freedoms that the larger ones took.
    """
    bursts = value.shape[1]
    level = smoothed(value.T.copy(), layout, RANK_SMOOTHING_HZ).T
    edge = EDGE_MARGIN * (1.0 + np.sqrt(sensors / bursts)) ** 2
    stands = np.zeros((len(value), rank), dtype=bool)
    for index in range(rank):
        rest = level[:, index + 1 :].sum(axis=1) / max(sensors - index - 1, 1)
        noise = rest * bursts / (bursts - index - 1)
        stands[:, index] = level[:, index] > max(edge, STRONG) * noise
    found: NDArray[np.bool_] = np.logical_and.accumulate(stands, axis=1)
    return found


def _orthonormal(directions: ComplexArray) -> ComplexArray:
    """Basis of what is left of the directions where microphones are missing."""
    basis, size = np.linalg.qr(directions)
    there = np.abs(np.diagonal(size, axis1=1, axis2=2)) > 1e-3
    found: ComplexArray = (basis * there[:, None, :]).astype(np.complex64)
    return found
