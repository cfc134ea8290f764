"""The search step by step: what it asks for, what it refuses, when it ends, and how it fares beside the procedure."""

import math
from dataclasses import replace

import numpy as np

from benchmarks.accuracy.isolation import results
from controller.isolate.advice import Advice, Step
from controller.isolate.adviser import Adviser, Situation
from controller.isolate.choice import Outlook, best_plan, plan_for
from controller.isolate.hearsay import fix_evidence, size_evidence
from controller.isolate.settings import Settings
from firmware_bridge.units import PA_PER_MMHG
from tests.support.searching import BAROMETERS, PRESSURE_PA, STATION, drops

ROOMS = STATION.rooms
SETTINGS = Settings()
LIMIT_PA = 490.0 * PA_PER_MMHG


def situation(
    shut: set[str] | None = None, watched_s: float = 0.0, conductance: float = 1e-4, **more: object
) -> Situation:
    usual = {
        "shut": frozenset(shut or ()),
        "watched_s": watched_s,
        "drops": drops() if watched_s else (),
        "barometers": BAROMETERS,
        "pressure_pa": PRESSURE_PA,
        "suspected": True,
        "size": size_evidence(ROOMS, ROOMS, conductance, 0.2 * conductance),
    }
    return Situation(**{**usual, **more})  # type: ignore[arg-type]


def told(advice: Advice | None) -> Advice:
    assert advice is not None
    return advice


def outlook(adviser: Adviser, shut: set[str]) -> Outlook:
    return Outlook(STATION, adviser.belief, frozenset(shut), BAROMETERS, PRESSURE_PA, {}, SETTINGS, LIMIT_PA)


def test_nothing_is_advised_while_nothing_is_suspected() -> None:
    adviser = Adviser(STATION, SETTINGS)
    assert adviser.step(0, situation(suspected=False, size=None)) is None
    assert adviser.step(0, situation({"b"}, 300.0, suspected=False, size=None)) is None


def test_a_step_says_which_hatch_why_and_how_long() -> None:
    advice = told(Adviser(STATION, SETTINGS).step(0, situation()))
    assert advice.step is Step.MOVE
    assert [move.opens for move in advice.moves] == [False]
    hatch = advice.moves[0].hatch
    assert hatch in advice.why
    assert advice.watch_s is not None
    assert advice.hold_s is not None
    assert 0.0 < advice.watch_s <= advice.hold_s
    assert advice.outcomes
    assert math.isclose(sum(share for _, share in advice.probabilities) + advice.no_leak, 1.0, rel_tol=1e-9)


def test_watch_and_bits_follow_the_leak() -> None:
    """A leak ten times as large is told apart in less time, and no plan is better than the chosen one."""
    watches = []
    for conductance in (1e-4, 1e-3):
        adviser = Adviser(STATION, SETTINGS)
        adviser.step(0, situation(conductance=conductance))
        here = outlook(adviser, set())
        plan = plan_for(here, frozenset({"b"}))
        assert plan is not None
        assert plan.told_apart
        assert 0.9 < plan.bits <= 1.0  # the two halves are as probable
        watches.append(plan.watch_s)
        best = best_plan(here)
        assert best is not None
        assert best.bits_a_minute >= plan.bits_a_minute
    assert watches[1] < 0.5 * watches[0]


def test_a_search_ends_with_the_compartment_and_its_hatches() -> None:
    """The leak is in the rest: 1e-4 m3/s in 755 m3 are 0.0129 Pa/s, in 827 m3 0.0118."""
    adviser = Adviser(STATION, SETTINGS)
    adviser.step(0, situation())
    adviser.step(1, situation({"b"}, 900.0, drops=drops(rest=10.6)))
    advice = told(adviser.step(2, situation({"c"}, 0.0)))
    assert advice.step is not Step.ISOLATE
    advice = told(adviser.step(3, situation({"c"}, 900.0, drops=drops(rest=11.6))))
    assert advice.compartment == "rest"
    assert advice.step is Step.ISOLATED  # `c` is all that it takes
    advice = told(adviser.step(4, situation()))
    assert advice.step is Step.ISOLATE
    assert [move.hatch for move in advice.moves] == ["c"]


def test_where_the_lifeboat_hangs_people_stay() -> None:
    adviser = Adviser(STATION, SETTINGS)
    adviser.step(0, situation({"b"}, 600.0, drops=drops(tunnel=65.6, home=65.6)))
    advice = told(adviser.step(1, situation({"a"}, 600.0, drops=drops(home=6.4, rest=6.4))))
    assert advice.compartment == "home"
    assert advice.shut == frozenset()
    assert "stay with the lifeboat" in advice.why


def test_below_ten_minutes_nobody_searches() -> None:
    advice = told(Adviser(STATION, SETTINGS).step(0, situation(reserve_s=599.0)))
    assert advice.step is Step.SAFE_HAVEN
    assert [(move.hatch, move.opens) for move in advice.moves] == [("a", False), ("b", False)]
    assert told(Adviser(STATION, SETTINGS).step(0, situation(reserve_s=601.0))).step is not Step.SAFE_HAVEN


def test_no_hatch_is_shut_that_costs_people_their_reserve() -> None:
    """0.05 m3/s, 0.063 at worst: 89 m3 with the lifeboat last 9.4 min, 161 m3 17 min; jams are left aside."""
    adviser = Adviser(STATION, SETTINGS)
    adviser.step(0, situation(conductance=0.05))
    here = replace(outlook(adviser, set()), settings=Settings(jam_mmhg=1e5))
    assert plan_for(here, frozenset({"b"})) is None
    kept = plan_for(here, frozenset({"c"}))
    assert kept is not None
    worst = 161.0 / adviser.belief.conductance_m3_s(0.9) * math.log(PRESSURE_PA / LIMIT_PA)
    assert kept.watch_s <= worst - SETTINGS.haven_reserve_s - SETTINGS.operation_s


def test_a_hatch_about_to_jam_is_opened() -> None:
    adviser = Adviser(STATION, SETTINGS)
    adviser.step(0, situation())
    adviser.step(1, situation({"b"}, 30.0))
    pressed = situation({"b"}, 60.0, difference_pa={"b": 60.0})
    advice = told(adviser.step(2, pressed))
    assert "b" not in advice.shut
    assert ("b", True) in [(move.hatch, move.opens) for move in advice.moves]
    assert not advice.moves[0].equalise
    jammed = told(adviser.step(3, situation({"b"}, 90.0, difference_pa={"b": 80.0})))
    assert next(move for move in jammed.moves if move.hatch == "b").equalise


def test_a_leak_without_any_barometer_is_undecided_not_guessed() -> None:
    advice = told(Adviser(STATION, SETTINGS).step(0, situation(barometers=())))
    assert advice.step is Step.UNDECIDED
    assert advice.compartment is None


def test_sound_leads_the_search() -> None:
    adviser = Adviser(STATION, SETTINGS)
    advice = told(adviser.step(0, situation(sound=fix_evidence(ROOMS, "tunnel", 0.9))))
    assert dict(advice.probabilities)["tunnel"] > 0.85
    assert [move.hatch for move in advice.moves] == ["a"]


def test_sound_that_is_told_again_counts_once() -> None:
    adviser = Adviser(STATION, SETTINGS)
    shares = []
    for step in range(3):
        adviser.step(step, situation(sound=fix_evidence(ROOMS, "tunnel", 0.9)))
        shares.append(adviser.belief.of()["tunnel"])
    np.testing.assert_allclose(shares, shares[0])


def test_twenty_leaks_cost_fewer_moves_and_far_less_time_than_the_procedure() -> None:
    """As in `benchmarks/accuracy/isolation.py`, whose 200 cases say more."""
    found = results(20, only=("adviser", "fixed procedure"))
    ours, theirs = found["adviser"], found["fixed procedure"]
    assert sum(row.right for row in ours) >= 19
    assert sum(row.shut_s for row in ours) < 0.5 * sum(row.shut_s for row in theirs)
    assert sum(row.moves for row in ours) < sum(row.moves for row in theirs)
