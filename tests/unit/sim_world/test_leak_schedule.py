"""When a leak is how far open."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.world.leak.schedule import Change, Opening

AT_ONCE = Opening((Change(90.0, 0.0, 1.0), Change(300.0, 0.0, 0.0)))
LIFE = Opening((Change(10.0, 20.0, 1.0), Change(50.0, 10.0, 0.1), Change(100.0, 0.0, 0.0), Change(120.0, 10.0, 0.5)))

shares = st.one_of(st.just(0.0), st.floats(0.01, 1.0))
changes = st.lists(st.tuples(st.floats(0.1, 50.0), st.one_of(st.just(0.0), st.floats(0.1, 80.0)), shares), max_size=6)


def opening(drawn: list[tuple[float, float, float]]) -> Opening:
    """An opening whose changes begin the given gaps apart."""
    at_s, made = 0.0, []
    for gap_s, over_s, share in drawn:
        at_s += gap_s
        made.append(Change(at_s, over_s, share))
    return Opening(tuple(made))


@pytest.mark.parametrize(("at_s", "share"), [(0.0, 0.0), (89.999, 0.0), (90.0, 1.0), (299.999, 1.0), (300.0, 0.0)])
def test_opens_and_closes_at_once(at_s: float, share: float) -> None:
    assert AT_ONCE.share(at_s) == share


@pytest.mark.parametrize(
    ("at_s", "share"),
    [
        (5, 0),
        (10, 0),
        (15, 0.25),
        (30, 1),
        (45, 1),
        (55, 0.55),
        (60, 0.1),
        (99, 0.1),
        (100, 0),
        (125, 0.25),
        (1e9, 0.5),
    ],
)
def test_a_life_in_straight_lines(at_s: float, share: float) -> None:
    assert LIFE.share(at_s) == pytest.approx(share)


def test_edges_and_open_intervals() -> None:
    assert AT_ONCE.edges == (90.0, 300.0)
    assert AT_ONCE.open_intervals == ((90.0, 300.0),)
    assert LIFE.edges == (10.0, 30.0, 50.0, 60.0, 100.0, 120.0, 130.0)
    assert LIFE.open_intervals == ((10.0, 100.0), (120.0, None))


def test_a_patch_put_on_while_the_leak_still_opens() -> None:
    patched = Opening((Change(0.0, 100.0, 1.0), Change(40.0, 10.0, 0.0)))
    assert patched.share(40.0) == pytest.approx(0.4)
    assert patched.share(45.0) == pytest.approx(0.2)
    assert patched.edges == (0.0, 40.0, 50.0)
    assert patched.open_intervals == ((0.0, 50.0),)


def test_a_ramp_ends_at_its_edge_whatever_the_rounding() -> None:
    # 102.359... + 25.652... - 102.359... falls an ulp short of 25.652...: a trace would stay open for ever
    sealed = Opening((Change(101.3592211848674, 0.0, 1.0), Change(102.3592211848674, 25.652524575401316, 0.0)))
    assert sealed.share(sealed.edges[-1]) == 0.0
    assert sealed.open_intervals == ((101.3592211848674, sealed.edges[-1]),)


def test_a_leak_that_never_opens() -> None:
    for never in (Opening(()), Opening((Change(5.0, 3.0, 0.0),))):
        assert never.share(1e6) == 0.0
        assert never.open_intervals == ()


@settings(max_examples=80)
@given(changes)
def test_between_edges_the_share_is_a_straight_line(drawn: list[tuple[float, float, float]]) -> None:
    made = opening(drawn)
    for start_s, end_s in pairwise(made.edges):
        quarter, middle, three = (made.share(start_s + part * (end_s - start_s)) for part in (0.25, 0.5, 0.75))
        assert middle == pytest.approx(0.5 * (quarter + three), abs=1e-9)
        assert 0.0 <= middle <= 1.0


@settings(max_examples=80)
@given(changes, st.floats(-10.0, 600.0))
def test_open_where_the_intervals_say(drawn: list[tuple[float, float, float]], at_s: float) -> None:
    made = opening(drawn)
    inside = any(start_s <= at_s and (end_s is None or at_s < end_s) for start_s, end_s in made.open_intervals)
    assert made.share(at_s) == 0.0 or inside
    if inside and at_s not in made.edges:
        assert made.share(at_s) > 0.0
    spans = made.open_intervals
    assert all(end_s is not None and end_s <= start_s for (_, end_s), (start_s, _) in pairwise(spans))


@pytest.mark.parametrize(
    ("at_s", "over_s", "share"), [(math.nan, 0.0, 1.0), (1.0, -1.0, 1.0), (1.0, math.inf, 1.0), (1.0, 0.0, 1.5)]
)
def test_refuses_a_change_that_cannot_be(at_s: float, over_s: float, share: float) -> None:
    with pytest.raises(ValueError, match=r"leak cannot change|open share"):
        Change(at_s, over_s, share)


def test_refuses_changes_out_of_order() -> None:
    with pytest.raises(ValueError, match="is not after"):
        Opening((Change(5.0, 0.0, 1.0), Change(5.0, 0.0, 0.0)))
