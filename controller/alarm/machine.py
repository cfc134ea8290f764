"""Every alarm of one controller, and the only code that changes one: along the table next door, and no other way."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from controller.alarm.debounce import Debounce
from controller.alarm.debounce import Settings as DebounceSettings
from controller.alarm.desk import decide
from controller.alarm.flood import FLOOD_ENDS, HELD_BACK, Flood
from controller.alarm.keys import ALARM_KEYS, FLOOD, LEAK, part_of
from controller.alarm.requests import Acknowledge, Answer, Request, problem
from controller.alarm.table import ACTIVE, LATCHING, QUIETED, TRANSITIONS, Trigger
from controller.alarm.types import Alarm, AlarmChange, AlarmClass, AlarmState, Condition, Suppression
from firmware_bridge.units import s_to_ns

MAX_ALARMS = 256  # keys come from the site and our own code; more would be a fault of ours
MAX_PARTS = 128  # out of service at once; so requests never take the room of what is to be raised
FLOOD_CONTROL = "flood control"
RECOVERED = "recovered"
_ANNOUNCED = frozenset({Trigger.RAISED, Trigger.GRAVER, Trigger.GREW, Trigger.BROKE_OUT, Trigger.RELEASED})


@dataclass(frozen=True, slots=True)
class Settings(DebounceSettings):
    """How people are called: when again, and how long after a restart silence says nothing."""

    reannounce_emergency_s: float = 300.0
    reannounce_warning_s: float = 900.0
    reannounce_caution_s: float = 14_400.0  # advisories never
    settle_s: float = 60.0  # after a restart, until what is not so counts as over


class AlarmMachine:
    """All alarms of one controller."""

    def __init__(self, settings: Settings | None = None, parts: frozenset[str] | None = None) -> None:
        """Start with every alarm normal; `parts` are the names that may be out of service, None for any."""
        self._settings = settings or Settings()
        self._parts = parts
        self._debounce = Debounce(self._settings)
        self._flood = Flood()
        self._alarms: dict[str, Alarm] = {}
        self._restored_ns: int | None = None
        self._reannounce_ns = {
            AlarmClass.EMERGENCY: s_to_ns(self._settings.reannounce_emergency_s),
            AlarmClass.WARNING: s_to_ns(self._settings.reannounce_warning_s),
            AlarmClass.CAUTION: s_to_ns(self._settings.reannounce_caution_s),
        }

    @property
    def standing(self) -> tuple[Alarm, ...]:
        """Alarms that people should see: neither normal nor kept quiet; gravest and newest first."""
        return _sorted(a for a in self._alarms.values() if a.state is not AlarmState.NORMAL and a.state not in QUIETED)

    @property
    def quieted(self) -> tuple[Alarm, ...]:
        """Alarms that are shelved, suppressed or out of service; gravest and newest first."""
        return _sorted(alarm for alarm in self._alarms.values() if alarm.state in QUIETED)

    @property
    def record(self) -> tuple[Alarm, ...]:
        """All that must survive a restart: also normal ones, whose occurrences go on counting."""
        return tuple(self._alarms.values())

    def restore(self, now_ns: int, alarms: Iterable[Alarm]) -> list[AlarmChange]:
        """Let alarms stand as they stood before a restart; tells those that are not normal.

        What they are about has not been seen since. Until it is, or could have been, they do not return by themselves:
        not hearing is not silence. A leak's alarm waits for a person, as its sound may have been learned as background.
        """
        self._restored_ns = now_ns
        restored = [replace(alarm, confirmed=False) for alarm in alarms][:MAX_ALARMS]
        self._alarms = {alarm.key: alarm for alarm in restored}
        return [AlarmChange(a, a.state, RECOVERED) for a in restored if a.state is not AlarmState.NORMAL]

    def out_of_service(self, group: str, name: str) -> bool:
        """Whether a part of a grouped alarm is out of service; it is then left out of the group's condition."""
        alarm = self._alarms.get(part_of(group, name))
        return alarm is not None and alarm.state is AlarmState.OUT_OF_SERVICE

    def step(self, now_ns: int, conditions: Iterable[Condition]) -> list[AlarmChange]:
        """Bring alarms in line with what is so now."""
        met = self._debounce.step(now_ns, [*conditions, *self._flood.conditions()])
        changes = [change for condition in met for change in self._met(now_ns, condition)]
        present = {condition.key for condition in met}
        for alarm in tuple(self._alarms.values()):
            if alarm.key not in present and not self._unsure(now_ns, alarm):
                changes += self._over(alarm)
        for alarm in tuple(self._alarms.values()):
            changes += self._due(now_ns, alarm)
        self._count(now_ns, changes)
        return changes

    def answer(self, now_ns: int, request: Request) -> tuple[list[AlarmChange], Answer]:
        """Carry out what a person asks, or say why not."""
        wrong = problem(request) or self._unknown_part(request.key)
        if wrong is not None:
            return [], Answer(request, False, wrong)
        known = self._alarms.get(request.key)
        if known is None and len(self._alarms) >= MAX_PARTS:
            return [], Answer(request, False, "too much is out of service already; return something first")
        move = decide(known, request, now_ns)
        if isinstance(move, str):
            return [], Answer(request, False, move)
        cause = f"by {request.by}" if isinstance(request, Acknowledge) else f"{move.trigger.value} by {request.by}"
        if move.trigger in {Trigger.RELEASED, Trigger.RELEASED_OVER}:
            changes = self._release(now_ns, move.alarm, cause)
        else:
            changes = self._move(move.alarm, move.trigger, cause=cause)
        self._count(now_ns, [])
        return changes, Answer(request, True, move.answer)

    def acknowledge(self, key: str, occurrence: int, by: str) -> tuple[list[AlarmChange], str]:
        """A person took notice of one occurrence; returns what changed and an answer for that person."""
        move = decide(self._alarms.get(key), Acknowledge(key, occurrence, by), 0)
        if isinstance(move, str):
            return [], move
        return self._move(move.alarm, move.trigger, cause=f"by {by}"), move.answer

    def _met(self, now_ns: int, condition: Condition) -> list[AlarmChange]:
        known = self._alarms.get(condition.key)
        if known is None and len(self._alarms) >= MAX_ALARMS:
            return []
        if known is None or (known.state not in ACTIVE and known.state not in QUIETED):
            return self._raise(now_ns, condition, known)
        if known.state in QUIETED:
            return self._met_quietly(now_ns, condition, known)
        graver, grew = condition.alarm_class > known.alarm_class, bool(condition.members - known.members)
        if graver or grew:
            worse = self._worse(now_ns, condition, known)
            return self._move(worse, Trigger.GRAVER if graver else Trigger.GREW)
        # A milder class does not lower a standing alarm: what was grave stays so until it returns.
        renewed = replace(known, text=condition.text, evidence=condition.evidence, confirmed=True)
        self._alarms[known.key] = renewed
        if known.text == condition.text:
            return []  # figures in the evidence move all the time; that is no news
        return [AlarmChange(renewed, known.state, "new evidence")]

    def _raise(self, now_ns: int, condition: Condition, known: Alarm | None) -> list[AlarmChange]:
        latched = known is not None and known.state in LATCHING
        alarm = Alarm(
            key=condition.key,
            state=known.state if known else AlarmState.NORMAL,
            alarm_class=max(condition.alarm_class, known.alarm_class) if known and latched else condition.alarm_class,
            text=condition.text,
            evidence=condition.evidence,
            occurrence=known.occurrence + 1 if known else 1,
            raised_ns=now_ns,
            members=condition.members,
            told_ns=now_ns,
        )
        if self._flood.on and alarm.state is AlarmState.NORMAL and condition.alarm_class <= HELD_BACK:
            reason = f"until fewer than {FLOOD_ENDS} alarms come in ten minutes"
            held = replace(alarm, suppression=Suppression(FLOOD_CONTROL, reason, HELD_BACK))
            return self._move(held, Trigger.HELD_BACK)
        return self._move(alarm, Trigger.RAISED)

    def _met_quietly(self, now_ns: int, condition: Condition, known: Alarm) -> list[AlarmChange]:
        up_to = known.suppression.up_to if known.suppression else AlarmClass.ADVISORY
        grew = known.state is AlarmState.SHELVED and known.present and bool(condition.members - known.members)
        if condition.alarm_class > up_to or grew:
            worse = self._worse(now_ns, condition, replace(known, present=True, suppression=None))
            return self._move(worse, Trigger.BROKE_OUT)
        self._alarms[known.key] = replace(
            known,
            alarm_class=max(condition.alarm_class, known.alarm_class) if known.present else condition.alarm_class,
            text=condition.text,
            evidence=condition.evidence,
            members=condition.members,
            raised_ns=known.raised_ns if known.present else now_ns,
            present=True,
            confirmed=True,
        )
        return []

    @staticmethod
    def _worse(now_ns: int, condition: Condition, known: Alarm) -> Alarm:
        return replace(
            known,
            alarm_class=max(condition.alarm_class, known.alarm_class),
            text=condition.text,
            evidence=condition.evidence,
            members=condition.members | known.members,
            occurrence=known.occurrence + 1,  # an acknowledgement of the milder one does not silence this
            acknowledged_by=None,
            told_ns=now_ns,
            confirmed=True,
        )

    def _over(self, alarm: Alarm) -> list[AlarmChange]:
        if alarm.state in QUIETED and alarm.present:
            self._alarms[alarm.key] = replace(alarm, present=False)
        if alarm.state not in ACTIVE:
            return []
        trigger = Trigger.LATCHED if alarm.alarm_class.latches else Trigger.RETURNED
        return self._move(replace(alarm, present=False), trigger)

    def _due(self, now_ns: int, alarm: Alarm) -> list[AlarmChange]:
        """What time itself brings: the end of a suppression, or a call to whoever forgot."""
        quiet = alarm.suppression
        if alarm.state in QUIETED and quiet is not None:
            flood_over = quiet.by == FLOOD_CONTROL and not self._flood.on
            if flood_over or (quiet.until_ns is not None and now_ns >= quiet.until_ns):
                why = "the flood is over" if flood_over else f"the time that {quiet.by} gave is over"
                return self._release(now_ns, alarm, why)
            return []
        period_ns = self._reannounce_ns.get(alarm.alarm_class, 0)
        if alarm.state not in ACTIVE or not period_ns or now_ns - alarm.told_ns < period_ns:
            return []
        again = replace(alarm, told_ns=now_ns)
        if alarm.state is AlarmState.ACKNOWLEDGED:
            again = replace(again, acknowledged_by=None, occurrence=alarm.occurrence + 1)
        return self._move(again, Trigger.REANNOUNCED)

    def _release(self, now_ns: int, alarm: Alarm, cause: str) -> list[AlarmChange]:
        free = replace(alarm, suppression=None)
        if not alarm.present:
            changes = self._move(free, Trigger.RELEASED_OVER, cause=cause)
            if alarm.key not in ALARM_KEYS and alarm.occurrence == 0:
                self._alarms.pop(alarm.key, None)  # a part that was repaired is no alarm to remember
            return changes
        raised = replace(free, occurrence=alarm.occurrence + 1, acknowledged_by=None, told_ns=now_ns)
        return self._move(raised, Trigger.RELEASED, cause=cause)

    def _unsure(self, now_ns: int, alarm: Alarm) -> bool:
        """Whether it stood before a restart, and its absence says nothing yet."""
        if alarm.confirmed or self._restored_ns is None:
            return False
        return alarm.key == LEAK or now_ns - self._restored_ns < s_to_ns(self._settings.settle_s)

    def _unknown_part(self, key: str) -> str | None:
        if key in ALARM_KEYS or self._parts is None or key.partition(":")[2] in self._parts:
            return None
        return f"the site has no {key.partition(':')[2]!r}"

    def _count(self, now_ns: int, changes: Iterable[AlarmChange]) -> None:
        announced = [c for c in changes if c.alarm.state is AlarmState.UNACKNOWLEDGED and c.cause in _ANNOUNCED]
        self._flood.count(now_ns, sum(1 for change in announced if change.alarm.key != FLOOD))

    def _move(self, alarm: Alarm, trigger: Trigger, *, cause: str | None = None) -> list[AlarmChange]:
        after = TRANSITIONS.get((alarm.state, trigger))
        if after is None:
            return []
        moved = replace(alarm, state=after)
        self._alarms[alarm.key] = moved
        return [AlarmChange(moved, alarm.state, cause or trigger.value)]


def _sorted(alarms: Iterable[Alarm]) -> tuple[Alarm, ...]:
    return tuple(sorted(alarms, key=lambda alarm: (-alarm.alarm_class, -alarm.raised_ns)))
