"""How loud it is to be expected in each band at a node's sensors, looked at seldom: what BAND_LEVELS are made of.

The scatter of a window, responses and noise are the node's (`sim/node/band_levels`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sim.plant.leaks import PlantLeak

FloatArray = NDArray[np.float64]

REFERENCE_SAMPLES = 16_384  # 85 ms at 192 kHz: 3 % of a mean square in a band of 10 kHz; 8 % in the 16 ms at 1 MHz
SETTLING_S = 0.5  # after a change by which the field has come from wall to wall and its tails have built up
REFRESH_S = 600.0  # what changes without a leak or a switch (slow levels of machines) is seen this late
SHARE_STEPS = 16  # of a leak that opens slowly


@dataclass(frozen=True, slots=True)
class _Look:
    at_s: float
    state: tuple[float, ...]
    level: FloatArray
    lasts_s: float


@dataclass(slots=True)
class LevelMemory:
    """Mean squares by band from a stretch of the field, taken anew where a leak or a switch has changed it.

    A field is stationary between such changes, so one stretch stands for many windows and a day costs seconds; only
    the first after a change, in which echoes may still build up, is soon replaced. What is short and random (a tool
    that drops) is in BAND_LEVELS only if it happens to be in that stretch.
    """

    leaks: Sequence[PlantLeak]
    _looks: dict[tuple[str, str], _Look] = field(default_factory=dict)

    def level(
        self,
        key: tuple[str, str],
        at_s: float,
        bands_hz: FloatArray,
        rate_hz: float,
        capture: Callable[[float, int], FloatArray],
        switched: int,
    ) -> FloatArray:
        """Mean squares (channels, bands), SI squared.

        Args:
            key: whose sensors: (node, quantity).
            at_s: true time, s.
            bands_hz: (bands, 2) edges; what lies above half the rate is empty.
            rate_hz: of the samples.
            capture: (start s, samples) -> the field there, (channels, samples).
            switched: how often something was switched until now.
        """
        shares = [leak.opening.share(at_s) for leak in self.leaks]
        state = (float(switched), *(round(share * SHARE_STEPS) / SHARE_STEPS for share in shares))
        look = self._looks.get(key)
        if look is not None and (look.state != state or at_s < look.at_s):
            look = None
        if look is None or at_s - look.at_s >= look.lasts_s:
            lasts_s = SETTLING_S if look is None else REFRESH_S
            level = band_mean_squares(capture(at_s, REFERENCE_SAMPLES), bands_hz, rate_hz)
            look = self._looks[key] = _Look(at_s, state, level, lasts_s)
        return look.level.copy()


def band_mean_squares(samples: FloatArray, bands_hz: FloatArray, rate_hz: float) -> FloatArray:
    """Mean squares (channels, bands) of samples (channels, n) between the edges, by a Hann-windowed periodogram."""
    count = samples.shape[1]
    window = np.hanning(count)
    power = np.abs(fft.rfft(samples * window, axis=1)) ** 2 * 2.0 / (count * np.sum(window**2))
    frequency_hz = fft.rfftfreq(count, 1.0 / rate_hz)
    inside = (bands_hz[:, :1] <= frequency_hz) & (frequency_hz < bands_hz[:, 1:])
    level: FloatArray = power @ inside.T.astype(np.float64)
    return level
