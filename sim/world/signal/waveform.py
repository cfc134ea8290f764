"""What a source emits on the grid of absolute time n / sample rate: the same for whoever asks.

Its noise gets a spectrum in `sampling`, tones live in `sound`, the ways to sensors in `sound` and `structure`.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

NOISE_BLOCK = 4096  # samples drawn from one counter
COUNTER_MASK = 2**64 - 1  # time before zero counts down from the top
RAMP_S = 1e-3  # a source starts and stops in this time


def white_noise(key: tuple[int, int], first: int, count: int) -> FloatArray:
    """Unit white Gaussian noise (count,) at the places first, first + 1, ... of the endless sequence `key`.

    Counter based (Philox: Salmon et al. 2011), one counter a block: any part of it, negative places too, is
    drawn without what comes before.
    """
    opening = first // NOISE_BLOCK
    pieces = []
    for block in range(opening, (first + count - 1) // NOISE_BLOCK + 1):
        counter = np.array([0, 0, block & COUNTER_MASK, 0], dtype=np.uint64)
        generator = np.random.Generator(np.random.Philox(key=np.array(key, dtype=np.uint64), counter=counter))
        pieces.append(generator.standard_normal(NOISE_BLOCK))
    skipped = first - opening * NOISE_BLOCK
    return np.concatenate(pieces)[skipped : skipped + count]


def gate(
    first: int,
    count: int,
    sample_rate_hz: float,
    start_s: float,
    stop_s: float | None,
) -> FloatArray | float:
    """How far a source is on, 0 to 1, at `count` places of the grid; one number if it does not change.

    Opens by half a cosine in the millisecond after `start_s`, closes so after `stop_s` (None: never).
    """
    begin_s, end_s = first / sample_rate_hz, (first + count - 1) / sample_rate_hz
    if end_s <= start_s or (stop_s is not None and begin_s >= stop_s + RAMP_S):
        return 0.0
    if begin_s >= start_s + RAMP_S and (stop_s is None or end_s <= stop_s):
        return 1.0
    time_s = (first + np.arange(count)) / sample_rate_hz
    opened: FloatArray = 0.5 - 0.5 * np.cos(np.pi * np.clip((time_s - start_s) / RAMP_S, 0.0, 1.0))
    if stop_s is not None:
        opened *= 0.5 + 0.5 * np.cos(np.pi * np.clip((time_s - stop_s) / RAMP_S, 0.0, 1.0))
    return opened
