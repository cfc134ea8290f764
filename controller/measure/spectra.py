"""The bursts of one capture -> spectra of a coherent group's microphones, in the band that leaks are sought in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from controller.measure.captures import Capture
from controller.measure.coherence import CoherentGroup
from firmware_bridge.units import NS_PER_S

BAND_HZ = (12e3, 90e3)  # below, machines are loud and peaks wide; above, air swallows what is left
HIGHEST_SHARE = 0.47  # of the sample rate: converters' filters take the rest
LEAST_TAPER_SHARE = 0.05
TAPER_DELAYS = 0.75  # of the longest delay: what one microphone hears at an edge, another hears outside
LOWEST_SPEED_M_S = 300.0  # of air at -50 C: delays are never longer than with this
LAG_MARGIN_S = 3e-4  # survey and clock errors may put a delay a little beyond what the distance allows

ComplexArray = NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a band is cut into bins, and bins into steps.

    Delays within one room are much shorter than a burst, so cross-spectra change slowly over bins and `step` of them
    are gathered into one: `steps` of them from number `first` on, each around the transform's bin number x `step`.
    `length` is the transform's, in samples at `rate_hz`, `samples` that of the bursts, of which `taper` at either end
    are faded.
    """

    samples: int
    taper: int
    length: int
    rate_hz: float
    step: int
    first: int
    steps: int

    @property
    def reach(self) -> int:
        """Bins that a step reaches to either side of its middle."""
        return self.step // 2

    @property
    def first_bin(self) -> int:
        """The transform's lowest bin that any step holds."""
        return self.first * self.step - self.reach

    @property
    def bins(self) -> int:
        """How many of the transform's bins the steps hold."""
        return (self.steps - 1) * self.step + 2 * self.reach + 1

    @property
    def step_hz(self) -> NDArray[np.float64]:
        """Middle frequencies of the steps, Hz."""
        return np.asarray((self.first + np.arange(self.steps)) * (self.step * self.rate_hz / self.length), dtype=float)


def layout_for(samples: int, rate_hz: float, widest_m: float) -> Layout | None:
    """The layout for bursts of `samples` at `rate_hz` in a group whose microphones are `widest_m` apart at most.

    None where the band has no room in the rate.
    """
    longest = int(np.ceil((widest_m / LOWEST_SPEED_M_S + LAG_MARGIN_S) * rate_hz))
    # Correlation is circular: a burst that is too short for the longest delay is padded.
    length = samples if samples >= 2 * longest else int(fft.next_fast_len(max(samples, longest) + longest, real=True))
    step = 1
    while length % (2 * step) == 0 and length // (2 * step) >= 2 * longest:
        step *= 2
    low_hz, high_hz = BAND_HZ[0], min(BAND_HZ[1], HIGHEST_SHARE * rate_hz)
    first = int(np.ceil(low_hz * length / rate_hz / step)) + 1
    last = int(high_hz * length / rate_hz / step) - 1
    taper = min(samples // 2, max(1, round(max(LEAST_TAPER_SHARE * samples, TAPER_DELAYS * longest))))
    return Layout(samples, taper, length, rate_hz, step, first, last - first + 1) if last > first else None


@dataclass(frozen=True, slots=True, eq=False)
class BurstSpectra:
    """Spectra (sensors, bins) of one capture, unit white noise of 1 Pa having unit power; 0 where `present` is not.

    `mid_shift_s` (sensors,) is how much later than nominal the middle of a node's burst lies, because its crystal runs
    slow, and `mid_sigma_s` (sensors,) how well that is known; all microphones of a node share it.
    """

    group: CoherentGroup
    layout: Layout
    values: ComplexArray
    present: NDArray[np.bool_]
    mid_shift_s: NDArray[np.float64]
    mid_sigma_s: NDArray[np.float64]


def burst_spectra(group: CoherentGroup, capture: Capture, layout: Layout | None = None) -> BurstSpectra | None:
    """Spectra of the bursts in `capture` that are coherent with each other; None where there are none.

    With a `layout`, bursts of another length or rate are left out: one odd burst must not undo what others gathered.
    """
    blocks = [block for node, block in capture.blocks.items() if node in group.nodes]
    if group.clock_sigma_s > 0.0 and not group.by_clock:
        blocks = [block for block in blocks if block.triggered]
    if layout is None and blocks:
        longest = max(blocks, key=lambda block: block.pressure_pa.shape[1])
        layout = layout_for(longest.pressure_pa.shape[1], longest.nominal_hz, group.widest_m)
    if layout is None:
        return None
    fitting = [b for b in blocks if (b.pressure_pa.shape[1], b.nominal_hz) == (layout.samples, layout.rate_hz)]
    if not fitting:
        return None
    sensors, row_of = len(group.sensors), {name: i for i, name in enumerate(group.sensors)}
    values = np.zeros((sensors, layout.bins), dtype=np.complex64)
    present = np.zeros(sensors, dtype=bool)
    mid_shift_s, mid_sigma_s = np.zeros(sensors), np.zeros(sensors)
    window = tapered(layout.samples, layout.taper)
    first_ns = min(block.start_ns for block in fitting)
    inside = slice(layout.first_bin, layout.first_bin + layout.bins)
    for block in fitting:
        known = [i for i, sensor in enumerate(block.sensors) if sensor in row_of]
        rows = [row_of[block.sensors[i]] for i in known]
        wave = block.pressure_pa[known].astype(np.float32, copy=False) * window
        values[rows] = fft.rfft(wave, n=layout.length, axis=1)[:, inside]
        late_s = np.array([group.late_s[row] if group.late_s else 0.0 for row in rows])
        if group.by_clock:  # bursts need not begin together; what the stamps leave unknown is the clocks' sigma
            late_s += (block.start_ns - first_ns) / NS_PER_S
        if late_s.any():
            values[rows] *= _earlier(late_s, layout)
        present[rows] = True
        mid_shift_s[rows] = layout.samples / 2 * (1.0 / block.rate_hz - 1.0 / block.nominal_hz)
        mid_sigma_s[rows] = layout.samples / 2 / block.nominal_hz * block.rate_sigma
    values /= np.float32(np.sqrt(np.sum(window**2)))
    return BurstSpectra(group, layout, values, present, mid_shift_s, mid_sigma_s)


def _earlier(late_s: NDArray[np.float64], layout: Layout) -> ComplexArray:
    """Factors (channels, bins) that undo what sampling `late_s` later did: spectra of samples at the stated start."""
    bin_hz = (layout.first_bin + np.arange(layout.bins)) * (layout.rate_hz / layout.length)
    turned: ComplexArray = np.exp(-2j * np.pi * late_s[:, None] * bin_hz).astype(np.complex64)
    return turned


def tapered(length: int, flank: int) -> NDArray[np.float32]:
    """Flat window with cosine flanks: keeps loud low frequencies out of the band, and edges that do not correlate."""
    window = np.ones(length, dtype=np.float32)
    window[:flank] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(flank) + 0.5) / flank)
    window[-flank:] = window[:flank][::-1]
    return window
