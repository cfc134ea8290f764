"""The state machine of every alarm: ONE table; nothing else changes an alarm."""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from controller.alarm.types import Alarm, AlarmChange, AlarmState, Condition

MAX_ALARMS = 256  # keys come from the site and our own code; more would be a fault of ours


class Trigger(StrEnum):
    """What moves an alarm."""

    RAISED = "raised"
    GRAVER = "graver"
    GREW = "grew"
    RETURNED = "returned"
    ACKNOWLEDGED = "acknowledged"


TRANSITIONS: dict[tuple[AlarmState, Trigger], AlarmState] = {
    (AlarmState.NORMAL, Trigger.RAISED): AlarmState.UNACKNOWLEDGED,
    (AlarmState.RETURNED_UNACKNOWLEDGED, Trigger.RAISED): AlarmState.UNACKNOWLEDGED,
    (AlarmState.UNACKNOWLEDGED, Trigger.GRAVER): AlarmState.UNACKNOWLEDGED,
    (AlarmState.ACKNOWLEDGED, Trigger.GRAVER): AlarmState.UNACKNOWLEDGED,
    (AlarmState.UNACKNOWLEDGED, Trigger.GREW): AlarmState.UNACKNOWLEDGED,
    (AlarmState.ACKNOWLEDGED, Trigger.GREW): AlarmState.UNACKNOWLEDGED,
    (AlarmState.UNACKNOWLEDGED, Trigger.RETURNED): AlarmState.RETURNED_UNACKNOWLEDGED,
    (AlarmState.ACKNOWLEDGED, Trigger.RETURNED): AlarmState.NORMAL,
    (AlarmState.UNACKNOWLEDGED, Trigger.ACKNOWLEDGED): AlarmState.ACKNOWLEDGED,
    (AlarmState.RETURNED_UNACKNOWLEDGED, Trigger.ACKNOWLEDGED): AlarmState.NORMAL,
}

ACTIVE = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED})


class AlarmMachine:
    """All alarms of one controller."""

    def __init__(self) -> None:
        """Start with every alarm normal."""
        self._alarms: dict[str, Alarm] = {}

    @property
    def standing(self) -> tuple[Alarm, ...]:
        """Alarms that are not normal, gravest and newest first."""
        standing = [alarm for alarm in self._alarms.values() if alarm.state is not AlarmState.NORMAL]
        return tuple(sorted(standing, key=lambda alarm: (-alarm.alarm_class, -alarm.raised_ns)))

    def step(self, now_ns: int, conditions: Iterable[Condition]) -> list[AlarmChange]:
        """Bring alarms in line with what is so now."""
        present = {condition.key: condition for condition in conditions}
        changes = [change for condition in present.values() for change in self._met(now_ns, condition)]
        for alarm in tuple(self._alarms.values()):
            if alarm.key not in present and alarm.state in ACTIVE:
                changes += self._move(alarm, Trigger.RETURNED)
        return changes

    def acknowledge(self, key: str, occurrence: int, by: str) -> tuple[list[AlarmChange], str]:
        """A person took notice of one occurrence; returns what changed and an answer for that person."""
        alarm = self._alarms.get(key)
        if alarm is None or alarm.state is AlarmState.NORMAL:
            return [], f"alarm {key!r} is not standing"
        if alarm.occurrence != occurrence:
            return [], f"occurrence {occurrence} of {key!r} is over; it now stands with occurrence {alarm.occurrence}"
        changes = self._move(replace(alarm, acknowledged_by=by), Trigger.ACKNOWLEDGED, cause=f"by {by}")
        return changes, "acknowledged" if changes else "was acknowledged already"

    def _met(self, now_ns: int, condition: Condition) -> list[AlarmChange]:
        known = self._alarms.get(condition.key)
        if known is None or known.state not in ACTIVE:
            if known is None and len(self._alarms) >= MAX_ALARMS:
                return []
            state = known.state if known else AlarmState.NORMAL
            occurrence = known.occurrence + 1 if known else 1
            alarm = _from(condition, state, occurrence, now_ns)
            return self._move(alarm, Trigger.RAISED)
        graver, grew = condition.alarm_class > known.alarm_class, bool(condition.members - known.members)
        if graver or grew:
            worse = replace(
                known,
                alarm_class=max(condition.alarm_class, known.alarm_class),
                text=condition.text,
                evidence=condition.evidence,
                members=condition.members | known.members,
                occurrence=known.occurrence + 1,  # an acknowledgement of the milder one does not silence this
                acknowledged_by=None,
            )
            return self._move(worse, Trigger.GRAVER if graver else Trigger.GREW)
        # A milder class does not lower a standing alarm: what was grave stays so until it returns.
        self._alarms[known.key] = renewed = replace(known, text=condition.text, evidence=condition.evidence)
        if known.text == condition.text:
            return []  # figures in the evidence move all the time; that is no news
        return [AlarmChange(renewed, known.state, "new evidence")]

    def _move(self, alarm: Alarm, trigger: Trigger, *, cause: str | None = None) -> list[AlarmChange]:
        after = TRANSITIONS.get((alarm.state, trigger))
        if after is None:
            return []
        moved = replace(alarm, state=after)
        self._alarms[alarm.key] = moved
        return [AlarmChange(moved, alarm.state, cause or trigger.value)]


def _from(condition: Condition, state: AlarmState, occurrence: int, now_ns: int) -> Alarm:
    return Alarm(
        key=condition.key,
        state=state,
        alarm_class=condition.alarm_class,
        text=condition.text,
        evidence=condition.evidence,
        occurrence=occurrence,
        raised_ns=now_ns,
        members=condition.members,
    )
