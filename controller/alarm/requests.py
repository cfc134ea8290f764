"""What a person may ask of the alarms, each a type of its own, and how we answer. Carrying it out is the machine's."""

from dataclasses import dataclass

from controller.alarm.keys import ALARM_KEYS, is_key
from controller.alarm.types import AlarmClass

MAX_NAME = 64  # characters: of people, and of keys
MAX_REASON = 200
MAX_MARK = 64  # characters of a request's own id and time, which are only handed back
MIN_QUIET_S = 1.0
MAX_SHELF_S = 8 * 3600.0  # a shift: whoever comes next decides anew
MAX_INHIBITION_S = 24 * 3600.0
MAX_OUT_OF_SERVICE_S = 30 * 86_400.0  # what was forgotten comes back by itself
DEFAULT_OUT_OF_SERVICE_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class _OfAlarm:
    """Needs to name the alarm only.

    As in every request: `by` is who asks; `asked_utc` and `request_id` are the client's, written down and handed back.
    """

    key: str
    by: str
    asked_utc: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class _OfOccurrence:
    """Of an alarm that was seen standing: what came back since is another occurrence."""

    key: str
    occurrence: int
    by: str
    asked_utc: str = ""
    request_id: str = ""


class Acknowledge(_OfOccurrence):
    """A person takes notice of one occurrence of an alarm."""

    __slots__ = ()


class Reset(_OfOccurrence):
    """A person has seen to a latched alarm: let it go."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Shelve:
    """A person wants one occurrence out of sight for `duration_s`; it comes back by itself, or when it gets graver."""

    key: str
    occurrence: int
    duration_s: float
    by: str
    asked_utc: str = ""
    request_id: str = ""


class Unshelve(_OfAlarm):
    """A person wants it back in sight."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Inhibit:
    """A plan explains what will be seen, such as a planned depressurization: quiet until it ends.

    What is graver than `up_to` is raised all the same: a fast planned depressurization must be announced as one that
    looks like an emergency.
    """

    key: str
    duration_s: float
    reason: str
    by: str
    up_to: AlarmClass = AlarmClass.WARNING
    asked_utc: str = ""
    request_id: str = ""


class EndInhibition(_OfAlarm):
    """The plan has been carried out, or dropped."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class TakeOutOfService:
    """An alarm, or one part of a grouped one ("nodes:B"), is under repair."""

    key: str
    reason: str
    by: str
    duration_s: float = DEFAULT_OUT_OF_SERVICE_S
    asked_utc: str = ""
    request_id: str = ""


class ReturnToService(_OfAlarm):
    """The repair is done."""

    __slots__ = ()


Request = Acknowledge | Reset | Shelve | Unshelve | Inhibit | EndInhibition | TakeOutOfService | ReturnToService


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request; `text` says why, for whoever asked."""

    request: Request
    accepted: bool
    text: str


def problem(request: Request) -> str | None:
    """What is wrong with a request whatever the alarms are, and what to do; None where nothing is."""
    if not is_key(request.key) or len(request.key) > MAX_NAME:
        return f"there is no alarm {request.key[:MAX_NAME]!r}; known are {', '.join(ALARM_KEYS)}"
    if not _is_line(request.by, MAX_NAME):
        return f"say who asks, in 1 to {MAX_NAME} printable characters"
    if len(request.asked_utc) > MAX_MARK or len(request.request_id) > MAX_MARK:
        return f"asked_utc and request_id may have {MAX_MARK} characters"
    match request:
        case Shelve():
            return _duration_problem(request.duration_s, MAX_SHELF_S)
        case Inhibit():
            return _duration_problem(request.duration_s, MAX_INHIBITION_S) or _reason_problem(request.reason)
        case TakeOutOfService():
            return _duration_problem(request.duration_s, MAX_OUT_OF_SERVICE_S) or _reason_problem(request.reason)
        case _:
            return None


def _duration_problem(duration_s: float, longest_s: float) -> str | None:
    if MIN_QUIET_S <= duration_s <= longest_s:  # not so for NaN either
        return None
    return f"{duration_s:g} s cannot be; from {MIN_QUIET_S:g} s to {longest_s:g} s ({longest_s / 3600:g} h)"


def _reason_problem(reason: str) -> str | None:
    return None if _is_line(reason, MAX_REASON) else f"give a reason, in 1 to {MAX_REASON} printable characters"


def _is_line(text: str, longest: int) -> bool:
    return bool(text.strip()) and len(text) <= longest and text.isprintable()
