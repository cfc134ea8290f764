"""The track: one leak keeps one place, the best known, until another is confirmed or doubt has grown."""

import pytest

from controller.localize.track import CONFIRMATIONS, MAX_DOUBTS, MIN_APART_M, SAME_LEAK_RADII, Track
from controller.localize.verdict import Fix
from tests.support.verdicts import fix, no_fix


def near(distance_m: float) -> Fix:
    return fix((1.0 + distance_m, 1.0, 0.0), radius95_m=0.01)


def test_the_newest_fix_of_one_leak_is_kept() -> None:
    track = Track()
    for step in range(5):
        track.take(near(0.015 * step))
    assert track.fix == near(0.06)


def test_another_place_must_be_found_twice_in_a_row() -> None:
    assert CONFIRMATIONS == 2
    track = Track()
    track.take(near(0.0))
    track.take(near(1.0))
    assert track.fix == near(0.0)
    track.take(near(0.0))  # back: the rival is forgotten
    track.take(near(1.0))
    assert track.fix == near(0.0)
    track.take(near(1.02))
    assert track.fix == near(1.02)


def test_two_different_strangers_do_not_confirm_each_other() -> None:
    track = Track()
    for distance_m in (0.0, 1.0, 1.5, 1.0, 1.5):
        track.take(near(distance_m))
    assert track.fix == near(0.0)


@pytest.mark.parametrize("radius95_m", [0.001, 0.2])
def test_one_leak_is_what_regions_or_a_decimetre_join(radius95_m: float) -> None:
    reach = max(MIN_APART_M, SAME_LEAK_RADII * 2 * radius95_m)
    for share, same in ((0.99, True), (1.01, False)):
        track = Track()
        track.take(fix((0.0, 0.0, 0.0), radius95_m=radius95_m))
        moved = fix((share * reach, 0.0, 0.0), radius95_m=radius95_m)
        track.take(moved)
        assert (track.fix == moved) is same


def test_a_forgotten_leak_leaves_nothing() -> None:
    track = Track()
    track.take(near(0.0))
    track.take(near(1.0))
    track.forget()
    assert track.fix is None
    track.take(near(2.0))
    track.take(near(1.0))  # the old rival does not count
    assert track.fix == near(2.0)


def test_a_place_stands_through_some_doubts_in_a_row() -> None:
    track = Track()
    track.take(near(0.0))
    for _ in range(3):
        for _ in range(MAX_DOUBTS - 1):
            track.take(no_fix())
        assert track.fix == near(0.0)
        track.take(near(0.0))
    for _ in range(MAX_DOUBTS):
        track.take(no_fix())
    assert track.fix is None


def test_doubts_do_not_confirm_a_rival() -> None:
    track = Track()
    for verdict in (near(0.0), near(1.0), no_fix(), near(0.0), near(1.0)):
        track.take(verdict)
    assert track.fix == near(0.0)
