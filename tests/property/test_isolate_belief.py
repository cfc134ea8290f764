"""Laws of a belief over compartments: probabilities, order, evidence of nothing, and a search that never breaks."""

import math
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.isolate.adviser import Adviser, Situation
from controller.isolate.belief import CONDUCTANCES_M3_S, Belief, Floats
from controller.isolate.falls import fall_evidence
from controller.isolate.hearsay import fix_evidence, loudness_evidence, no_evidence, silence_evidence, size_evidence
from controller.isolate.settings import Settings
from tests.support.searching import BAROMETERS, PRESSURE_PA, STATION, drops

ROOMS = STATION.rooms
pascals = st.floats(-1e4, 1e4)
hatches = st.frozensets(st.sampled_from([passage.name for passage in STATION.passages]))


@st.composite
def evidence(draw: st.DrawFn) -> Floats:
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return fix_evidence(ROOMS, draw(st.sampled_from(ROOMS)), draw(st.floats(0, 1)))
    if kind == 1:
        return silence_evidence(ROOMS, draw(st.frozensets(st.sampled_from(ROOMS))))
    if kind == 2:
        rises = draw(st.dictionaries(st.sampled_from(ROOMS), st.floats(-20, 60)))
        return loudness_evidence(ROOMS, rises, [passage.between for passage in STATION.passages])
    if kind == 3:
        return size_evidence(ROOMS, draw(st.frozensets(st.sampled_from(ROOMS))), draw(st.floats(0, 1)), 1e-4)
    fallen = {room: draw(pascals) for room in ("tunnel", "home", "rest")}
    parts = STATION.parts(draw(hatches))
    return fall_evidence(STATION, parts, drops(**fallen), draw(st.floats(5, 1e5)), Settings())


@settings(max_examples=30, deadline=None)
@given(st.lists(evidence(), max_size=4), st.randoms(use_true_random=False))
def test_probabilities_sum_to_one_and_order_has_no_meaning(told: list[Floats], random: Random) -> None:
    belief = Belief.flat(ROOMS, 0.1)
    for one in told:
        belief = belief.told(one)
    assert np.all(belief.joint >= 0.0)
    assert math.isclose(float(belief.probabilities.sum()), 1.0, rel_tol=1e-12)
    shuffled = list(told)
    random.shuffle(shuffled)
    other = Belief.flat(ROOMS, 0.1)
    for one in shuffled:
        other = other.told(one)
    # Sums of up to 4 logarithms of up to 1e6 round by 1e-10 each: that is the relative error of a probability.
    np.testing.assert_allclose(other.probabilities, belief.probabilities, rtol=1e-8, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(evidence(), st.floats(-50, 50))
def test_evidence_of_nothing_changes_nothing(told: Floats, constant: float) -> None:
    belief = Belief.flat(ROOMS, 0.1).told(told)
    for nothing in (
        no_evidence(ROOMS),
        np.full((len(ROOMS) + 1, CONDUCTANCES_M3_S.size), constant),
        fall_evidence(STATION, STATION.parts({"b"}), (), 100.0, Settings()),
        loudness_evidence(ROOMS, {"home": 12.0}, []),
        silence_evidence(ROOMS, ()),
        fix_evidence(ROOMS, "nowhere", 0.9),
    ):
        np.testing.assert_allclose(belief.told(nothing).probabilities, belief.probabilities, rtol=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(hatches, pascals, pascals, pascals, st.floats(0, 1e5), st.booleans(), st.floats(0, 1e6)),
        min_size=1,
        max_size=6,
    )
)
def test_no_sequence_of_hatches_and_readings_breaks_a_search(
    story: list[tuple[frozenset[str], float, float, float, float, bool, float]],
) -> None:
    """It never raises, its numbers are numbers, and whom it sends to a hatch keeps the way to the lifeboat."""
    adviser = Adviser(STATION, Settings())
    for step, (shut, one, two, three, watched_s, suspected, reserve_s) in enumerate(story):
        situation = Situation(
            shut=shut,
            watched_s=watched_s,
            drops=drops(tunnel=one, home=two, rest=three) if watched_s else (),
            barometers=BAROMETERS,
            pressure_pa=PRESSURE_PA,
            difference_pa={"a": one - two},
            suspected=suspected,
            reserve_s=reserve_s,
        )
        advice = adviser.step(step * 10**10, situation)
        assert math.isclose(float(adviser.belief.probabilities.sum()), 1.0, rel_tol=1e-9)
        if advice is None:
            continue
        assert all(math.isfinite(share) for _, share in advice.probabilities)
        assert advice.why
        now = set(shut)
        for move in advice.moves:
            (now.discard if move.opens else now.add)(move.hatch)
            between = STATION.passage[move.hatch].between
            assert any(STATION.part_of(end, now) & STATION.lifeboats for end in between)
