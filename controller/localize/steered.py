"""Correlation functions steered to places: how much all pairs together agree that sound comes from there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.measure.correlation import Correlations
from controller.measure.spectra import LAG_MARGIN_S

BLOCK = 4096  # places at a time: their distances and lags stay in the cache
ENTRIES = 4  # of a table within a tolerance: half as wide again or a fifth narrower is as good a tolerance
SHORT_M = 0.25  # between microphones: sound from a metre away that moves by 2.5 cm changes its delay by half a period
USUAL_M = 1.0  # from a microphone to the hull: nearer sound changes its delays faster, and is louder

Places = NDArray[np.float32]  # (3, n), m: a row a coordinate


class Steered:
    """Correlation functions of some groups, ready to be looked up; each pair counts as unit noise."""

    def __init__(
        self, functions: Sequence[Correlations], sound_speed_m_s: float, tolerance_m: float, cell_m: float = 0.0
    ) -> None:
        """Make them ready.

        Args:
            functions: one a group.
            sound_speed_m_s: for all ways.
            tolerance_m: how far a path difference may be off by survey and clocks. A microphone 2 mm from where it
                should be turns a correlation of 60 kHz upside down, so the best lag within the tolerance counts.
            cell_m: width of the cells that places stand for; the best lag within a cell counts.
        """
        self._parts = [_Part(part, sound_speed_m_s, tolerance_m, cell_m) for part in functions]

    @property
    def short_pairs(self) -> int:
        """How many pairs `near` looks at."""
        return sum(part.short_pairs for part in self._parts)

    def near(self, places: Places) -> NDArray[np.float32]:
        """Standing (n,) of places by short pairs alone, which make wide peaks."""
        return self._standing(places, short=True)

    def far(self, places: Places) -> NDArray[np.float32]:
        """Standing (n,) of places by all pairs: peaks are millimetres wide."""
        return self._standing(places, short=False)

    def _standing(self, places: Places, *, short: bool) -> NDArray[np.float32]:
        total = np.zeros(places.shape[1], dtype=np.float32)
        count = 0
        for part in self._parts:
            count += part.add(places, total, short=short)
        total /= np.float32(np.sqrt(max(count, 1)))
        return total


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Microphones `first` and `second` with the table (entries,) of what they say together; `zero` is lag 0's entry."""

    first: int
    second: int
    table: NDArray[np.float32]
    zero: np.float32
    short: bool


class _Part:
    """One group's functions, a table a pair: what is asked for lies within the pair's own longest delay."""

    def __init__(self, functions: Correlations, sound_speed_m_s: float, tolerance_m: float, cell_m: float) -> None:
        group = functions.group
        self._position_m = group.position_m.astype(np.float32)
        first, second = group.pairs
        lags_a_metre = 1.0 / (sound_speed_m_s * functions.lag_step_s)
        across_m = tolerance_m + 1.5 * float(np.sqrt(2.0)) * group.clock_sigma_s * sound_speed_m_s
        apart_m = np.linalg.norm(group.position_m[first] - group.position_m[second], axis=1)
        allowed_m = np.where(group.same_node, tolerance_m, across_m) + cell_m / 2 * np.minimum(apart_m / USUAL_M, 1.0)
        half = np.rint(allowed_m * lags_a_metre).astype(int)
        every = max(1, int(half.min(initial=0)) // ENTRIES)
        late = functions.mid_shift_s / functions.lag_step_s
        margin = LAG_MARGIN_S / functions.lag_step_s + float(np.ptp(late)) + half
        reach = np.minimum(np.ceil(apart_m * lags_a_metre + margin).astype(int), functions.zero)
        self._entries_a_metre = np.float32(lags_a_metre / every)
        self._late = (late / every).astype(np.float32)
        self.pairs = [
            _Pair(
                int(first[row]),
                int(second[row]),
                _table(value[functions.zero - reach[row] : functions.zero + reach[row] + 1], int(half[row]), every),
                np.float32((reach[row] + 0.5) / every),  # half a lag more: looking up cuts fractions off
                bool(apart_m[row] <= SHORT_M),
            )
            for row, value in enumerate(functions.value)
            if value.any()
        ]

    @property
    def short_pairs(self) -> int:
        """How many are short."""
        return sum(pair.short for pair in self.pairs)

    def add(self, places: Places, total: NDArray[np.float32], *, short: bool) -> int:
        """Add each pair's value at every place to `total` (n,); returns how many pairs."""
        pairs = [pair for pair in self.pairs if pair.short or not short]
        lag = np.empty(BLOCK, dtype=np.float32)
        index = np.empty(BLOCK, dtype=np.intp)
        found = np.empty(BLOCK, dtype=np.float32)
        for start in range(0, places.shape[1], BLOCK):
            block = places[:, start : start + BLOCK]
            size = block.shape[1]
            arrival = self._arrivals(block)
            into = total[start : start + size]
            for pair in pairs:
                np.subtract(arrival[pair.first], arrival[pair.second], out=lag[:size])
                lag[:size] += pair.zero
                index[:size] = lag[:size]
                pair.table.take(index[:size], out=found[:size], mode="clip")
                into += found[:size]
        return len(pairs)

    def _arrivals(self, places: Places) -> NDArray[np.float32]:
        """Arrival times (sensors, n) in entries of the tables."""
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
        arrival *= self._entries_a_metre
        arrival -= self._late[:, None]
        return arrival


def _table(value: NDArray[np.float32], half: int, every: int) -> NDArray[np.float32]:
    """The highest of each value (n,) and its neighbours, `half` lags to either side, an entry in `every` lags."""
    table = value
    if half:
        entries = len(value) // every
        table = value[: entries * every : every]
        for k in range(1, every):
            table = np.maximum(table, value[k : entries * every : every])
        table = _highest_near(table, round(((2 * half + 1) / every - 1) / 2))
        table -= table.mean()
    # Reverberation of a loud leak is no unit noise: what varies over the lags is what a chance hit has.
    rms = np.sqrt(np.dot(table, table) / np.float32(len(table)))
    return np.asarray(table / max(rms, np.float32(1e-3 if half else 1.0)))


def _highest_near(value: NDArray[np.float32], half: int) -> NDArray[np.float32]:
    """The highest of each value (n,) and `half` neighbours to either side; spans are doubled until they reach."""
    ends = np.repeat(value[[0, -1]], half)
    highest = np.concatenate([ends[:half], value, ends[half:]])
    span, width = 1, 2 * half + 1
    while span < width:
        step = min(span, width - span)
        highest = np.maximum(highest[:-step], highest[step:])
        span += step
    return highest
