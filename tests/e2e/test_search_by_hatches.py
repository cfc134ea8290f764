"""Zvezda's silent crack, found by a crew that follows the advice: simulated station, whole controller, virtual time."""

from controller.journal.entries import FixEntry, HatchEntry, IsolationEntry
from sim.virtual_time import run_virtual
from tests.support.following_crew import FollowingCrew
from tests.support.virtual_rig import run_virtual_rig, scenario

# Bursts are heavy to render and the crack is silent: one now and then is enough to be heard as such.
SELDOM = {"tasking": {"capture_period_s": 600.0, "alert_period_s": 600.0}}


def test_a_crew_that_follows_the_advice_isolates_the_chamber() -> None:
    table = scenario("zvezda-crack-2020", events=())
    crew = FollowingCrew(begins_s=60.0)
    run = run_virtual(run_virtual_rig(table, 400.0, settings=SELDOM, during=crew))
    steps = run.of_kind(IsolationEntry)
    named = [step for step in steps if step.compartment is not None]
    assert named
    assert {step.compartment for step in named} == {"prk"}
    last = steps[-1]
    assert last.step == "isolated"
    assert last.shut == ("prk-hatch",)
    # Four compartments are two bits: no more than two hatches shut and one opened again.
    assert 1 <= len(crew.moved) <= 3
    assert [entry.hatch for entry in run.of_kind(HatchEntry)] == [hatch for _, hatch, _ in crew.moved]
    assert run.of_kind(FixEntry) == []
