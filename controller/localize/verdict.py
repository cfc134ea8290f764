"""The answer: where the leak is and how sure that is, or why it cannot be told. Never a number that is not one."""

from dataclasses import dataclass
from enum import StrEnum

Position = tuple[float, float, float]


class Reason(StrEnum):
    """Why there is no fix."""

    TOO_QUIET = "too_quiet"
    AMBIGUOUS = "ambiguous"
    TOO_FEW_SENSORS = "too_few_sensors"
    INCONSISTENT = "inconsistent"
    EQUIPMENT = "equipment"  # what stands out is a machine
    INTERNAL = "internal"  # a fault of ours; the explanation says which


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that stands out of the map; `standing` is by how many of the map's standard deviations."""

    position_m: Position
    standing: float


@dataclass(frozen=True, slots=True)
class Rejected:
    """Evidence left out, and why."""

    node: str
    why: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A leak found: position in the site frame with covariance (3x3, m²) and the radius that holds it at 95 %."""

    position_m: Position
    covariance_m2: tuple[tuple[float, ...], ...]
    radius95_m: float
    compartment: str
    where: str | None
    standing: float
    misfit: float  # chi-square over degrees of freedom
    sound_speed_m_s: float
    nodes_used: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    candidates: tuple[Candidate, ...]
    bursts: int


@dataclass(frozen=True, slots=True)
class NoFix:
    """No place can be named; `explanation` is a sentence that says what would help."""

    reason: Reason
    explanation: str
    candidates: tuple[Candidate, ...] = ()
    bursts: int = 0


Verdict = Fix | NoFix
