"""Correlation functions steered to places: how much all pairs together agree that sound comes from there."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from controller.measure.correlation import Correlations

BLOCK = 16_384  # places at a time: their distances and lags stay in the cache

Places = NDArray[np.float32]  # (3, n), m: a row a coordinate


class Steered:
    """Correlation functions of some groups, ready to be looked up; each pair counts as unit noise."""

    def __init__(self, functions: Sequence[Correlations], sound_speed_m_s: float, tolerance_m: float) -> None:
        """Make them ready.

        Args:
            functions: one a group.
            sound_speed_m_s: for all ways.
            tolerance_m: how far a path difference may be off by survey and clocks. A microphone 2 mm from where it
                should be turns a correlation of 60 kHz upside down, so the best lag within the tolerance counts.
        """
        self._parts = [_Part(part, sound_speed_m_s, tolerance_m) for part in functions]

    def near(self, places: Places) -> NDArray[np.float32]:
        """Standing (n,) of places by the pairs within nodes alone: short baselines make wide peaks."""
        return self._standing(places, within_nodes=True)

    def far(self, places: Places) -> NDArray[np.float32]:
        """Standing (n,) of places by all pairs: peaks are millimetres wide."""
        return self._standing(places, within_nodes=False)

    def _standing(self, places: Places, *, within_nodes: bool) -> NDArray[np.float32]:
        total = np.zeros(places.shape[1], dtype=np.float32)
        count = 0
        for part in self._parts:
            count += part.add(places, total, within_nodes=within_nodes)
        total /= np.float32(np.sqrt(max(count, 1)))
        return total


class _Part:
    """One group's functions."""

    def __init__(self, functions: Correlations, sound_speed_m_s: float, tolerance_m: float) -> None:
        group = functions.group
        self._position_m = group.position_m.astype(np.float32)
        self._lags_a_metre = np.float32(1.0 / (sound_speed_m_s * functions.lag_step_s))
        # half a lag: looking up cuts fractions off
        self._zero = np.float32(functions.zero + 0.5)
        self._late = (functions.mid_shift_s / functions.lag_step_s).astype(np.float32)
        first, second = group.pairs
        heard = np.asarray(functions.value.any(axis=1))
        within = group.same_node
        self._all = [(int(i), int(j), row) for row, (i, j) in enumerate(zip(first, second, strict=True)) if heard[row]]
        self._within = [pair for pair in self._all if within[pair[2]]]
        across_m = tolerance_m + 1.5 * float(np.sqrt(2.0)) * group.clock_sigma_s * sound_speed_m_s
        self._value = np.empty_like(functions.value)
        for row, value in enumerate(functions.value):
            allowed_m = tolerance_m if within[row] else across_m
            half = round(allowed_m * float(self._lags_a_metre))
            pooled = maximum_filter1d(value, 2 * half + 1) if half else value
            if half:
                pooled = pooled - pooled.mean()
            # Reverberation of a loud leak is no unit noise: what varies over the lags is what a chance hit has.
            self._value[row] = pooled / max(float(np.sqrt(np.mean(pooled**2))), 1.0 if not half else 1e-3)

    def add(self, places: Places, total: NDArray[np.float32], *, within_nodes: bool) -> int:
        """Add each pair's value at every place to `total` (n,); returns how many pairs."""
        pairs = self._within if within_nodes else self._all
        lag = np.empty(BLOCK, dtype=np.float32)
        index = np.empty(BLOCK, dtype=np.intp)
        found = np.empty(BLOCK, dtype=np.float32)
        for start in range(0, places.shape[1], BLOCK):
            block = places[:, start : start + BLOCK]
            size = block.shape[1]
            arrival = self._arrivals(block)
            into = total[start : start + size]
            for i, j, row in pairs:
                np.subtract(arrival[i], arrival[j], out=lag[:size])
                lag[:size] += self._zero
                index[:size] = lag[:size]
                self._value[row].take(index[:size], out=found[:size], mode="clip")
                into += found[:size]
        return len(pairs)

    def _arrivals(self, places: Places) -> NDArray[np.float32]:
        """Arrival times (sensors, n) in lags."""
        arrival = np.empty((len(self._position_m), places.shape[1]), dtype=np.float32)
        step = np.empty(places.shape[1], dtype=np.float32)
        for row, place in enumerate(self._position_m):
            np.subtract(places[0], place[0], out=arrival[row])
            arrival[row] *= arrival[row]
            for axis in (1, 2):
                np.subtract(places[axis], place[axis], out=step)
                step *= step
                arrival[row] += step
        np.sqrt(arrival, out=arrival)
        arrival *= self._lags_a_metre
        arrival -= self._late[:, None]
        return arrival
