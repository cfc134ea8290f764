"""What an alarm is: class, condition, record, change. Values only."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class AlarmClass(IntEnum):
    """Caution-and-warning classes as on a station, the higher the graver."""

    ADVISORY = 1
    CAUTION = 2
    WARNING = 3
    EMERGENCY = 4

    @property
    def priority(self) -> int:
        """1 (emergency) to 4 (advisory), as stations number them."""
        return len(AlarmClass) + 1 - self

    @property
    def latches(self) -> bool:
        """Whether it stands on, after its condition is over, until a person has reset it."""
        return self is AlarmClass.EMERGENCY


class AlarmState(StrEnum):
    """Alarm states after ISA-18.2 / IEC 62682 (normative text at no cost: OPC UA Part 9, section 4.8)."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    LATCHED_UNACKNOWLEDGED = "latched_unacknowledged"
    LATCHED = "latched"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"  # by design: an inhibition, or flood control
    OUT_OF_SERVICE = "out_of_service"


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so now and that people should know; `key` names it over time.

    `only_holds` lies in the deadband: an alarm that stands goes on standing by it, none is raised.
    """

    key: str
    alarm_class: AlarmClass
    text: str
    evidence: tuple[str, ...] = ()
    members: frozenset[str] = frozenset()  # what a grouped condition holds; a new one is news to whoever took notice
    only_holds: bool = False


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why an alarm is kept quiet, by whom, until when, and what it does not keep quiet: all above `up_to`."""

    by: str
    reason: str
    up_to: AlarmClass
    until_ns: int | None = None  # None only for flood control, which ends by itself


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
    present: bool = True  # whether its condition is so; matters while it is latched or suppressed
    told_ns: int = 0  # when people were last called; re-annunciation counts from here
    suppression: Suppression | None = None
    confirmed: bool = True  # False: it stood before a restart, and its condition has not been seen since


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """A step of one alarm: what it is now, what it was, and why it moved."""

    alarm: Alarm
    before: AlarmState
    cause: str
