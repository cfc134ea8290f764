"""Machines that were heard before: what they leave behind, and what is new, is told apart."""

import numpy as np
import pytest

from controller.localize.machines import LOUDER, MACHINE_M, REMAINS, Machines
from controller.localize.verdict import Candidate
from controller.measure.correlation import Correlations
from tests.support.delays import SPEED
from tests.support.peaks import peaked

PLACES = np.random.default_rng(1).uniform([0.3, 0.3, 0.3], [2.7, 2.1, 1.7], (12, 3))
NODES = [node for node in "ABC" for _ in range(4)]
MACHINE, ELSEWHERE = (1.0, 0.0, 1.0), (3.0, 1.2, 0.4)


def before(height: float = 4.0) -> Correlations:
    return peaked(PLACES, MACHINE, NODES, np.random.default_rng(2), height=height)


def at(place: tuple[float, float, float], standing: float) -> Candidate:
    return Candidate(place, standing)


def heard(*places: Candidate) -> Machines:
    return Machines.heard([before()], lambda _: places, min_standing=6.5)


def kept(machines: Machines, candidate: Candidate, bursts: float = 1.0) -> bool:
    return machines.not_among((candidate,), bursts, SPEED, 0.0) == (candidate,)


def test_where_nothing_was_heard_everything_is_new() -> None:
    nothing = Machines.heard([], lambda _: pytest.fail("nothing to search"), 6.5)
    assert kept(nothing, at(MACHINE, 7.0))
    assert nothing.places == ()


def test_only_what_stands_out_is_a_machine() -> None:
    assert heard(at(MACHINE, 30.0), at(ELSEWHERE, 5.0)).places == (at(MACHINE, 30.0),)


def test_the_remains_of_a_machine_are_no_leak() -> None:
    """66 pairs at a height of 4 stand at 32 there."""
    machines = heard()
    assert not kept(machines, at(MACHINE, 0.9 * REMAINS * 32.0))
    assert kept(machines, at(ELSEWHERE, 0.9 * REMAINS * 32.0))


def test_a_machine_that_got_louder_is_no_leak_and_what_is_far_louder_is() -> None:
    machines = heard(at(MACHINE, 32.0))
    assert not kept(machines, at(MACHINE, 0.9 * LOUDER * 32.0))
    assert kept(machines, at(MACHINE, 1.1 * LOUDER * 32.0))
    assert not kept(machines, at(MACHINE, 1.1 * LOUDER * 32.0), bursts=4.0)  # it stands twice as high in four bursts


def test_the_ghosts_of_a_machine_go_with_it() -> None:
    machines = heard(at(MACHINE, 32.0))
    loud, ghost, leak = at(MACHINE, 60.0), at(ELSEWHERE, 30.0), at(ELSEWHERE, 50.0)
    assert machines.not_among((loud, ghost), 1.0, SPEED, 0.0) == ()
    assert machines.not_among((loud, leak), 1.0, SPEED, 0.0) == (leak,)


@pytest.mark.parametrize(("off_m", "is_kept"), [(0.8 * MACHINE_M, False), (1.2 * MACHINE_M, True)])
def test_a_machine_that_is_not_on_the_hull_is_known_vaguely(off_m: float, is_kept: bool) -> None:
    beside = (MACHINE[0] + off_m, MACHINE[1], MACHINE[2])
    assert kept(heard(at(MACHINE, 32.0)), at(beside, 60.0)) is is_kept
