"""What time does to alarms: delays, deadband, chatter, floods, calls to whoever forgot, restarts."""

from dataclasses import replace

import pytest

from controller.alarm.flood import FLOOD_BEGINS, FLOOD_ENDS
from controller.alarm.keys import ALARM_KEYS, FLOOD
from controller.alarm.machine import FLOOD_CONTROL, AlarmMachine, Settings
from controller.alarm.requests import Acknowledge, Inhibit, Reset, Shelve
from controller.alarm.types import Alarm, AlarmChange, AlarmClass, AlarmState, Condition
from firmware_bridge.units import s_to_ns

LEAK = Condition("leak", AlarmClass.CAUTION, "possible leak", ("heard",))
NODES = Condition("nodes", AlarmClass.CAUTION, "node lost: A", ("A: silent",), frozenset({"A"}))
SENSORS = Condition("sensors", AlarmClass.ADVISORY, "not fully working: B", ("B: mute",), frozenset({"B"}))
GRAVE = replace(LEAK, alarm_class=AlarmClass.EMERGENCY)
STEP_S = 0.25


class Clock:
    """A machine that is stepped as the controller steps it."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.machine = AlarmMachine(settings or Settings())
        self.now_s = 0.0

    def run(self, seconds: float, *met: Condition) -> list[AlarmChange]:
        changes = []
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            changes += self.machine.step(s_to_ns(self.now_s), met)
        return changes

    @property
    def now_ns(self) -> int:
        return s_to_ns(self.now_s)

    def alarm(self, key: str) -> Alarm:
        (found,) = [alarm for alarm in self.machine.record if alarm.key == key]
        return found


def causes(changes: list[AlarmChange]) -> list[str]:
    return [f"{change.alarm.key} {change.cause}" for change in changes]


def test_what_passes_within_the_on_delay_is_no_alarm() -> None:
    clock = Clock(Settings(on_delay_s=5.0))
    for _ in range(10):
        assert clock.run(4.0, LEAK) == []
        assert clock.run(1.0) == []
    assert causes(clock.run(5.5, LEAK)) == ["leak raised"]


def test_an_emergency_waits_for_no_delay() -> None:
    clock = Clock(Settings(on_delay_s=600.0))
    assert causes(clock.run(STEP_S, GRAVE)) == ["leak raised"]


def test_what_is_gone_for_less_than_the_off_delay_stays() -> None:
    clock = Clock(Settings(off_delay_s=5.0))
    clock.run(1.0, LEAK)
    for _ in range(10):
        assert clock.run(4.0) == []
        assert clock.run(1.0, LEAK) == []
    assert causes(clock.run(6.0)) == ["leak returned"]


def test_the_deadband_holds_and_does_not_raise() -> None:
    clock = Clock()
    held = replace(LEAK, alarm_class=AlarmClass.ADVISORY, text="milder", only_holds=True)
    assert clock.run(60.0, held) == []
    clock.run(1.0, LEAK)
    assert clock.run(60.0, held) == []
    assert clock.alarm("leak").text == "possible leak"
    assert causes(clock.run(1.0)) == ["leak returned"]
    assert clock.run(60.0, held) == []


def test_chatter_is_one_alarm_after_the_third() -> None:
    """A loose plug: 5 s on, 5 s off, for ten minutes. Sixty alarms without the hold."""
    clock = Clock()
    raised = []
    for _ in range(60):
        raised += [change for change in clock.run(5.0, NODES) if change.cause == "raised"]
        clock.run(5.0)
    assert len(raised) == 3
    assert clock.alarm("nodes").state is AlarmState.UNACKNOWLEDGED
    assert causes(clock.run(61.0)) == ["nodes returned"]


@pytest.mark.parametrize(
    ("alarm_class", "period_s"),
    [(AlarmClass.EMERGENCY, 300.0), (AlarmClass.WARNING, 900.0), (AlarmClass.CAUTION, 14_400.0)],
)
def test_people_are_called_again(alarm_class: AlarmClass, period_s: float) -> None:
    clock = Clock()
    met = replace(LEAK, alarm_class=alarm_class)
    clock.run(1.0, met)
    (again,) = clock.run(period_s, met)
    assert (again.cause, again.before, again.alarm.occurrence) == ("announced again", AlarmState.UNACKNOWLEDGED, 1)
    clock.machine.acknowledge("leak", 1, "Gerst")  # the occurrence that they saw, however often it called
    (again,) = clock.run(period_s, met)
    assert (again.before, again.alarm.state) == (AlarmState.ACKNOWLEDGED, AlarmState.UNACKNOWLEDGED)
    assert (again.alarm.occurrence, again.alarm.acknowledged_by) == (2, None)


def test_advisories_do_not_call_again() -> None:
    clock = Clock()
    assert len(clock.run(20_000.0, SENSORS)) == 1


def test_an_emergency_latches_until_a_person_resets_it() -> None:
    clock = Clock()
    clock.run(1.0, GRAVE)
    assert causes(clock.run(1.0)) == ["leak over but latched"]
    assert clock.alarm("leak").state is AlarmState.LATCHED_UNACKNOWLEDGED
    assert clock.run(3600.0) == []
    _, early = clock.machine.answer(clock.now_ns, Reset("leak", 1, "Gerst"))
    assert (early.accepted, early.text) == (False, "acknowledge 'leak' first")
    clock.machine.answer(clock.now_ns, Acknowledge("leak", 1, "Gerst"))
    assert clock.alarm("leak").state is AlarmState.LATCHED
    assert clock.run(3600.0) == []
    assert clock.machine.answer(clock.now_ns, Reset("leak", 1, "Gerst"))[1].accepted
    assert clock.machine.standing == ()


def test_a_latched_emergency_that_comes_again_milder_is_an_emergency_still() -> None:
    clock = Clock()
    clock.run(1.0, GRAVE)
    clock.run(1.0)
    clock.machine.answer(clock.now_ns, Acknowledge("leak", 1, "Gerst"))
    (again,) = clock.run(1.0, LEAK)
    assert (again.cause, again.before, again.alarm.occurrence) == ("raised", AlarmState.LATCHED, 2)
    assert again.alarm.alarm_class is AlarmClass.EMERGENCY


def flooded() -> Clock:
    """Ten alarms in a few seconds, each of another cause or worse than before."""
    clock = Clock()
    for number in range(FLOOD_BEGINS):
        clock.run(STEP_S, replace(NODES, members=frozenset(str(i) for i in range(number + 1))))
    return clock


def test_a_flood_is_told_once_and_holds_advisories_back() -> None:
    clock = flooded()
    busy = replace(NODES, members=frozenset(str(i) for i in range(FLOOD_BEGINS)))
    changes = clock.run(1.0, busy, SENSORS)
    assert causes(changes) == ["sensors held back", "flood raised"] or causes(changes) == [
        "flood raised",
        "sensors held back",
    ]
    assert [alarm.key for alarm in clock.machine.quieted] == ["sensors"]
    (quiet,) = clock.machine.quieted
    assert quiet.suppression is not None
    assert quiet.suppression.by == FLOOD_CONTROL
    graver = clock.run(1.0, busy, SENSORS, replace(LEAK, alarm_class=AlarmClass.WARNING))
    assert causes(graver) == ["leak raised"]  # what matters never waits
    over = clock.run(700.0, busy, SENSORS)
    assert "sensors the flood is over" in causes(over)
    assert clock.alarm("sensors").state is AlarmState.UNACKNOWLEDGED
    assert clock.alarm(FLOOD).state is AlarmState.RETURNED_UNACKNOWLEDGED


def test_what_a_flood_held_back_and_is_over_with_it_is_forgotten() -> None:
    clock = flooded()
    clock.run(1.0, SENSORS)
    clock.run(700.0)
    assert clock.alarm("sensors").state is AlarmState.NORMAL
    assert FLOOD_ENDS < FLOOD_BEGINS


def test_an_evening_of_ordinary_alarms_is_no_flood() -> None:
    clock = Clock()
    for _ in range(5):
        clock.run(100.0, NODES)
        clock.run(100.0, SENSORS)
    assert FLOOD not in {alarm.key for alarm in clock.machine.record}


def test_a_shelf_ends_by_itself_and_is_then_unacknowledged() -> None:
    clock = Clock()
    clock.run(1.0, SENSORS)
    clock.machine.answer(clock.now_ns, Shelve("sensors", 1, 60.0, "Gerst"))
    assert clock.run(59.0, SENSORS) == []
    assert clock.machine.standing == ()
    (back,) = clock.run(2.0, SENSORS)
    assert (back.alarm.state, back.alarm.occurrence) == (AlarmState.UNACKNOWLEDGED, 2)
    assert back.cause == "the time that Gerst gave is over"


def test_a_shelved_alarm_that_is_over_goes_quietly() -> None:
    clock = Clock()
    clock.run(1.0, SENSORS)
    clock.machine.answer(clock.now_ns, Shelve("sensors", 1, 60.0, "Gerst"))
    assert clock.run(30.0) == []
    (over,) = clock.run(31.0)
    assert (over.alarm.state, over.alarm.suppression) == (AlarmState.NORMAL, None)


@pytest.mark.parametrize("worse", ["graver", "grew"])
def test_what_gets_worse_does_not_stay_on_its_shelf(worse: str) -> None:
    clock = Clock()
    clock.run(1.0, NODES)
    clock.machine.answer(clock.now_ns, Shelve("nodes", 1, 3600.0, "Gerst"))
    grown = replace(NODES, members=frozenset("AB"))
    (out,) = clock.run(1.0, grown if worse == "grew" else replace(NODES, alarm_class=AlarmClass.WARNING))
    assert (out.cause, out.alarm.state, out.alarm.occurrence) == ("broke out", AlarmState.UNACKNOWLEDGED, 2)
    assert out.alarm.suppression is None


def test_a_planned_depressurization_is_quiet_as_far_as_it_was_announced() -> None:
    for up_to, expected in ((AlarmClass.WARNING, AlarmState.UNACKNOWLEDGED), (AlarmClass.EMERGENCY, None)):
        clock = Clock()
        plan = Inhibit("leak", 3600.0, "airlock depressurization", "Gerst", up_to)
        assert clock.machine.answer(clock.now_ns, plan)[1].accepted
        assert clock.run(600.0, replace(LEAK, alarm_class=AlarmClass.WARNING)) == []
        assert not clock.machine.standing
        clock.run(1.0, GRAVE)
        assert {alarm.state for alarm in clock.machine.standing} == ({expected} if expected else set())


def test_an_inhibition_ends_by_itself() -> None:
    clock = Clock()
    clock.machine.answer(clock.now_ns, Inhibit("leak", 600.0, "airlock", "Gerst"))
    clock.run(300.0)
    clock.run(299.0, LEAK)
    (raised,) = clock.run(2.0, LEAK)
    assert (raised.alarm.state, raised.alarm.occurrence) == (AlarmState.UNACKNOWLEDGED, 1)
    assert 299.0 < raised.alarm.raised_ns / 1e9 < 302.0  # when it came, not when we were allowed to say so


@pytest.mark.parametrize("state", [AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED])
def test_a_leak_from_before_a_restart_waits_for_a_person(state: AlarmState) -> None:
    """Its sound may have been learned as background: that nothing is heard above it says nothing."""
    clock = Clock()
    clock.machine.restore(0, [Alarm("leak", state, AlarmClass.WARNING, "leak", (), 4, -1, told_ns=0)])
    assert clock.run(800.0) == []
    assert clock.alarm("leak").state is state
    if state is AlarmState.UNACKNOWLEDGED:
        assert not clock.machine.answer(clock.now_ns, Reset("leak", 4, "Gerst"))[1].accepted
        clock.machine.answer(clock.now_ns, Acknowledge("leak", 4, "Gerst"))
    assert clock.machine.answer(clock.now_ns, Reset("leak", 4, "Gerst"))[1].accepted
    assert clock.machine.standing == ()


def test_a_leak_that_is_seen_again_after_a_restart_returns_like_any_other() -> None:
    clock = Clock()
    before = Alarm("leak", AlarmState.ACKNOWLEDGED, AlarmClass.WARNING, "leak", (), 4, -1, acknowledged_by="Gerst")
    clock.machine.restore(0, [before])
    assert causes(clock.run(10.0, LEAK)) == ["leak new evidence"]
    assert clock.alarm("leak").state is AlarmState.ACKNOWLEDGED
    assert not clock.machine.answer(clock.now_ns, Reset("leak", 4, "Gerst"))[1].accepted
    assert causes(clock.run(1.0)) == ["leak returned"]


def test_faults_from_before_a_restart_return_when_they_could_have_been_seen() -> None:
    clock = Clock(Settings(settle_s=60.0))
    before = Alarm("nodes", AlarmState.UNACKNOWLEDGED, AlarmClass.CAUTION, "node lost: A", (), 2, -1)
    clock.machine.restore(0, [before])
    assert clock.run(59.0) == []
    assert causes(clock.run(2.0)) == ["nodes returned"]
    assert clock.alarm("nodes").occurrence == 2


def test_every_alarm_there_is_fits() -> None:
    clock = Clock()
    every = [Condition(key, AlarmClass.WARNING, key) for key in ALARM_KEYS]
    clock.run(1.0, *every)
    assert {alarm.key for alarm in clock.machine.standing} == set(ALARM_KEYS)
