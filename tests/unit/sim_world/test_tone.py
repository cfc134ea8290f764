"""Lines that wander as declared, and are the same for every asker."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.world.sound.tone import Line, Tone

RATE_HZ = 192e3


def drawn(seed: int) -> Tone:
    return Tone.drawn(Line(40e3, 60.0), np.random.default_rng(seed))


def test_tone_has_its_level() -> None:
    wave = drawn(1).samples(0, 192_000, RATE_HZ)
    rms_pa = 20e-6 * 10.0 ** (60.0 / 20.0)
    assert math.sqrt(np.mean(wave**2)) == pytest.approx(rms_pa, rel=1e-3)


def test_tone_wanders_as_much_as_declared() -> None:
    # each part swings the frequency by swing * rate, rms over sqrt(2); 1e-4 of 40 kHz is 4 Hz
    swings_hz = [rate_hz * swing_rad for rate_hz, swing_rad, _ in drawn(2).parts]
    assert math.sqrt(sum(swing**2 / 2.0 for swing in swings_hz)) == pytest.approx(4.0)


def test_tone_does_not_repeat_itself() -> None:
    # 40 kHz repeats after 0.1 s exactly; 4 Hz off for 0.1 s turns the phase by about 2.5 rad
    tone = drawn(3)
    pieces = np.array([tone.samples(19_200 * index, 19_200, RATE_HZ) for index in range(10)])
    likeness = np.corrcoef(pieces)[np.triu_indices(10, 1)]
    assert likeness.min() < 0.5
    assert np.abs(likeness).max() < 0.999


@given(first=st.integers(-200_000, 200_000), skipped=st.integers(1, 500))
def test_any_part_of_a_tone_is_the_same(first: int, skipped: int) -> None:
    tone = drawn(4)
    whole = tone.samples(first, 1000, RATE_HZ)
    part = tone.samples(first + skipped, 1000 - skipped, RATE_HZ)
    assert part == pytest.approx(whole[skipped:], abs=1e-9 * tone.line.amplitude_pa)
