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
    OFF_HULL = "off_hull"  # the sound comes from inside the room
    INTERNAL = "internal"  # a fault of ours; the explanation says which


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that stands out of the map; `standing` is by how many of the map's standard deviations.

    `probability` is that of the source being there (see `probability.weighed`), None before places are weighed.
    """

    position_m: Position
    standing: float
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Evidence left out, and why."""

    node: str
    why: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A leak found: position in the site frame with covariance (3x3, m²) and the radius that holds it at 95 %.

    `inside_m` is how far inside the room the source may be if nobody said that it is on the hull (97.5 %); None where
    the sound alone does not tell that.
    """

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
    inside_m: float | None = None

    @property
    def probability(self) -> float:
        """Of the place among its candidates and elsewhere; 0 where it is none of them, or nothing was weighed."""
        return next((c.probability or 0.0 for c in self.candidates if c.standing == self.standing), 0.0)

    @property
    def elsewhere(self) -> float:
        """Probability that the source is at none of the candidates."""
        return _elsewhere(self.candidates)


@dataclass(frozen=True, slots=True)
class NoFix:
    """No place can be named; `explanation` is a sentence that says what would help."""

    reason: Reason
    explanation: str
    candidates: tuple[Candidate, ...] = ()
    bursts: int = 0

    @property
    def elsewhere(self) -> float:
        """Probability that the source is at none of the candidates, or that there is none."""
        return _elsewhere(self.candidates)


Verdict = Fix | NoFix


def _elsewhere(candidates: tuple[Candidate, ...]) -> float:
    return max(0.0, 1.0 - sum(candidate.probability or 0.0 for candidate in candidates))
