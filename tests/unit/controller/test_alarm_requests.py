"""What people may ask, one by one: done or refused, with a reason that says what to do."""

import math
from dataclasses import replace

import pytest

from controller.alarm.keys import ALARM_KEYS
from controller.alarm.machine import MAX_PARTS, AlarmMachine, Settings
from controller.alarm.requests import (
    MAX_NAME,
    Acknowledge,
    EndInhibition,
    Inhibit,
    Request,
    Reset,
    ReturnToService,
    Shelve,
    TakeOutOfService,
    Unshelve,
    problem,
)
from controller.alarm.types import AlarmChange, AlarmClass, AlarmState, Condition

NODES = Condition("nodes", AlarmClass.CAUTION, "node lost: A", ("A: silent",), frozenset({"A"}))
LEAK = Condition("leak", AlarmClass.EMERGENCY, "leak", ("heard",))


@pytest.fixture
def machine() -> AlarmMachine:
    """Nodes lost, and an emergency."""
    machine = AlarmMachine(Settings(off_delay_s=0.0))
    machine.step(10, [NODES, LEAK])
    return machine


def done(machine: AlarmMachine, request: Request, now_ns: int = 20) -> AlarmChange:
    (change,), answer = machine.answer(now_ns, request)
    assert answer.accepted, answer.text
    assert answer.request is request
    return change


def refused(machine: AlarmMachine, request: Request, now_ns: int = 20) -> str:
    before = machine.record
    changes, answer = machine.answer(now_ns, request)
    assert (changes, answer.accepted) == ([], False)
    assert machine.record == before
    return answer.text


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (Acknowledge("leak", 1, ""), "say who asks"),
        (Acknowledge("leak", 1, "   "), "say who asks"),
        (Acknowledge("leak", 1, "x" * (MAX_NAME + 1)), "say who asks"),
        (Acknowledge("leak", 1, "a\nb"), "say who asks"),
        (Acknowledge("lek", 1, "Gerst"), "there is no alarm 'lek'; known are leak, nodes"),
        (Acknowledge("x" * 10_000, 1, "Gerst"), "there is no alarm"),
        (Acknowledge("leak:A", 1, "Gerst"), "there is no alarm"),
        (Acknowledge("leak", 1, "Gerst", request_id="x" * 65), "64 characters"),
        (Shelve("nodes", 1, math.nan, "Gerst"), "from 1 s to 28800 s (8 h)"),
        (Shelve("nodes", 1, math.inf, "Gerst"), "from 1 s to 28800 s (8 h)"),
        (Shelve("nodes", 1, -60.0, "Gerst"), "from 1 s"),
        (Inhibit("leak", 86_401.0, "x", "Gerst"), "86400 s (24 h)"),
        (Inhibit("leak", 60.0, "", "Gerst"), "give a reason"),
        (Inhibit("leak", 60.0, "x" * 201, "Gerst"), "give a reason"),
        (TakeOutOfService("nodes:A", " ", "Gerst"), "give a reason"),
        (TakeOutOfService("nodes:A", "x", "Gerst", 0.0), "from 1 s"),
    ],
)
def test_what_is_wrong_by_itself_is_refused_with_what_is_right(
    machine: AlarmMachine, request_: Request, told: str
) -> None:
    assert told in str(problem(request_))
    assert told in refused(machine, request_)


def test_an_emergency_cannot_be_shelved_in_any_state(machine: AlarmMachine) -> None:
    text = "an emergency cannot be shelved; acknowledge it"
    assert refused(machine, Shelve("leak", 1, 60.0, "Gerst")) == text
    done(machine, Acknowledge("leak", 1, "Gerst"))
    assert refused(machine, Shelve("leak", 1, 60.0, "Gerst")) == text
    machine.step(30, [NODES])
    assert machine.standing[0].state is AlarmState.LATCHED
    assert refused(machine, Shelve("leak", 1, 60.0, "Gerst")) == text
    assert "graver than what this would keep quiet" in refused(machine, Inhibit("leak", 60.0, "plan", "Gerst"))
    assert "never out of service" in refused(machine, TakeOutOfService("leak", "repair", "Gerst"))


def test_shelving_and_back_by_hand_is_acknowledged_by_whoever_did_it(machine: AlarmMachine) -> None:
    change = done(machine, Shelve("nodes", 1, 60.0, "Gerst"))
    assert (change.alarm.state, change.cause) == (AlarmState.SHELVED, "shelved by Gerst")
    assert [alarm.key for alarm in machine.standing] == ["leak"]
    assert [alarm.key for alarm in machine.quieted] == ["nodes"]
    for request in (Acknowledge("nodes", 1, "G"), Shelve("nodes", 1, 60.0, "G"), Reset("nodes", 1, "G")):
        assert refused(machine, request) == "alarm 'nodes' is shelved; end that first"
    back = done(machine, Unshelve("nodes", "Artemyev"))
    assert (back.alarm.state, back.alarm.acknowledged_by) == (AlarmState.ACKNOWLEDGED, "Artemyev")
    assert refused(machine, Unshelve("nodes", "Artemyev")) == "alarm 'nodes' is not shelved"


def test_shelving_names_the_occurrence_that_was_seen(machine: AlarmMachine) -> None:
    machine.step(20, [replace(NODES, members=frozenset("AB")), LEAK])
    told = refused(machine, Shelve("nodes", 1, 60.0, "Gerst"))
    assert told == "occurrence 1 of 'nodes' is over; it now stands with occurrence 2"


def test_what_does_not_stand_cannot_be_shelved_or_reset(machine: AlarmMachine) -> None:
    assert refused(machine, Shelve("broker", 1, 60.0, "Gerst")) == "alarm 'broker' is not standing"
    assert refused(machine, Reset("nodes", 1, "Gerst")) == "alarm 'nodes' is unacknowledged, not latched"


def test_an_inhibition_of_what_stands_and_its_end(machine: AlarmMachine) -> None:
    done(machine, Inhibit("nodes", 60.0, "rewiring", "Gerst"))
    assert (
        refused(machine, Inhibit("nodes", 60.0, "rewiring", "Gerst")) == "alarm 'nodes' is suppressed; end that first"
    )
    machine.step(30, [NODES, LEAK])
    back = done(machine, EndInhibition("nodes", "Artemyev"), 40)
    assert (back.alarm.state, back.alarm.occurrence) == (AlarmState.UNACKNOWLEDGED, 2)
    assert back.cause == "released by Artemyev"
    assert "is not suppressed" in refused(machine, EndInhibition("nodes", "Artemyev"))


def test_an_alarm_that_never_was_can_be_inhibited_beforehand(machine: AlarmMachine) -> None:
    done(machine, Inhibit("broker", 60.0, "the broker moves", "Gerst"))
    broker = Condition("broker", AlarmClass.ADVISORY, "MQTT broker is away")
    assert machine.step(30, [NODES, LEAK, broker]) == []
    over = done(machine, EndInhibition("broker", "Gerst"), 40)
    assert over.alarm.state is AlarmState.UNACKNOWLEDGED


def test_an_emergency_that_stands_is_silenced_by_no_inhibition_and_one_that_was_planned_is(
    machine: AlarmMachine,
) -> None:
    plan = Inhibit("leak", 60.0, "planned depressurization", "Gerst", AlarmClass.EMERGENCY)
    assert "a plan is told before" in refused(machine, plan)
    done(machine, Acknowledge("leak", 1, "Gerst"))
    assert "a plan is told before" in refused(machine, plan)
    planned = AlarmMachine()
    done(planned, plan)
    assert planned.step(30, [LEAK]) == []
    done(planned, EndInhibition("leak", "Gerst"), 40)
    assert "a plan is told before" in refused(planned, plan, 50)  # it is not asked for again and again


def test_a_part_out_of_service_is_left_out_and_comes_back(machine: AlarmMachine) -> None:
    assert not machine.out_of_service("nodes", "B")
    change = done(machine, TakeOutOfService("nodes:B", "its plug is wet", "Gerst"))
    assert change.alarm.state is AlarmState.OUT_OF_SERVICE
    assert machine.out_of_service("nodes", "B")
    assert not machine.out_of_service("sensors", "B")
    assert "only a whole alarm" in refused(machine, Inhibit("nodes:B", 60.0, "x", "Gerst"))
    done(machine, ReturnToService("nodes:B", "Gerst"))
    assert not machine.out_of_service("nodes", "B")
    assert "nodes:B" not in {alarm.key for alarm in machine.record}  # nothing is left of it


def test_parts_are_those_of_the_site_and_bounded() -> None:
    known = AlarmMachine(parts=frozenset("AB"))
    assert refused(known, TakeOutOfService("nodes:Z", "repair", "Gerst")) == "the site has no 'Z'"
    anybody = AlarmMachine()
    for number in range(MAX_PARTS):
        done(anybody, TakeOutOfService(f"nodes:{number}", "repair", "Gerst"))
    assert "too much is out of service" in refused(anybody, TakeOutOfService("nodes:one more", "repair", "Gerst"))
    every = [Condition(key, AlarmClass.WARNING, key) for key in ALARM_KEYS]
    assert len(anybody.step(30, every)) == len(ALARM_KEYS)  # and what is to be raised finds room


def test_an_emergency_breaks_out_of_an_alarm_that_is_out_of_service() -> None:
    machine = AlarmMachine()
    done(machine, TakeOutOfService("nodes", "rewiring", "Gerst"))
    assert machine.step(30, [NODES]) == []
    (out,) = machine.step(40, [replace(NODES, alarm_class=AlarmClass.EMERGENCY)])
    assert (out.cause, out.alarm.state) == ("broke out", AlarmState.UNACKNOWLEDGED)
