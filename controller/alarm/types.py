"""What an alarm is: class, condition, record, change. Values only."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class AlarmClass(IntEnum):
    """Caution-and-warning classes as on a station, the higher the graver."""

    ADVISORY = 1
    CAUTION = 2
    WARNING = 3
    EMERGENCY = 4


class AlarmState(StrEnum):
    """Alarm states after ISA-18.2 / IEC 62682 (normative text at no cost: OPC UA Part 9, section 4.8)."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so now and that people should know; `key` names it over time."""

    key: str
    alarm_class: AlarmClass
    text: str
    evidence: tuple[str, ...] = ()
    members: frozenset[str] = frozenset()  # what a grouped condition holds; a new one is news to whoever took notice


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm as it stands; `occurrence` counts how often it was raised: an acknowledgement is of one of them."""

    key: str
    state: AlarmState
    alarm_class: AlarmClass
    text: str
    evidence: tuple[str, ...]
    occurrence: int
    raised_ns: int
    acknowledged_by: str | None = None
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """A step of one alarm: what it is now, what it was, and why it moved."""

    alarm: Alarm
    before: AlarmState
    cause: str
