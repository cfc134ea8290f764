"""What sources emit: one noise for every asker, and gates of a millisecond."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.world.signal.waveform import NOISE_BLOCK, gate, white_noise

RATE_HZ = 192e3
KEY = (7, 11)


@given(first=st.integers(-50_000, 50_000), count=st.integers(1, 10_000), skipped=st.integers(0, 9_999))
def test_any_part_of_the_noise_is_the_same(first: int, count: int, skipped: int) -> None:
    whole = white_noise(KEY, first, count)
    assert whole.shape == (count,)
    skipped = min(skipped, count - 1)
    assert np.array_equal(white_noise(KEY, first + skipped, count - skipped), whole[skipped:])


def test_noise_is_unit_white_and_gaussian() -> None:
    count = 1 << 20
    noise = white_noise(KEY, -count // 2, count)
    # five sigma of the mean, the variance, the fourth moment and the correlation of neighbours
    sigma = 1.0 / math.sqrt(count)
    assert noise.mean() == pytest.approx(0.0, abs=5.0 * sigma)
    assert noise.var() == pytest.approx(1.0, abs=5.0 * math.sqrt(2.0) * sigma)
    assert np.mean(noise**4) == pytest.approx(3.0, abs=5.0 * math.sqrt(96.0) * sigma)
    for lag in (1, 2, NOISE_BLOCK):
        assert np.mean(noise[lag:] * noise[:-lag]) == pytest.approx(0.0, abs=5.1 * sigma)


def test_keys_and_blocks_are_unrelated() -> None:
    sigma = 1.0 / math.sqrt(NOISE_BLOCK)
    here = white_noise(KEY, 0, NOISE_BLOCK)
    others = [white_noise(KEY, block * NOISE_BLOCK, NOISE_BLOCK) for block in (-2, -1, 1, 2)]
    everything = np.array([here, white_noise((7, 12), 0, NOISE_BLOCK), *others])
    likeness = np.corrcoef(everything)[np.triu_indices(len(everything), 1)]
    assert np.abs(likeness).max() < 5.0 * sigma


@given(start=st.integers(-500, 1500), duration=st.integers(0, 1500), first=st.integers(-500, 1500))
def test_gate_of_a_part_is_part_of_the_gate(start: int, duration: int, first: int) -> None:
    begin_s, end_s = start / RATE_HZ, (start + duration) / RATE_HZ
    whole = np.broadcast_to(gate(-500, 4000, RATE_HZ, begin_s, end_s), 4000)
    part = np.broadcast_to(gate(first, 300, RATE_HZ, begin_s, end_s), 300)
    assert part == pytest.approx(whole[first + 500 :][:300], abs=1e-12)


def test_gate_takes_a_millisecond() -> None:
    opened = gate(0, 1000, RATE_HZ, 100 / RATE_HZ, 600 / RATE_HZ)
    assert isinstance(opened, np.ndarray)
    assert opened[100] == 0.0
    assert opened[101] > 0.0
    assert opened[196] == pytest.approx(0.5)
    assert opened[292:601] == pytest.approx(1.0)
    assert opened[696] == pytest.approx(0.5)
    assert not opened[793:].any()
    assert np.abs(np.diff(opened)).max() < 0.01


def test_gate_far_from_its_edges_is_one_number() -> None:
    assert gate(0, 100, RATE_HZ, -math.inf, None) == 1.0
    assert gate(0, 100, RATE_HZ, 1.0, None) == 0.0
    assert gate(0, 100, RATE_HZ, -2.0, -1.0) == 0.0
