"""A node's crystal: there and back in whole nanoseconds, through steps and changing rates."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.node.oscillator import FOLLOW_NS, CrystalCut, Oscillator

S = 1_000_000_000
DAY_NS = 86_400 * S
TIMES = st.integers(0, 30 * DAY_NS)
DRIFTS = st.floats(-1e-3, 1e-3)
STEPS = st.lists(
    st.tuples(st.integers(0, DAY_NS), st.integers(-100 * S, 100 * S)), max_size=4, unique_by=lambda s: s[0]
)


@settings(max_examples=200)
@given(st.integers(0, 1 << 40), DRIFTS, STEPS, TIMES, st.integers(0, DAY_NS))
def test_the_way_back_is_the_first_time_that_the_clock_says_so(
    offset_ns: int, drift: float, steps: list[tuple[int, int]], since_ns: int, ahead_ns: int
) -> None:
    clock = Oscillator(offset_ns, drift, steps=steps)
    asked = clock.node_ns(since_ns) + ahead_ns
    found = clock.true_ns(asked, since_ns=since_ns)
    assert found >= since_ns
    assert clock.node_ns(found) >= asked
    assert found == since_ns or clock.node_ns(found - 1) < asked


@settings(max_examples=100)
@given(st.integers(0, 1 << 40), DRIFTS, STEPS, TIMES, TIMES)
def test_between_steps_time_never_runs_backwards(
    offset_ns: int, drift: float, steps: list[tuple[int, int]], one: int, other: int
) -> None:
    clock = Oscillator(offset_ns, drift, steps=steps)
    early, late = sorted((one, other))
    jumps = sum(jump for at_ns, jump in steps if early < at_ns <= late)
    elapsed = clock.node_ns(late) - clock.node_ns(early)
    assert elapsed - jumps >= 0
    # Rounding: half a nanosecond at each end and at each step.
    assert abs(elapsed - jumps - (late - early) * (1 + drift)) <= 1 + len(steps) + 1e-6


def test_a_clock_that_is_set_jumps_there_and_only_there() -> None:
    clock = Oscillator(1000, 0.0, steps=[(10 * S, -3 * S), (20 * S, 7 * S)])
    assert [clock.node_ns(t) - t - 1000 for t in (0, 10 * S - 1, 10 * S, 20 * S - 1, 20 * S)] == [
        0,
        0,
        -3 * S,
        -3 * S,
        4 * S,
    ]
    assert [clock.steps_until(t) for t in (9 * S, 10 * S, 30 * S)] == [0, 1, 2]
    # 12 s on the clock come at true 12 s, but for somebody who asks after the first step not before 15 s.
    assert clock.true_ns(9 * S + 1000) == 9 * S
    assert clock.true_ns(9 * S + 1000, since_ns=11 * S) == 12 * S
    assert clock.true_ns(19 * S + 1000, since_ns=11 * S) == 20 * S  # jumped over


def test_temperature_bends_the_rate_as_the_parabola_says() -> None:
    cut = CrystalCut(linear_per_k=1e-7, parabola_per_k2=-0.034e-6)
    clock = Oscillator(0, 5e-6, cut=cut)
    clock.follow(100 * S, 298.15 + 20.0)
    assert clock.rate_at(100 * S) == pytest.approx(5e-6 + 2e-6 - 13.6e-6, abs=1e-12)
    assert clock.next_ns == 110 * S


def test_ageing_adds_up_to_a_parabola_in_time() -> None:
    clock = Oscillator(0, 0.0, cut=CrystalCut(ageing_per_day=1e-6))
    clock.follow(DAY_NS, 298.15)
    # a t^2 / 2 = 0.5 ppm of a day, the rate being held for 10 s of 86,400.
    assert clock.node_ns(DAY_NS) - DAY_NS == pytest.approx(0.5e-6 * DAY_NS, rel=2e-4)


def test_a_wandering_crystal_walks_as_far_as_it_says() -> None:
    ends = []
    for seed in range(300):
        clock = Oscillator(0, 0.0, cut=CrystalCut(wander_per_rtday=1e-6), random=np.random.default_rng(seed))
        clock.follow(DAY_NS // 96, 298.15)
        ends.append(clock.rate_at(DAY_NS // 96))
    assert np.std(ends) == pytest.approx(1e-6 / math.sqrt(96), rel=0.21)  # five sigmas of 1 / sqrt(600)


def test_following_keeps_what_was_and_the_steps_to_come() -> None:
    clock = Oscillator(0, 1e-5, cut=CrystalCut(linear_per_k=1e-6), steps=[(25 * S, 5 * S)])
    before = [clock.node_ns(t) for t in (0, 3 * S, FOLLOW_NS)]
    clock.follow(FOLLOW_NS, 308.15)
    assert [clock.node_ns(t) for t in (0, 3 * S, FOLLOW_NS)] == before
    assert clock.node_ns(25 * S) - clock.node_ns(25 * S - 1) == pytest.approx(5 * S, abs=2)
    clock.follow(40 * S, 298.15)
    assert clock.node_ns(25 * S) - clock.node_ns(25 * S - 1) == pytest.approx(5 * S, abs=2)


def test_impossible_clocks_are_refused() -> None:
    with pytest.raises(ValueError, match="no clock"):
        Oscillator(0, 0.6)
    with pytest.raises(ValueError, match="needs a generator"):
        Oscillator(0, 0.0, cut=CrystalCut(wander_per_rtday=1e-6))
    with pytest.raises(ValueError, match="set at true time 0"):
        Oscillator(0, 0.0, steps=[(-1, 1)])
