"""What a controller was heard to say: its public JSON lines, as far as scores and reports read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

Vector = tuple[float, float, float]


class Span(msgspec.Struct, frozen=True):
    """A value with its 95 % interval; None for absence, in `low` and `high` for infinity."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


class Detection(msgspec.Struct, frozen=True, tag_field="kind", tag="detection"):
    """Ultrasound stands above the floor."""


class Fix(msgspec.Struct, frozen=True, tag_field="kind", tag="fix"):
    """Where the leak is said to be; site frame, m."""

    position_m: Vector
    covariance_m2: tuple[Vector, Vector, Vector]
    radius95_m: float
    where: str | None = None
    compartment: str | None = None


class NoFix(msgspec.Struct, frozen=True, tag_field="kind", tag="no_fix"):
    """Why the place cannot be told."""

    reason: str
    explanation: str = ""


class LeakRate(msgspec.Struct, frozen=True, tag_field="kind", tag="leak_rate"):
    """What the falling pressure is said to mean; losses positive."""

    mass_rate_kg_s: Span = Span()
    hole_diameter_m: Span = Span()
    reserve_s: Span = Span()


class Alarm(msgspec.Struct, frozen=True, tag_field="kind", tag="alarm"):
    """An alarm moved."""

    key: str
    alarm_class: Literal["advisory", "caution", "warning", "emergency"]
    state: str


class Command(msgspec.Struct, frozen=True, tag_field="kind", tag="command"):
    """What became of a command to a node."""

    node: str
    command: str
    done: bool


@dataclass(frozen=True, slots=True)
class Other:
    """Something that no score looks at; `wrong` says why a line of a known kind could not be read."""

    kind: str
    wrong: str = ""


Event = Detection | Fix | NoFix | LeakRate | Alarm | Command
_KINDS = {"detection", "fix", "no_fix", "leak_rate", "alarm", "command"}


@dataclass(frozen=True, slots=True)
class Heard:
    """One event, the scenario time at which it came, and its line as it was, for people."""

    at_s: float
    event: Event | Other
    said: Mapping[str, Any] = field(default_factory=dict)


def heard(at_s: float, said: Mapping[str, Any]) -> Heard:
    """Understand one line of a controller, parsed. What is of no known kind or shape is an `Other`, never an error."""
    kind = str(said.get("kind", "?"))
    event: Event | Other = Other(kind)
    if kind in _KINDS:
        try:
            event = msgspec.convert(said, Event)
        except msgspec.ValidationError as error:
            event = Other(kind, str(error))
    return Heard(at_s, event, said)
