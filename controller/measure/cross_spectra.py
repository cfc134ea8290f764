"""Cross-spectra of a coherent group's pairs, whitened and accumulated over bursts with forgetting."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from controller.measure.background import SMOOTHING_HZ, Background, smoothed
from controller.measure.coherence import CoherentGroup
from controller.measure.spectra import BurstSpectra, ComplexArray, Layout

STEPS_TOGETHER = 64  # whose matrices of all sensors squared are held at once: they stay in the cache


@dataclass(frozen=True, slots=True, eq=False)
class CrossSpectra:
    """Mean whitened cross-spectra of one group.

    Args:
        group: whose.
        layout: of the steps.
        value: (pairs, steps), the first's spectrum times the second's conjugate.
        variance: (pairs,) of each step's mean under pure noise; infinite for pairs never heard together.
        bursts: how many equal ones would give the best known pair's mean as little noise.
        mid_shift_s: (sensors,) mean shift of the bursts' middles.
        mid_sigma_s: (sensors,) how well it is known.
    """

    group: CoherentGroup
    layout: Layout
    value: ComplexArray
    variance: NDArray[np.float64]
    bursts: float
    mid_shift_s: NDArray[np.float64]
    mid_sigma_s: NDArray[np.float64]


class CrossAccumulator:
    """Sums of one group's cross-spectra; each new burst multiplies what is known by `forgetting` (1: never forget)."""

    def __init__(self, group: CoherentGroup, layout: Layout, forgetting: float = 1.0) -> None:
        """Start empty."""
        sensors, pairs = len(group.sensors), len(group.pairs[0])
        self._group, self.layout, self._forgetting = group, layout, forgetting
        self._total = np.zeros((pairs, layout.steps), dtype=np.complex64)
        self._count = np.zeros(pairs)
        self._square = np.zeros(pairs)
        self._heard = np.zeros(sensors)
        self._mid_shift_s = np.zeros(sensors)
        self._mid_sigma_s = np.zeros(sensors)

    def add(self, spectra: BurstSpectra, background: Background | None = None) -> None:
        """Add one capture's spectra, machines taken out."""
        values = spectra.values if background is None else background.removed(spectra)
        power = smoothed(values.real**2 + values.imag**2, self.layout, SMOOTHING_HZ)
        values = (values / np.sqrt(power)).astype(np.complex64, copy=False)
        values[~spectra.present] = 0.0
        first, second = self._group.pairs
        both = (spectra.present[first] & spectra.present[second]).astype(float)
        self._total *= np.float32(self._forgetting)
        self._add_products(values)
        self._count = self._forgetting * self._count + both
        self._square = self._forgetting**2 * self._square + both
        self._heard = self._forgetting * self._heard + spectra.present
        self._mid_shift_s = self._forgetting * self._mid_shift_s + spectra.mid_shift_s
        # Successive bursts see much the same pings: their mean is not trusted to be better than one of them.
        self._mid_sigma_s = np.where(spectra.present, spectra.mid_sigma_s, self._mid_sigma_s)

    def mean(self) -> CrossSpectra | None:
        """The means so far; None before the first burst."""
        if not self._heard.any():
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            fewer = np.where(self._count > 0.0, self._square / self._count**2, np.inf)
        weight = np.where(self._count > 0.0, 1.0 / np.maximum(self._count, 1e-9), 0.0).astype(np.float32)
        best = float(fewer.min(initial=np.inf))
        return CrossSpectra(
            group=self._group,
            layout=self.layout,
            value=self._total * weight[:, None],
            variance=float(np.sum(step_taps(self.layout) ** 2)) * fewer,
            bursts=1.0 / best if np.isfinite(best) else 1.0,
            mid_shift_s=self._mid_shift_s / np.maximum(self._heard, 1e-9),
            mid_sigma_s=self._mid_sigma_s.copy(),
        )

    def _add_products(self, values: ComplexArray) -> None:
        """Add the pairs' products, summed over the bins of each step, of whitened spectra (sensors, bins)."""
        taps = step_taps(self.layout)
        first, second = self._group.pairs
        windows = sliding_window_view(values, len(taps), axis=1)[:, :: self.layout.step]
        for start in range(0, windows.shape[1], STEPS_TOGETHER):
            some = slice(start, start + STEPS_TOGETHER)
            block = np.ascontiguousarray(windows[:, some].transpose(1, 0, 2))
            matrix = np.matmul(block * taps, block.conj().transpose(0, 2, 1))
            self._total[:, some] += matrix[:, first, second].T


def step_taps(layout: Layout) -> NDArray[np.float32]:
    """Weights of the bins of a step: neighbours share the bin between them."""
    taps = np.ones(2 * layout.reach + 1, dtype=np.float32)
    if layout.reach:
        taps[[0, -1]] = 0.5
    return taps
