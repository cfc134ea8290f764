"""Probabilities of places: sums, order, limits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.localize.probability import LN_CELLS, SELF_NOISE, probabilities


@given(st.lists(st.floats(0.0, 1000.0), min_size=1, max_size=10))
def test_they_sum_to_less_than_one_and_keep_the_order(standings: list[float]) -> None:
    found = probabilities(standings)
    assert 0.0 <= sum(found) <= 1.0 + 1e-9
    assert [found[i] for i in sorted(range(len(found)), key=lambda i: standings[i])] == sorted(found)


def test_a_place_as_likely_as_all_others_together_has_one_half() -> None:
    # 0.5 z^2 / (1 + (0.05 z)^2) = ln N, solved for z.
    standing = math.sqrt(2.0 * LN_CELLS / (1.0 - 2.0 * LN_CELLS * SELF_NOISE**2))
    assert probabilities([standing]) == pytest.approx((0.5,))


def test_chance_is_no_place_and_loudness_no_certainty() -> None:
    assert probabilities([4.0])[0] < 0.01
    first, second = probabilities([80.0, 79.0])
    assert first + second == pytest.approx(1.0, abs=1e-6)
    assert 0.4 < second < first  # without self-noise: one to e^80
    assert probabilities([30.0, 8.0])[0] > 0.999
    assert probabilities([]) == ()
