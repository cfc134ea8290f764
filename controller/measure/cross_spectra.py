"""Cross-spectra of all coherent microphone pairs, accumulated over bursts; what they mean is asked elsewhere."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from controller.measure.captures import Capture
from controller.measure.coherence import CoherentGroup

BAND_HZ = (12e3, 90e3)  # below, machines are loud and peaks wide; above, air swallows what is left

TAPER_SHARE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class SpectraSnapshot:
    """Mean cross-spectra of one group.

    `cross` (pairs, bins) complex, Pa²; `power` (sensors, bins), Pa²; `bursts` (pairs,) how many equal ones would give
    a mean with as little noise;
    `first_bin` is the transform's index of bin 0, `length` its length in samples at `rate_hz`. `mid_shift_s`
    (sensors,) is how much later than nominal the middle of a node's bursts lies, because its crystal runs slow, and
    `mid_sigma_s` (sensors,) how well that is known; all microphones of a node share it.
    """

    group: CoherentGroup
    cross: NDArray[np.complex128]
    power: NDArray[np.float64]
    bursts: NDArray[np.float64]
    first_bin: int
    length: int
    rate_hz: float
    mid_shift_s: NDArray[np.float64]
    mid_sigma_s: NDArray[np.float64]


class SpectraAccumulator:
    """Sums of one group's spectra with forgetting."""

    def __init__(self, group: CoherentGroup, forgetting: float = 1.0) -> None:
        """Start empty; each new burst multiplies what is known by `forgetting` (1: never forget)."""
        self._group = group
        self._forgetting = forgetting
        self._first, self._second = group.pairs
        self._index = {name: i for i, name in enumerate(group.sensors)}
        self._shape: tuple[int, float] | None = None
        self.unfit = 0
        self._reset(0)

    def add(self, capture: Capture) -> None:
        """Add the bursts of this group's nodes that are coherent with each other in `capture`."""
        blocks = [block for node, block in capture.blocks.items() if node in self._group.nodes]
        if self._group.clock_sigma_s > 0.0:
            blocks = [block for block in blocks if block.triggered]
        if not blocks:
            return
        if self._shape is None:
            longest = max(blocks, key=lambda block: block.pressure_pa.shape[1])
            self._shape = longest.pressure_pa.shape[1], longest.nominal_hz
            self._reset(longest.pressure_pa.shape[1])
        length, nominal_hz = self._shape
        # What does not fit is left out: one odd burst must not undo what the others have gathered.
        fitting = [b for b in blocks if (b.pressure_pa.shape[1], b.nominal_hz) == self._shape]
        self.unfit += len(blocks) - len(fitting)
        blocks = fitting
        window = _tapered(length)
        spectra = np.zeros((len(self._group.sensors), self._bins.stop - self._bins.start), dtype=np.complex128)
        present = np.zeros(len(self._group.sensors), dtype=bool)
        mid_shift_s = np.zeros(len(self._group.sensors))
        for block in blocks:
            rows = [self._index[sensor] for sensor in block.sensors if sensor in self._index]
            transformed = fft.rfft(block.pressure_pa * window, axis=1)[:, self._bins]
            spectra[rows] = transformed / np.sqrt(np.sum(window**2))
            present[rows] = True
            mid_shift_s[rows] = length / 2 * (1.0 / block.rate_hz - 1.0 / nominal_hz)
            # Successive bursts see much the same pings: their mean is not trusted to be better than one of them.
            self._mid_sigma_s[rows] = length / 2 / nominal_hz * block.rate_sigma
        both = present[self._first] & present[self._second]
        self._cross *= self._forgetting
        self._pair_count *= self._forgetting
        self._pair_square *= self._forgetting**2
        self._power *= self._forgetting
        self._sensor_count *= self._forgetting
        self._mid_shift_s *= self._forgetting
        self._cross[both] += spectra[self._first[both]] * spectra[self._second[both]].conj()
        self._pair_count[both] += 1
        self._pair_square[both] += 1
        self._power[present] += np.abs(spectra[present]) ** 2
        self._sensor_count[present] += 1
        self._mid_shift_s += mid_shift_s

    @property
    def bursts(self) -> float:
        """How many bursts the best known pair's mean is of."""
        return float(self._pair_count.max(initial=0.0))

    def snapshot(self) -> SpectraSnapshot | None:
        """The means so far; None before the first burst."""
        if self._shape is None or self.bursts == 0.0:
            return None
        length, rate_hz = self._shape
        bursts = np.maximum(self._sensor_count, 1e-9)
        return SpectraSnapshot(
            group=self._group,
            cross=self._cross / np.maximum(self._pair_count, 1e-9)[:, None],
            power=self._power / bursts[:, None],
            bursts=self._pair_count**2 / np.maximum(self._pair_square, 1e-9),
            first_bin=self._bins.start,
            length=length,
            rate_hz=rate_hz,
            mid_shift_s=self._mid_shift_s / bursts,
            mid_sigma_s=self._mid_sigma_s.copy(),
        )

    def _reset(self, length: int) -> None:
        rate_hz = self._shape[1] if self._shape else 1.0
        frequency_hz = fft.rfftfreq(length, 1.0 / rate_hz) if length else np.zeros(0)
        start, stop = np.searchsorted(frequency_hz, BAND_HZ)
        self._bins = slice(int(start), int(stop))
        bins = int(stop - start)
        pairs, sensors = len(self._first), len(self._group.sensors)
        self._cross = np.zeros((pairs, bins), dtype=np.complex128)
        self._pair_count = np.zeros(pairs)
        self._pair_square = np.zeros(pairs)
        self._power = np.zeros((sensors, bins))
        self._sensor_count = np.zeros(sensors)
        self._mid_shift_s = np.zeros(sensors)  # a sum, like the others
        self._mid_sigma_s = np.zeros(sensors)


def _tapered(length: int) -> NDArray[np.float64]:
    """Flat window with cosine flanks: keeps loud low frequencies out of the band and costs little of the signal."""
    flank = max(1, int(length * TAPER_SHARE))
    window = np.ones(length)
    window[:flank] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(flank) + 0.5) / flank)
    window[-flank:] = window[:flank][::-1]
    return window
