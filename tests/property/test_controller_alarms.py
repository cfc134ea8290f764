"""No sequence of events brings an alarm into a state that the table does not declare, or makes it forget.

What people do is answered, and carried out exactly where the answer says so; the same events give the same states.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from controller.alarm.keys import ALARM_KEYS, FLOOD, LEAK
from controller.alarm.machine import RECOVERED, AlarmMachine, Settings
from controller.alarm.requests import (
    Acknowledge,
    Answer,
    EndInhibition,
    Inhibit,
    Request,
    Reset,
    ReturnToService,
    Shelve,
    TakeOutOfService,
    Unshelve,
)
from controller.alarm.table import ACTIVE, LATCHING, QUIETED, TRANSITIONS, Trigger
from controller.alarm.types import Alarm, AlarmChange, AlarmClass, AlarmState, Condition
from firmware_bridge.units import s_to_ns

KEYS = ("leak", "nodes", "broker")
ASKED_KEYS = (*KEYS, *KEYS, "nodes:A", "flood", "nonsense")
DECLARED = {(before, after) for (before, _), after in TRANSITIONS.items()}
NAMED = {trigger.value: {(b, a) for (b, t), a in TRANSITIONS.items() if t is trigger} for trigger in Trigger}

conditions = st.builds(
    Condition,
    key=st.sampled_from(KEYS),
    alarm_class=st.sampled_from(AlarmClass),
    text=st.sampled_from(["one", "other"]),
    evidence=st.just(("because",)),
    members=st.frozensets(st.sampled_from("ABC"), max_size=2),
    only_holds=st.sampled_from([False, False, False, True]),
)
names = st.sampled_from(["Gerst", "Gerst", "Artemyev", "Artemyev", ""])
keys = st.sampled_from(ASKED_KEYS)
durations = st.sampled_from([30.0, 600.0, 3600.0, 7200.0, 1e9, float("nan")])
reasons = st.sampled_from(["plan", "plan", "plan", ""])


class Alarms(RuleBasedStateMachine):
    """Raises, lets go and asks at random; a twin is given the same and must do the same."""

    @initialize(on_delay_s=st.sampled_from([0.0, 3.0]), off_delay_s=st.sampled_from([0.0, 5.0]))
    def begin(self, on_delay_s: float, off_delay_s: float) -> None:
        times = Settings(on_delay_s=on_delay_s, off_delay_s=off_delay_s, settle_s=60.0)
        self.settings = times
        self.machine, self.twin = AlarmMachine(times), AlarmMachine(times)
        self.now_ns = 0
        self.seen: dict[str, Alarm] = {}
        self.restarted = False

    def record(self) -> dict[str, Alarm]:
        return {alarm.key: alarm for alarm in self.machine.record}

    def both(self, act: Callable[[AlarmMachine], Any]) -> Any:
        told, again = act(self.machine), act(self.twin)
        assert told == again
        assert self.machine.record == self.twin.record
        return told

    @rule(met=st.lists(conditions, max_size=4), seconds=st.sampled_from([0, 1, 2, 10, 400, 5000]))
    def situation(self, met: list[Condition], seconds: int) -> None:
        self.now_ns += s_to_ns(seconds)
        before = self.record()
        self.note(before, self.both(lambda machine: machine.step(self.now_ns, met)))
        after = self.record()
        gravest = {c.key: max(m.alarm_class for m in met if m.key == c.key and not m.only_holds)
                   for c in met if not c.only_holds}  # fmt: skip
        for key, alarm_class in gravest.items():
            if alarm_class is AlarmClass.EMERGENCY:  # never delayed, shelved or lost; quiet only where announced
                now = after[key]
                announced = now.suppression is not None and now.suppression.up_to is AlarmClass.EMERGENCY
                assert now.state in ACTIVE or (now.state is AlarmState.SUPPRESSED and announced)
        for key, was in before.items():
            now = after[key]
            if was.state in ACTIVE | LATCHING and was.alarm_class is AlarmClass.EMERGENCY:
                assert now.state in ACTIVE | LATCHING  # it goes by people, not by time
                assert now.alarm_class is AlarmClass.EMERGENCY
            if was.state is AlarmState.UNACKNOWLEDGED:
                assert now.state not in {AlarmState.NORMAL, AlarmState.ACKNOWLEDGED, AlarmState.LATCHED}
            if now.state in ACTIVE and was.state in ACTIVE:
                assert now.alarm_class >= was.alarm_class

    @rule(which=st.integers(0, 9), back=st.sampled_from([0, 0, 0, 0, 1]), by=names, duration_s=durations)
    def take_notice(self, which: int, back: int, by: str, duration_s: float) -> None:
        """Acknowledge, reset or shelve, mostly what stands."""
        key = self.key(which)
        occurrence = self.occurrence(key) - back
        self.ask(Acknowledge(key, occurrence, by))
        self.ask(Reset(key, occurrence, by))
        answer = self.ask(Shelve(key, self.occurrence(key) - back, duration_s, by))
        if answer.accepted:
            assert self.record()[key].alarm_class < AlarmClass.EMERGENCY

    @rule(which=st.integers(0, 9), by=names, duration_s=durations)
    def shelve(self, which: int, by: str, duration_s: float) -> None:
        key = self.key(which)
        answer = self.ask(Shelve(key, self.occurrence(key), duration_s, by))
        if answer.accepted:
            assert self.record()[key].alarm_class < AlarmClass.EMERGENCY

    @rule(which=st.integers(0, 9), back=st.sampled_from([0, 0, 1]), by=names)
    def acknowledge(self, which: int, back: int, by: str) -> None:
        key = self.key(which)
        self.ask(Acknowledge(key, self.occurrence(key) - back, by))

    @rule(key=keys, by=names, reason=reasons, duration_s=durations, up_to=st.sampled_from(AlarmClass))
    def inhibit(self, key: str, by: str, reason: str, duration_s: float, up_to: AlarmClass) -> None:
        self.ask(Inhibit(key, duration_s, reason, by, up_to))

    @rule(key=keys, by=names, reason=reasons)
    def take_out_of_service(self, key: str, by: str, reason: str) -> None:
        answer = self.ask(TakeOutOfService(key, reason, by))
        assert not (answer.accepted and key in {LEAK, FLOOD})

    @rule(which=st.integers(0, 9), by=names)
    def end_quiet(self, which: int, by: str) -> None:
        key = self.key(which)
        for request in (Unshelve(key, by), EndInhibition(key, by), ReturnToService(key, by)):
            self.ask(request)

    @rule()
    def restart(self) -> None:
        before = self.record()

        def again(_: AlarmMachine) -> tuple[AlarmMachine, list[AlarmChange]]:
            machine = AlarmMachine(self.settings)
            return machine, machine.restore(self.now_ns, before.values())

        (self.machine, told), (self.twin, _) = again(self.machine), again(self.twin)
        assert {c.alarm.key for c in told} == {k for k, a in before.items() if a.state is not AlarmState.NORMAL}
        assert all(change.cause == RECOVERED and change.before is change.alarm.state for change in told)
        assert {k: replace(a, confirmed=True) for k, a in self.record().items()} == {
            k: replace(a, confirmed=True) for k, a in before.items()
        }
        self.both(lambda machine: machine.step(self.now_ns, []))
        after = self.record()
        for key, was in before.items():  # nothing was heard yet, which is not silence
            expired = was.suppression is not None
            assert expired or after[key].state is was.state or (was.state, after[key].state) == (
                AlarmState.ACKNOWLEDGED, AlarmState.UNACKNOWLEDGED
            )  # fmt: skip

    def key(self, which: int) -> str:
        """A key that is known, or, seldom, one that is not."""
        known = sorted(alarm.key for alarm in self.machine.record if alarm.state is not AlarmState.NORMAL)
        return known[which % len(known)] if known and which else ASKED_KEYS[which % len(ASKED_KEYS)]

    def occurrence(self, key: str) -> int:
        alarm = self.record().get(key)
        return alarm.occurrence if alarm else 1

    def ask(self, request: Request) -> Answer:
        before = self.record()
        changes, answer = self.both(lambda machine: machine.answer(self.now_ns, request))
        assert answer.text
        assert answer.accepted == bool(changes)
        self.note(before, changes)
        if answer.accepted:
            assert request.by
            (change,) = changes
            assert change.alarm.key == request.key
        else:
            assert self.record() == before
        return answer

    def note(self, before: dict[str, Alarm], changes: list[AlarmChange]) -> None:
        """Every change is one of the table, or news about an alarm that stays where it is."""
        for change in changes:
            alarm = change.alarm
            if change.cause == "new evidence":
                assert change.before is alarm.state
                assert alarm.state in ACTIVE
            else:
                assert (change.before, alarm.state) in NAMED.get(change.cause, DECLARED), change

    @invariant()
    def only_declared_states_stand_in_order(self) -> None:
        standing, quieted = self.machine.standing, self.machine.quieted
        assert all(alarm.state not in QUIETED and alarm.state is not AlarmState.NORMAL for alarm in standing)
        assert all(alarm.state in QUIETED and alarm.suppression is not None for alarm in quieted)
        assert [a.alarm_class for a in standing] == sorted((a.alarm_class for a in standing), reverse=True)
        known = [alarm.key for alarm in self.machine.record]
        assert len(set(known)) == len(known)
        assert set(known) <= {*ALARM_KEYS, "nodes:A"}

    @invariant()
    def what_is_not_quiet_has_no_suppression(self) -> None:
        assert all(alarm.suppression is None for alarm in self.machine.record if alarm.state not in QUIETED)
        silent = [alarm for alarm in self.machine.record if alarm.state is AlarmState.SHELVED]
        assert all(alarm.alarm_class < AlarmClass.EMERGENCY for alarm in silent)

    @invariant()
    def an_occurrence_never_decreases_and_an_acknowledgement_is_of_one(self) -> None:
        for key, alarm in self.record().items():
            was = self.seen.get(key)
            if was is not None:
                assert alarm.occurrence >= was.occurrence
                if alarm.occurrence == was.occurrence and was.state is AlarmState.ACKNOWLEDGED:
                    assert alarm.state is not AlarmState.UNACKNOWLEDGED
            if alarm.state in {AlarmState.UNACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED}:
                assert alarm.acknowledged_by is None
            self.seen[key] = alarm


class AlarmsForLong(Alarms):
    """The same, for a hundred thousand steps."""


Alarms.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestAlarms = Alarms.TestCase
AlarmsForLong.TestCase.settings = settings(max_examples=2000, stateful_step_count=50, deadline=None)
TestAlarmsForLong = pytest.mark.timeout(1800)(pytest.mark.slow(AlarmsForLong.TestCase))
