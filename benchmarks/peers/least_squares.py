"""opensoundscape: delays of all microphones against the first, then its least squares.

Its `gillette` and the defaults of its `soundfinder` have known errors and are not asked. What it is given is scaled to
unit variance, as its PHAT adds 0.001 to every bin, and cut to the band that ours uses.
"""

import numpy as np

from benchmarks.peers.asked import BAND_HZ, Asked, Floats, wanted

NAME = "opensoundscape least squares"
PACKAGE = "opensoundscape"


def fix(asked: Asked) -> Floats:
    """Position (3,), as it comes: free in space."""
    tdoa = wanted("opensoundscape.signal_processing").tdoa
    localize = wanted("opensoundscape.localization").localization_algorithms.least_squares_localize
    return np.asarray(localize(asked.microphones_m, delays_s(asked, tdoa), asked.speed_m_s), dtype=np.float64)


def delays_s(asked: Asked, tdoa: object) -> Floats:
    """Arrival (microphones,) after the first microphone, by the given estimator; zero for that one."""
    assert callable(tdoa)
    signals = asked.signals / asked.signals.std(axis=1, keepdims=True)
    apart_m = np.linalg.norm(asked.microphones_m - asked.microphones_m[0], axis=1)
    longest = apart_m / asked.speed_m_s + 2.0 / asked.rate_hz
    later = [
        tdoa(one, signals[0], float(most), cc_filter="phat", sample_rate=asked.rate_hz, frequency_range=BAND_HZ)
        for one, most in zip(signals[1:], longest[1:], strict=True)
    ]
    return np.array([0.0, *later])
