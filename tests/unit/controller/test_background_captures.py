"""The background's captures: bounded, followed, guarded; the oldest stay."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.measure.captures import Capture
from controller.pipeline.background_captures import MOST_WAITING, NEWEST, OLDEST, BackgroundCaptures, Settings
from firmware_bridge.units import s_to_ns
from tests.support.hearing import wave_block

LEARNED = 10


def capture(at_s: float) -> Capture:
    block = wave_block("A", ("A1",), np.zeros((1, 1)), burst_id=round(at_s), start_ns=s_to_ns(at_s))
    return Capture(round(at_s), {"A": block})


def learned(settings: Settings) -> BackgroundCaptures:
    quiet = BackgroundCaptures(settings)
    for at_s in range(LEARNED):
        quiet.learn(capture(at_s))
    return quiet


def times(quiet: BackgroundCaptures) -> list[int]:
    return [one.burst_id for one in quiet.all]


def test_the_oldest_and_the_newest_of_learning_are_kept() -> None:
    assert times(learned(Settings())) == [0, 1, 2, 3, 6, 7, 8, 9]


def test_before_anything_is_learned_there_is_nothing() -> None:
    assert BackgroundCaptures(Settings()).all == ()


def test_an_onset_sends_away_what_came_shortly_before_and_nothing_else() -> None:
    quiet = learned(Settings(refresh_s=10.0, guard_s=30.0))
    for at_s in range(20, 101):
        quiet.offer(capture(at_s))
    before = times(quiet)
    quiet.sound_began()
    assert times(quiet) == before
    assert max(before) == 70
    quiet.offer(capture(500))  # the sound is over; what waited is gone
    quiet.offer(capture(531))
    assert times(quiet) == [*before[:OLDEST], *before[OLDEST + 1 :], 500]


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(st.floats(0.5, 200.0), min_size=1, max_size=120),
    refresh_s=st.floats(1.0, 300.0),
    guard_s=st.floats(0.0, 600.0),
)
def test_bounds_intervals_and_guard_hold_whenever_captures_come(
    steps: list[float], refresh_s: float, guard_s: float
) -> None:
    quiet = learned(Settings(refresh_s, guard_s))
    offered: dict[int, float] = {}
    now_s = float(LEARNED)
    for step in steps:
        now_s += step
        one = capture(now_s)
        offered[id(one)] = now_s
        quiet.offer(one)
        assert len(quiet.all) == OLDEST + NEWEST
        assert len(quiet._waiting) <= MOST_WAITING
        taken = [offered[id(kept)] for kept in quiet.all if id(kept) in offered]
        assert all(now_s - at_s >= guard_s - 1e-6 for at_s in taken)
        assert all(later - earlier >= refresh_s - 1e-6 for earlier, later in pairwise(taken))
    assert times(quiet)[:OLDEST] == list(range(OLDEST))
    assert quiet.before_creeping == quiet.all[:OLDEST]
