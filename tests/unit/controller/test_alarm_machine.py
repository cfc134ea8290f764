"""The alarm table by example: what people see when things come, go, get graver, and are acknowledged."""

from dataclasses import replace

import pytest

from controller.alarm.machine import MAX_ALARMS, AlarmMachine, Settings
from controller.alarm.table import ACTIVE, QUIETED, TRANSITIONS, Trigger
from controller.alarm.types import AlarmClass, AlarmState, Condition

LEAK = Condition("leak", AlarmClass.CAUTION, "possible leak", ("heard",))
NODES = Condition("nodes", AlarmClass.CAUTION, "node lost: A", ("A: silent",), frozenset({"A"}))


@pytest.fixture
def machine() -> AlarmMachine:
    return AlarmMachine(Settings(off_delay_s=0.0))


def test_an_acknowledged_alarm_goes_with_its_condition(machine: AlarmMachine) -> None:
    (raised,) = machine.step(10, [LEAK])
    assert (raised.before, raised.alarm.state, raised.cause) == (
        AlarmState.NORMAL,
        AlarmState.UNACKNOWLEDGED,
        "raised",
    )
    changes, answer = machine.acknowledge("leak", 1, "Gerst")
    assert answer == "acknowledged"
    assert changes[0].alarm.acknowledged_by == "Gerst"
    (over,) = machine.step(20, [])
    assert (over.before, over.alarm.state) == (AlarmState.ACKNOWLEDGED, AlarmState.NORMAL)
    assert machine.standing == ()


def test_an_alarm_that_nobody_saw_stays_until_somebody_does(machine: AlarmMachine) -> None:
    machine.step(10, [LEAK])
    machine.step(20, [])
    (alarm,) = machine.standing
    assert alarm.state is AlarmState.RETURNED_UNACKNOWLEDGED
    assert machine.step(30, []) == []
    machine.acknowledge("leak", 1, "Gerst")
    assert machine.standing == ()


def test_steady_conditions_are_told_once(machine: AlarmMachine) -> None:
    assert len(machine.step(10, [LEAK])) == 1
    assert machine.step(11, [LEAK]) == []
    moved = replace(LEAK, evidence=("heard louder",))
    assert machine.step(12, [moved]) == []  # figures move all the time
    assert machine.standing[0].evidence == ("heard louder",)
    (news,) = machine.step(13, [replace(LEAK, text="possible leak at the window")])
    assert (news.cause, news.alarm.occurrence) == ("new evidence", 1)


def test_graver_is_told_again_and_is_not_silenced_by_the_old_acknowledgement(machine: AlarmMachine) -> None:
    machine.step(10, [LEAK])
    machine.acknowledge("leak", 1, "Gerst")
    (graver,) = machine.step(20, [replace(LEAK, alarm_class=AlarmClass.WARNING)])
    assert graver.cause == "graver"
    assert graver.before is AlarmState.ACKNOWLEDGED
    assert graver.alarm.state is AlarmState.UNACKNOWLEDGED
    assert graver.alarm.acknowledged_by is None
    assert graver.alarm.raised_ns == 10
    changes, answer = machine.acknowledge("leak", 1, "Gerst")
    assert changes == []
    assert answer == "occurrence 1 of 'leak' is over; it now stands with occurrence 2"
    assert machine.acknowledge("leak", 2, "Gerst")[1] == "acknowledged"


def test_milder_does_not_lower_what_stands(machine: AlarmMachine) -> None:
    machine.step(10, [replace(LEAK, alarm_class=AlarmClass.WARNING)])
    assert machine.step(20, [LEAK]) == []
    assert [alarm.alarm_class for alarm in machine.standing] == [AlarmClass.WARNING]
    machine.step(30, [])
    machine.step(40, [LEAK])  # but what returned and comes anew is as grave as it comes
    assert [(alarm.alarm_class, alarm.occurrence) for alarm in machine.standing] == [(AlarmClass.CAUTION, 2)]


def test_one_more_lost_node_is_news_to_whoever_took_notice_of_the_first(machine: AlarmMachine) -> None:
    machine.step(10, [NODES])
    machine.acknowledge("nodes", 1, "Gerst")
    two = replace(NODES, text="nodes lost: A, B", members=frozenset("AB"))
    (grew,) = machine.step(20, [two])
    assert (grew.cause, grew.alarm.state, grew.alarm.occurrence) == ("grew", AlarmState.UNACKNOWLEDGED, 2)
    machine.acknowledge("nodes", 2, "Gerst")
    (fewer,) = machine.step(30, [NODES])
    assert (fewer.cause, fewer.alarm.state) == ("new evidence", AlarmState.ACKNOWLEDGED)


def test_gravest_then_newest_comes_first(machine: AlarmMachine) -> None:
    machine.step(10, [NODES])
    machine.step(20, [NODES, LEAK])
    machine.step(30, [NODES, LEAK, Condition("siren", AlarmClass.WARNING, "x")])
    assert [alarm.key for alarm in machine.standing] == ["siren", "leak", "nodes"]


@pytest.mark.parametrize("turned", [False, True])
def test_the_same_key_twice_in_one_step_is_one_alarm(machine: AlarmMachine, turned: bool) -> None:
    met = [LEAK, replace(LEAK, alarm_class=AlarmClass.WARNING)]
    changes = machine.step(10, met[::-1] if turned else met)
    assert len(changes) == 1
    assert machine.standing[0].alarm_class is AlarmClass.WARNING


def test_alarms_are_bounded(machine: AlarmMachine) -> None:
    many = [Condition(f"key{i}", AlarmClass.ADVISORY, "x") for i in range(MAX_ALARMS + 5)]
    assert len(machine.step(10, many)) == MAX_ALARMS
    assert len(machine.standing) == MAX_ALARMS


def test_the_table_is_complete() -> None:
    """Whatever stands can go: nothing is a dead end, and what can be worse can be told so."""
    assert set(TRANSITIONS.values()) == set(AlarmState)
    for state in AlarmState:
        triggers = {trigger for before, trigger in TRANSITIONS if before is state}
        if state is AlarmState.NORMAL:
            assert triggers == {Trigger.RAISED, Trigger.HELD_BACK, Trigger.INHIBITED, Trigger.TAKEN_OUT}
        elif state in ACTIVE:
            assert {Trigger.GRAVER, Trigger.GREW, Trigger.RETURNED, Trigger.LATCHED, Trigger.REANNOUNCED} <= triggers
        elif state in QUIETED:
            assert {Trigger.BROKE_OUT, Trigger.RELEASED, Trigger.RELEASED_OVER} <= triggers
        else:
            assert Trigger.RAISED in triggers
            assert triggers & {Trigger.ACKNOWLEDGED, Trigger.RESET}
