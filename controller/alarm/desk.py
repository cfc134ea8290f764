"""Whether a person's request may be carried out on an alarm as it stands, and what would change. It changes nothing."""

from dataclasses import dataclass, replace

from controller.alarm.keys import ALARM_KEYS, ALWAYS_IN_SERVICE
from controller.alarm.requests import (
    Acknowledge,
    EndInhibition,
    Inhibit,
    Request,
    Reset,
    ReturnToService,
    Shelve,
    TakeOutOfService,
    Unshelve,
)
from controller.alarm.table import ACTIVE, QUIETED, TRANSITIONS, Trigger
from controller.alarm.types import Alarm, AlarmClass, AlarmState, Suppression
from firmware_bridge.units import s_to_ns


@dataclass(frozen=True, slots=True)
class Move:
    """The alarm with what the request gives it, the trigger to pull, and the answer when that is done."""

    alarm: Alarm
    trigger: Trigger
    answer: str


def decide(alarm: Alarm | None, request: Request, now_ns: int) -> Move | str:
    """The move that carries `request` out, or why it is refused and what to do instead.

    `request` has been found sound by itself (`requests.problem`).
    """
    match request:
        case Acknowledge() | Reset() | Shelve():
            if alarm is None or alarm.state is AlarmState.NORMAL:
                return f"alarm {request.key!r} is not standing"
            if alarm.state in QUIETED:
                return f"alarm {request.key!r} is {_words(alarm.state)}; end that first"
            if alarm.occurrence != request.occurrence:
                return (
                    f"occurrence {request.occurrence} of {request.key!r} is over; "
                    f"it now stands with occurrence {alarm.occurrence}"
                )
            return _of_standing(alarm, request, now_ns)
        case Inhibit() | TakeOutOfService():
            return _quiet(alarm or _nothing(request.key, now_ns), request, now_ns)
        case Unshelve():
            return _end(alarm, AlarmState.SHELVED, request)
        case EndInhibition():
            return _end(alarm, AlarmState.SUPPRESSED, request)
        case ReturnToService():
            return _end(alarm, AlarmState.OUT_OF_SERVICE, request)


def _of_standing(alarm: Alarm, request: Acknowledge | Reset | Shelve, now_ns: int) -> Move | str:
    match request:
        case Acknowledge():
            if (alarm.state, Trigger.ACKNOWLEDGED) not in TRANSITIONS:
                return "was acknowledged already"
            return Move(replace(alarm, acknowledged_by=request.by), Trigger.ACKNOWLEDGED, "acknowledged")
        case Reset():
            if alarm.state is AlarmState.LATCHED_UNACKNOWLEDGED:
                return f"acknowledge {alarm.key!r} first"
            unseen = alarm.state is AlarmState.ACKNOWLEDGED and not alarm.confirmed
            if alarm.state is not AlarmState.LATCHED and not unseen:
                return f"alarm {alarm.key!r} is {_words(alarm.state)}, not latched"
            return Move(alarm, Trigger.RESET, "reset")
        case Shelve():
            if alarm.alarm_class >= AlarmClass.EMERGENCY:
                return "an emergency cannot be shelved; acknowledge it"
            if (alarm.state, Trigger.SHELVED) not in TRANSITIONS:
                return f"alarm {alarm.key!r} is {_words(alarm.state)} and cannot be shelved"
            until_ns = now_ns + s_to_ns(request.duration_s)
            shelf = Suppression(request.by, "shelved", alarm.alarm_class, until_ns)
            present = alarm.state in ACTIVE
            return Move(replace(alarm, suppression=shelf, present=present), Trigger.SHELVED, "shelved")


def _quiet(alarm: Alarm, request: Inhibit | TakeOutOfService, now_ns: int) -> Move | str:
    if isinstance(request, Inhibit):
        trigger, answer, up_to = Trigger.INHIBITED, "inhibited", request.up_to
        if request.key not in ALARM_KEYS:
            return "only a whole alarm can be inhibited; take its part out of service"
    else:
        trigger, answer, up_to = Trigger.TAKEN_OUT, "out of service", AlarmClass.WARNING
        if request.key in ALWAYS_IN_SERVICE:
            return f"alarm {request.key!r} is never out of service; inhibit it, with a reason and for a while"
    if alarm.state is not AlarmState.NORMAL and alarm.alarm_class > up_to:
        return f"alarm {alarm.key!r} stands as {alarm.alarm_class.name.lower()}, graver than what this would keep quiet"
    if alarm.state in ACTIVE and alarm.alarm_class >= AlarmClass.EMERGENCY:
        return "an emergency that stands is not inhibited: a plan is told before it begins; acknowledge it"
    if (alarm.state, trigger) not in TRANSITIONS:
        return f"alarm {alarm.key!r} is {_words(alarm.state)}; end that first"
    quiet = Suppression(request.by, request.reason, up_to, now_ns + s_to_ns(request.duration_s))
    present = alarm.state in ACTIVE or (alarm.state in QUIETED and alarm.present)
    return Move(replace(alarm, suppression=quiet, present=present), trigger, answer)


def _end(alarm: Alarm | None, state: AlarmState, request: Unshelve | EndInhibition | ReturnToService) -> Move | str:
    if alarm is None or alarm.state is not state:
        return f"alarm {request.key!r} is not {_words(state)}"
    if isinstance(request, Unshelve):
        trigger = Trigger.UNSHELVED if alarm.present else Trigger.UNSHELVED_OVER
        by = request.by if alarm.present else alarm.acknowledged_by
        return Move(replace(alarm, suppression=None, acknowledged_by=by), trigger, "back in sight")
    return Move(alarm, Trigger.RELEASED if alarm.present else Trigger.RELEASED_OVER, "back in service")


def _nothing(key: str, now_ns: int) -> Alarm:
    """An alarm that has never been raised."""
    text = "nothing is known of it"
    return Alarm(key, AlarmState.NORMAL, AlarmClass.ADVISORY, text, (), 0, now_ns, present=False, told_ns=now_ns)


def _words(state: AlarmState) -> str:
    return state.value.replace("_", " ")
