"""What a node can be told: one frozen dataclass each. How they look as bytes lives in codec."""

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True, slots=True)
class Hello:
    """Who are you? Offers the protocol versions that the host speaks; the layout never changes."""

    min_version: int
    max_version: int


@dataclass(frozen=True, slots=True)
class Ping:
    """What does your clock say?"""

    ping_id: int


@dataclass(frozen=True, slots=True)
class Start:
    """Send slow channels every `sample_period_ms`, and STATUS every second."""

    sample_period_ms: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Send nothing but answers."""


class TriggerRole(IntEnum):
    """How a capture begins."""

    AT_TIME = 0  # at `start_ns` of the node's own clock, or at once where that is 0
    DRIVE = 1  # the same, and pulse the shared trigger line at that instant
    WAIT_EDGE = 2  # at the next edge of the shared trigger line, given up at `start_ns`


@dataclass(frozen=True, slots=True)
class Capture:
    """Record one burst of `samples` on all burst channels and send it as pieces named `burst_id`."""

    burst_id: int
    samples: int
    role: TriggerRole
    start_ns: int


class SirenPattern(IntEnum):
    """What a siren plays; SILENT ends it."""

    SILENT = 0
    ADVISORY = 1
    CAUTION = 2
    WARNING = 3
    EMERGENCY = 4


@dataclass(frozen=True, slots=True)
class Siren:
    """Play `pattern` until told otherwise."""

    pattern: SirenPattern


@dataclass(frozen=True, slots=True)
class Identify:
    """Blink for `seconds`, so that a person finds the box."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Switch:
    """Switch what hangs on relay `output` on or off, until told otherwise."""

    output: int
    on: bool


MIN_LEVELS_PERIOD_MS = 100  # ten reports a second cost a line less than one burst does; faster is what bursts are for
MAX_LEVELS_PERIOD_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Levels:
    """Compute band levels of all burst channels every `period_ms` and send them; 0 ends it."""

    period_ms: int


Command = Hello | Ping | Start | Stop | Capture | Siren | Identify | Switch | Levels
