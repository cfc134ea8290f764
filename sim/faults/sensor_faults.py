"""What becomes of one channel's counts while its sensor fails; other channels of the node are not touched.

When it fails is told by the schedule; counts are made by the node's transducers.
"""

# ruff: noqa: ARG002 - all kinds of fault are asked in the same way, and not each needs to know everything

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import S_PER_HOUR
from sim.faults.schedule import Fault, Spells, spells_of

FloatArray = NDArray[np.float64]

SLOW_FULL_SCALE = (1 << 23) - 1  # of the 24-bit converters of slow chips
SLOW_LIMIT = (1 << 31) - 1
MAX_HELD = 100_000  # readings that a delay looks back over: more than an hour at 20 a second


class SensorFaults:
    """The faults of one channel, in the order of the file; each works on what the one before left."""

    def __init__(self, faults: Sequence[Fault], scale: float, full_scale: int = SLOW_FULL_SCALE) -> None:
        """Take the faults of one sensor; `scale` is its channel's SI units a count."""
        self._scale = scale
        self._full_scale = full_scale
        self._faults = tuple(_ONE[fault.table.kind](fault, scale, full_scale) for fault in faults)

    def __bool__(self) -> bool:
        """Whether there is anything to do at all."""
        return bool(self._faults)

    def count(self, count: int, at_s: float) -> int:
        """One reading of a slow channel, taken at scenario time `at_s`; readings come in order."""
        for fault in self._faults:
            count = fault.count(count, at_s)
        return max(-SLOW_LIMIT, min(SLOW_LIMIT, count))

    def burst(self, counts: NDArray[np.int16], start_s: float, rate_hz: float, burst_id: int) -> NDArray[np.int16]:
        """A burst (n,) of a fast channel that began at `start_s`; the same whenever it is asked for."""
        for fault in self._faults:
            counts = fault.burst(counts, start_s, rate_hz, burst_id)
        return counts

    def level(self, mean_square: FloatArray, bands_hz: FloatArray, at_s: float, rate_hz: float) -> FloatArray:
        """Mean squares (bands,) in counts^2 of a window that began at `at_s`; `bands_hz` is (bands, 2)."""
        for fault in self._faults:
            if fault.fault.active(at_s):
                mean_square = fault.level(mean_square, bands_hz, at_s, rate_hz)
        return mean_square

    def delay_s(self, at_s: float) -> float:
        """How long ago the field is that fast channels report at `at_s`."""
        return sum(f.fault.table.delay_s for f in self._faults if isinstance(f, _Delayed) and f.fault.active(at_s))


class _One:
    """One fault of one channel; this one does nothing."""

    def __init__(self, fault: Fault, scale: float, full_scale: int) -> None:
        self.fault = fault
        self.scale = scale
        self.full_scale = full_scale
        self.random = np.random.default_rng(fault.seed)

    def count(self, count: int, at_s: float) -> int:
        return self.acting(count, at_s) if self.fault.active(at_s) else count

    def acting(self, count: int, at_s: float) -> int:
        return count

    def burst(self, counts: NDArray[np.int16], start_s: float, rate_hz: float, burst_id: int) -> NDArray[np.int16]:
        """Only the samples that were taken while the fault acts are changed."""
        table = self.fault.table
        first = max(math.ceil((table.from_s - start_s) * rate_hz), 0)
        last = min(math.ceil((table.until_s - start_s) * rate_hz), len(counts))
        if first >= last:
            return counts
        changed = counts.copy()
        changed[first:last] = self.acting_burst(counts[first:last], start_s + first / rate_hz, rate_hz, burst_id)
        return changed

    def acting_burst(
        self,
        counts: NDArray[np.int16],
        start_s: float,
        rate_hz: float,
        burst_id: int,
    ) -> NDArray[np.int16]:
        return counts

    def level(
        self,
        mean_square: FloatArray,
        bands_hz: FloatArray,
        at_s: float,
        rate_hz: float,
    ) -> FloatArray:
        return mean_square

    @property
    def dead_count(self) -> int:
        return self.full_scale if self.fault.table.reads == "full_scale" else 0


class _Off(_One):
    """A dead channel: nothing, or full scale."""

    def acting(self, count: int, at_s: float) -> int:
        return self.dead_count

    def acting_burst(
        self, counts: NDArray[np.int16], start_s: float, rate_hz: float, burst_id: int
    ) -> NDArray[np.int16]:
        return np.full_like(counts, self.dead_count)

    def level(self, mean_square: FloatArray, bands_hz: FloatArray, at_s: float, rate_hz: float) -> FloatArray:
        return np.zeros_like(mean_square)


class _Stuck(_One):
    """Repeats the last reading from before, or the first that it was asked for; a waveform stands still."""

    held: int | None = None

    def count(self, count: int, at_s: float) -> int:
        if at_s < self.fault.table.from_s or self.held is None:
            self.held = count
        return self.held if self.fault.active(at_s) else count

    def acting_burst(
        self, counts: NDArray[np.int16], start_s: float, rate_hz: float, burst_id: int
    ) -> NDArray[np.int16]:
        return np.full_like(counts, counts[0])

    def level(self, mean_square: FloatArray, bands_hz: FloatArray, at_s: float, rate_hz: float) -> FloatArray:
        return np.zeros_like(mean_square)


class _Garbage(_One):
    """Random counts of the converter's whole range in a share of readings."""

    def acting(self, count: int, at_s: float) -> int:
        hit, wild = self.random.random(), int(self.random.integers(-self.full_scale - 1, self.full_scale + 1))
        return wild if hit < self.fault.table.share else count

    def acting_burst(
        self, counts: NDArray[np.int16], start_s: float, rate_hz: float, burst_id: int
    ) -> NDArray[np.int16]:
        random = np.random.default_rng([*self.fault.seed.generate_state(4), burst_id])
        hit = random.random(len(counts)) < self.fault.table.share
        wild = random.integers(-self.full_scale - 1, self.full_scale + 1, len(counts))
        return np.where(hit, wild, counts).astype(np.int16)

    def level(self, mean_square: FloatArray, bands_hz: FloatArray, at_s: float, rate_hz: float) -> FloatArray:
        """Replaced samples are white: their power is spread evenly up to half the rate."""
        share = self.fault.table.share
        width = (np.minimum(bands_hz[:, 1], rate_hz / 2) - np.minimum(bands_hz[:, 0], rate_hz / 2)) * 2.0 / rate_hz
        wild: FloatArray = (1.0 - share) ** 2 * mean_square + share * self.full_scale**2 / 3.0 * width
        return wild


class _Wrong(_One):
    """Lies: gain, offset, and a ramp that begins at zero (the sensor of November 2009)."""

    def acting(self, count: int, at_s: float) -> int:
        table = self.fault.table
        ramp = table.ramp_per_hour * (at_s - table.from_s) / S_PER_HOUR
        return round(count * table.gain + (table.offset + ramp) / self.scale)

    def acting_burst(
        self, counts: NDArray[np.int16], start_s: float, rate_hz: float, burst_id: int
    ) -> NDArray[np.int16]:
        table = self.fault.table
        time_s = start_s - table.from_s + np.arange(len(counts)) / rate_hz
        added = (table.offset + table.ramp_per_hour * time_s / S_PER_HOUR) / self.scale
        lied = np.rint(counts * table.gain + added)
        return np.clip(lied, -self.full_scale - 1, self.full_scale).astype(np.int16)

    def level(self, mean_square: FloatArray, bands_hz: FloatArray, at_s: float, rate_hz: float) -> FloatArray:
        return mean_square * self.fault.table.gain**2


class _Slow(_One):
    """Follows with a first-order lag."""

    value: float | None = None
    read_s = 0.0

    def count(self, count: int, at_s: float) -> int:
        if self.value is None or not self.fault.active(at_s):
            self.value = float(count)
        else:
            self.value += (count - self.value) * -math.expm1(-(at_s - self.read_s) / self.fault.table.lag_s)
        self.read_s = at_s
        return round(self.value)

    def acting_burst(
        self, counts: NDArray[np.int16], start_s: float, rate_hz: float, burst_id: int
    ) -> NDArray[np.int16]:
        """A running mean with weights exp(-t / lag), from the mean of the burst on, over as much as there is."""
        decay = math.exp(-1.0 / (rate_hz * self.fault.table.lag_s))
        mean = float(np.mean(counts))
        length = 2 * len(counts)
        kernel = (1.0 - decay) * decay ** np.arange(len(counts), dtype=np.float64)
        spectrum = np.fft.rfft(counts - mean, n=length) * np.fft.rfft(kernel, n=length)
        return np.rint(mean + np.fft.irfft(spectrum, n=length)[: len(counts)]).astype(np.int16)

    def level(self, mean_square: FloatArray, bands_hz: FloatArray, at_s: float, rate_hz: float) -> FloatArray:
        turn = 2.0 * np.pi * bands_hz.mean(axis=1) * self.fault.table.lag_s
        passed: FloatArray = mean_square / (1.0 + turn**2)
        return passed


class _Delayed(_One):
    """Reports what it felt some time ago; `Senses` asks the field for that time where channels are fast."""

    def __init__(self, fault: Fault, scale: float, full_scale: int) -> None:
        super().__init__(fault, scale, full_scale)
        self._held: deque[tuple[float, int]] = deque(maxlen=MAX_HELD)

    def count(self, count: int, at_s: float) -> int:
        if at_s < self.fault.table.from_s - self.fault.table.delay_s or at_s >= self.fault.table.until_s:
            self._held.clear()
            return count
        self._held.append((at_s, count))
        if not self.fault.active(at_s):
            return count
        felt_s = at_s - self.fault.table.delay_s
        while len(self._held) > 1 and self._held[1][0] <= felt_s:
            self._held.popleft()
        return self._held[0][1]


class _Intermittent(_One):
    """Comes and goes; while it is gone it is as if it were off."""

    def __init__(self, fault: Fault, scale: float, full_scale: int) -> None:
        super().__init__(fault, scale, full_scale)
        self._spells: Spells = spells_of(fault)

    def acting(self, count: int, at_s: float) -> int:
        return self.dead_count if self._spells.off(at_s) else count

    def acting_burst(
        self, counts: NDArray[np.int16], start_s: float, rate_hz: float, burst_id: int
    ) -> NDArray[np.int16]:
        places = np.searchsorted(self._spells.edges_s, start_s + np.arange(len(counts)) / rate_hz, side="right")
        return np.where(places % 2 == 1, self.dead_count, counts).astype(np.int16)

    def level(self, mean_square: FloatArray, bands_hz: FloatArray, at_s: float, rate_hz: float) -> FloatArray:
        return np.zeros_like(mean_square) if self._spells.off(at_s) else mean_square


_ONE: dict[str, type[_One]] = {
    "off": _Off,
    "stuck": _Stuck,
    "garbage": _Garbage,
    "wrong": _Wrong,
    "slow": _Slow,
    "delayed": _Delayed,
    "intermittent": _Intermittent,
}
