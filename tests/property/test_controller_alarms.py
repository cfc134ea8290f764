"""No sequence of events brings the alarm table into a state that it does not declare, or makes it forget."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.alarm.machine import ACTIVE, TRANSITIONS, AlarmMachine, Trigger
from controller.alarm.types import Alarm, AlarmChange, AlarmClass, AlarmState, Condition

KEYS = ("leak", "nodes", "broker")
DECLARED = {(before, after): trigger for (before, trigger), after in TRANSITIONS.items()}

conditions = st.builds(
    Condition,
    key=st.sampled_from(KEYS),
    alarm_class=st.sampled_from(AlarmClass),
    text=st.sampled_from(["one", "other"]),
    evidence=st.just(("because",)),
    members=st.frozensets(st.sampled_from("ABC"), max_size=2),
)


class Alarms(RuleBasedStateMachine):
    """Raises, lets go and acknowledges at random; keeps what every alarm was before."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = AlarmMachine()
        self.now_ns = 0
        self.occurrence = dict.fromkeys(KEYS, 0)
        self.present: dict[str, Condition] = {}
        self.seen: dict[str, Alarm] = {}

    def alarm(self, key: str) -> Alarm | None:
        return next((alarm for alarm in self.machine.standing if alarm.key == key), None)

    @rule(met=st.lists(conditions, max_size=4), seconds=st.integers(0, 5))
    def situation(self, met: list[Condition], seconds: int) -> None:
        self.now_ns += seconds
        before = {alarm.key: alarm for alarm in self.machine.standing}
        self.present = {condition.key: condition for condition in met}
        changes = self.machine.step(self.now_ns, met)
        self.note(changes)
        for key, condition in self.present.items():
            self.check_met(before.get(key), condition)
        for key, alarm in before.items():
            if key not in self.present and alarm.state in ACTIVE:
                gone = self.alarm(key)
                if alarm.state is AlarmState.ACKNOWLEDGED:
                    assert gone is None
                else:
                    assert gone is not None
                    assert gone.state is AlarmState.RETURNED_UNACKNOWLEDGED
                    assert gone.alarm_class is alarm.alarm_class

    def check_met(self, before: Alarm | None, condition: Condition) -> None:
        """What is so stands; it gets graver, never milder, and worse is not silenced by an old acknowledgement."""
        now = self.alarm(condition.key)
        assert now is not None
        assert now.state in ACTIVE
        assert (now.text, now.evidence) == (condition.text, condition.evidence)
        if before is None or before.state not in ACTIVE:
            assert now.state is AlarmState.UNACKNOWLEDGED
            assert now.alarm_class is condition.alarm_class
            assert now.raised_ns == self.now_ns
            return
        assert now.alarm_class is max(before.alarm_class, condition.alarm_class)
        assert now.raised_ns == before.raised_ns
        if condition.alarm_class > before.alarm_class or condition.members - before.members:
            assert now.state is AlarmState.UNACKNOWLEDGED
            assert now.acknowledged_by is None
            assert now.occurrence == before.occurrence + 1
        else:
            assert (now.state, now.occurrence) == (before.state, before.occurrence)
            assert now.acknowledged_by == before.acknowledged_by

    @rule(key=st.sampled_from(KEYS), by=st.sampled_from(["Gerst", "Artemyev"]))
    def acknowledge(self, key: str, by: str) -> None:
        before = self.alarm(key)
        changes, answer = self.machine.acknowledge(key, self.occurrence[key], by)
        self.note(changes)
        if before is None:
            assert changes == []
            assert "not standing" in answer
        elif before.state is AlarmState.ACKNOWLEDGED:
            assert changes == []
            assert "already" in answer
            assert self.alarm(key) == before
        else:
            (change,) = changes
            assert answer == "acknowledged"
            assert change.alarm.acknowledged_by == by
            assert change.cause == f"by {by}"

    @precondition(lambda self: any(count > 1 for count in self.occurrence.values()))
    @rule(key=st.sampled_from(KEYS), back=st.integers(1, 3))
    def acknowledge_what_is_over(self, key: str, back: int) -> None:
        before = self.machine.standing
        changes, answer = self.machine.acknowledge(key, self.occurrence[key] - back, "Gerst")
        assert changes == []
        assert answer != "acknowledged"
        assert self.machine.standing == before

    @rule()
    def acknowledge_the_unknown(self) -> None:
        assert self.machine.acknowledge("nothing", 1, "Gerst") == ([], "alarm 'nothing' is not standing")

    def note(self, changes: list[AlarmChange]) -> None:
        """Every change is one of the table, or news about an alarm that stays where it is."""
        for change in changes:
            alarm = change.alarm
            if change.cause == "new evidence":
                assert change.before is alarm.state
                assert alarm.state in ACTIVE
            else:
                assert (change.before, alarm.state) in DECLARED, change
                worse = change.cause in {Trigger.RAISED, Trigger.GRAVER, Trigger.GREW}
                assert alarm.occurrence == self.occurrence[alarm.key] + worse
            self.occurrence[alarm.key] = alarm.occurrence

    @invariant()
    def only_declared_states_stand_in_order(self) -> None:
        standing = self.machine.standing
        assert all(alarm.state in set(AlarmState) - {AlarmState.NORMAL} for alarm in standing)
        assert [a.alarm_class for a in standing] == sorted((a.alarm_class for a in standing), reverse=True)
        assert len({alarm.key for alarm in standing}) == len(standing)
        assert {a.key for a in standing if a.state in ACTIVE} == self.present.keys()

    @invariant()
    def an_occurrence_never_decreases(self) -> None:
        for alarm in self.machine.standing:
            if alarm.key in self.seen:
                assert alarm.occurrence >= self.seen[alarm.key].occurrence
            self.seen[alarm.key] = alarm
            assert alarm.occurrence == self.occurrence[alarm.key]


Alarms.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestAlarms = Alarms.TestCase
