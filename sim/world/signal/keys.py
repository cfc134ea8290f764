"""The streams of randomness of one source: each depends on the field's seed and the source's name, and on nothing else.

Air and hull of a compartment share the seed, so a source of one name is one noise in both. What is drawn from the
streams is up to `waveform`, `sound` and `structure`.
"""

import numpy as np

NOISE, TONES, TAIL = range(3)


def stream(root: np.random.SeedSequence, name: str, *place: int) -> np.random.SeedSequence:
    """The seed at `place` of the source called `name`: one of the streams above, then whatever its user counts."""
    return np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, *name.encode(), *place))


def noise_key(root: np.random.SeedSequence, name: str) -> tuple[int, int]:
    """The key of the source's white noise, for `waveform.white_noise`."""
    low, high = (int(word) for word in stream(root, name, NOISE).generate_state(2, np.uint64))
    return low, high
