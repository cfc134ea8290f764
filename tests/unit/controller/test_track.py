"""The tracks: each leak keeps one number and the best place known, until it is not heard any more."""

import pytest

from controller.localize.track import CONFIRMATIONS, MAX_DOUBTS, MIN_APART_M, MOST_LEAKS, SAME_LEAK_RADII, Tracks
from controller.localize.verdict import Fix, Verdict
from tests.support.verdicts import fix, no_fix


def near(distance_m: float, radius95_m: float = 0.01) -> Fix:
    return fix((1.0 + distance_m, 1.0, 0.0), radius95_m=radius95_m)


def following(*jobs: Verdict | tuple[Verdict, ...]) -> Tracks:
    """Tracks that took so many jobs' verdicts, one after the other."""
    tracks = Tracks()
    for job in jobs:
        tracks.take(job if isinstance(job, tuple) else (job,))
    return tracks


def told(tracks: Tracks) -> dict[int, Fix]:
    return {leak.number: leak.fix for leak in tracks.leaks}


def test_the_newest_fix_of_one_leak_is_kept() -> None:
    assert told(following(*(near(0.015 * step) for step in range(5)))) == {1: near(0.06)}


def test_a_place_that_shrinks_is_one_leak() -> None:
    tracks = Tracks()
    radii = [0.2, 0.1, 0.05, 0.02]
    for radius in radii:
        tracks.take([near(0.5 * radius, radius)])
        assert told(tracks) == {1: near(0.5 * radius, radius)}


def test_another_place_must_be_found_twice_in_a_row() -> None:
    assert CONFIRMATIONS == 2
    tracks = following(near(0.0), near(0.0), near(1.0))
    assert told(tracks) == {1: near(0.0)}
    tracks.take([near(0.0)])  # back: the stranger is forgotten
    tracks.take([near(1.0)])
    assert told(tracks) == {1: near(0.0)}
    tracks.take([near(1.02)])
    assert told(tracks) == {1: near(0.0), 2: near(1.02)}  # the first is not heard, and not yet given up


def test_a_first_place_that_nothing_confirms_gives_way_to_one_that_is_confirmed() -> None:
    tracks = following(near(0.0), near(1.0))
    assert told(tracks) == {1: near(0.0)}
    (gone,) = tracks.take([near(1.0)])
    assert (gone.number, gone.fix) == (1, near(0.0))
    assert told(tracks) == {2: near(1.0)}


def test_two_leaks_are_followed_and_neither_drags_the_other() -> None:
    tracks = following((near(0.0), near(1.0)), (near(1.01), near(0.01)), (near(0.02), near(1.02)))
    assert told(tracks) == {1: near(0.02), 2: near(1.02)}
    tracks.take([near(1.03)])  # the first drowned once
    assert told(tracks) == {1: near(0.02), 2: near(1.03)}


def test_a_leak_that_is_heard_no_more_is_let_go_and_the_other_stays() -> None:
    tracks = following(*[(near(0.0), near(1.0))] * 3)
    for _ in range(MAX_DOUBTS - 1):
        assert tracks.take([near(1.0), no_fix()]) == ()
    (gone,) = tracks.take([near(1.0), no_fix()])
    assert gone.number == 1
    assert told(tracks) == {2: near(1.0)}
    tracks.take([near(1.0), near(0.0)])
    tracks.take([near(1.0), near(0.0)])
    assert told(tracks) == {2: near(1.0), 3: near(0.0)}  # a number is nobody else's, ever


def test_two_fixes_at_one_place_are_one_leak() -> None:
    assert told(following(*[(near(0.0), near(0.05))] * 3)) == {1: near(0.0)}


def test_two_different_strangers_do_not_confirm_each_other() -> None:
    jobs = [near(distance_m) for distance_m in (0.0, 0.0, 1.0, 1.5, 1.0)]
    assert told(following(*jobs)) == {1: near(0.0)}


@pytest.mark.parametrize("radius95_m", [0.001, 0.2])
def test_one_leak_is_what_regions_or_a_decimetre_join(radius95_m: float) -> None:
    reach = max(MIN_APART_M, SAME_LEAK_RADII * 2 * radius95_m)
    for share, same in ((0.99, True), (1.01, False)):
        first = fix((0.0, 0.0, 0.0), radius95_m=radius95_m)
        moved = fix((share * reach, 0.0, 0.0), radius95_m=radius95_m)
        assert (told(following(first, moved)) == {1: moved}) is same


def test_forgotten_leaks_leave_nothing_but_their_numbers() -> None:
    tracks = following(near(0.0), near(1.0))
    tracks.forget()
    assert tracks.leaks == ()
    tracks.take([near(2.0)])
    tracks.take([near(1.0)])  # the old stranger does not count
    assert told(tracks) == {2: near(2.0)}


def test_places_stand_through_some_doubts_in_a_row() -> None:
    tracks = following(near(0.0))
    for _ in range(3):
        for _ in range(MAX_DOUBTS - 1):
            tracks.take([no_fix()])
        assert told(tracks) == {1: near(0.0)}
        tracks.take([near(0.0)])
    for _ in range(MAX_DOUBTS):
        tracks.take([no_fix()])
    assert tracks.leaks == ()


def test_doubts_do_not_confirm_a_stranger() -> None:
    jobs = (near(0.0), near(0.0), near(1.0), no_fix(), near(0.0), near(1.0))
    assert told(following(*jobs)) == {1: near(0.0)}


def test_a_stranger_waits_through_a_doubt() -> None:
    assert set(told(following(near(0.0), near(0.0), near(1.0), no_fix(), near(1.0)))) == {1, 2}


def test_there_is_an_end_to_it() -> None:
    jobs = [tuple(near(float(place)) for place in range(2 * MOST_LEAKS))] * 3
    assert len(following(*jobs).leaks) == MOST_LEAKS
