"""One candidate place: a solution with its support, or which kind of contradiction or want stood in the way."""

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.localize.attempt import Attempt, Limits, Refusal, Surroundings, attempt
from controller.localize.verdict import Candidate, Reason
from firmware_bridge.site.box import BoxHull
from tests.support.delays import SPEED, SURVEY
from tests.support.hearing import box_site
from tests.support.peaks import peaked

SITE = box_site()
PLACES = np.vstack([SITE.microphones_m(node) for node in SITE.nodes])
NODES = tuple(node.name for node in SITE.nodes for _ in range(4))
AT = (1.2, 2.4, 0.8)
AROUND = Surroundings(BoxHull((3.0, 2.4, 2.0)), SURVEY, SPEED, 0.6)
LIMITS = Limits(max_misfit=3.0, max_radius_m=0.5)


def arrivals_off(**off_s: float) -> NDArray[np.float64]:
    return np.array([off_s.get(node, 0.0) for node in NODES])


def tried(
    error_s: NDArray[np.float64] | float = 0.0,
    *,
    near: tuple[float, float, float] = AT,
    limits: Limits = LIMITS,
    height: float = 12.0,
    nodes: str = "ABCDE",
) -> Attempt | Refusal:
    rows = [i for i, node in enumerate(NODES) if node in nodes]
    errors = np.broadcast_to(error_s, len(NODES))[rows]
    random = np.random.default_rng(3)
    functions = peaked(PLACES[rows], AT, [NODES[i] for i in rows], random, height=height, error_s=errors)
    return attempt([functions], Candidate(near, 20.0), AROUND, limits)


def solved(result: Attempt | Refusal) -> Attempt:
    assert isinstance(result, Attempt), result
    return result


def refused(result: Attempt | Refusal) -> Refusal:
    assert isinstance(result, Refusal), result
    return result


def test_a_candidate_nearby_leads_to_the_place_with_all_pairs_behind_it() -> None:
    found = solved(tried(near=(1.205, 2.4, 0.796)))
    assert found.solution.state[:3] == pytest.approx(AT, abs=0.002)  # delays of 0.3 us at 20 microphones: 0.1 mm
    assert found.support == 190
    assert found.nodes_used == ("A", "B", "C", "D", "E")
    assert found.rejected == ()


def test_one_node_that_contradicts_is_left_out_and_the_rest_is_as_without_it() -> None:
    """40 us at one node, 14 mm, are inside the window around the prediction: its pairs close, its delays do not fit."""
    found = solved(tried(arrivals_off(E=40e-6)))
    assert [rejected.node for rejected in found.rejected] == ["E"]
    assert found.nodes_used == ("A", "B", "C", "D")
    without = solved(tried(nodes="ABCD"))
    assert found.solution.state[:3] == pytest.approx(without.solution.state[:3], abs=0.002)


def test_nodes_that_all_contradict_each_other_are_a_contradiction() -> None:
    """Without any one of them the others still disagree; the limit is set between this and the delays' own noise."""
    strict = Limits(max_misfit=0.05, max_radius_m=0.5)
    refusal = refused(tried(arrivals_off(A=25e-6, B=-25e-6, E=28e-6), limits=strict))
    assert refusal.reason is Reason.INCONSISTENT
    assert "site file" in refusal.explanation


def test_where_single_pairs_hear_nothing_the_place_of_all_together_counts() -> None:
    """A standing of 20 by 190 pairs is a mean height of 1.45: 1 / (2 pi 55 kHz 1.45) = 2.0 us a pair, 0.7 mm."""
    faint = solved(tried(height=1.45))
    assert faint.solution.state[:3] == pytest.approx(np.array(faint.candidate.position_m), abs=1e-6)
    assert faint.support == 190
    assert faint.radius95_m > solved(tried(height=12.0)).radius95_m


def test_a_place_known_too_vaguely_is_none() -> None:
    refusal = refused(tried(nodes="A", limits=Limits(3.0, 0.05)))
    assert refusal.reason is Reason.TOO_FEW_SENSORS
    assert "more nodes" in refusal.explanation
    assert solved(tried(nodes="A")).radius95_m > 0.05


def test_a_candidate_elsewhere_finds_nothing_to_agree_on() -> None:
    """By chance peaks of three microphones fall into the windows; as three fit any place, they count for nothing."""
    refusal = refused(tried(near=(0.0, 0.5, 1.5)))
    assert refusal.reason is Reason.TOO_FEW_SENSORS
