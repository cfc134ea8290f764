"""What stood out before the sound began: machines, and how a candidate is told from what one of them leaves behind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from controller.localize.hull_search import standing_at
from controller.localize.verdict import Candidate
from controller.measure.correlation import Correlations

REMAINS = 0.35  # of a machine's standing are what its removal leaves at most
LOUDER = 6.0  # times as high as in quiet, the same number of bursts: what faint machines reach that gain 8 dB
AUDIBLE = 6.5  # what stands out by less may be chance
GHOSTS = 0.7  # of a source's standing are what its side lobes and echoes reach elsewhere
MACHINE_M = 0.15  # one that is not on the hull stands out of it at a place that is as vague as this


@dataclass(frozen=True, slots=True, eq=False)
class Machines:
    """What the quiet captures hold: correlation functions `before`, one a group, and the `places` that stand out."""

    before: tuple[Correlations, ...] = ()
    places: tuple[Candidate, ...] = ()

    @classmethod
    def heard(
        cls,
        before: Sequence[Correlations],
        find: Callable[[Sequence[Correlations]], tuple[Candidate, ...]],
        min_standing: float,
    ) -> "Machines":
        """Look for them; where nothing stands out, there is nothing to subtract, which would only add noise."""
        found = find(before) if before else ()
        return cls(tuple(before), tuple(place for place in found if place.standing > min_standing))

    def unheard(
        self, candidates: tuple[Candidate, ...], bursts: float, sound_speed_m_s: float, tolerance_m: float
    ) -> tuple[Candidate, ...]:
        """The same of places inside the room, where `places` knows none: what stood out there before is known."""
        new = self.not_among(candidates, bursts, sound_speed_m_s, tolerance_m)
        if not self.before or not new:
            return new
        longer = np.sqrt(bursts / max(*(part.bursts for part in self.before), 1e-9))
        was = standing_at(new, self.before, sound_speed_m_s, tolerance_m)
        return tuple(
            place
            for place, quiet in zip(new, was, strict=True)
            if quiet < AUDIBLE or place.standing > LOUDER * longer * quiet
        )

    def not_among(
        self, candidates: tuple[Candidate, ...], bursts: float, sound_speed_m_s: float, tolerance_m: float
    ) -> tuple[Candidate, ...]:
        """Of candidates found in so many bursts those that are no remains of a machine, no louder one, no ghost."""
        if not self.before or not candidates:
            return candidates
        longer = np.sqrt(bursts / max(*(part.bursts for part in self.before), 1e-9))
        was = standing_at(candidates, self.before, sound_speed_m_s, tolerance_m)
        new = [
            candidate.standing > REMAINS * quiet
            and not any(
                _apart_m(candidate, place) < MACHINE_M and candidate.standing < LOUDER * longer * place.standing
                for place in self.places
            )
            for candidate, quiet in zip(candidates, was, strict=True)
        ]
        loudest = max((c.standing for c, is_new in zip(candidates, new, strict=True) if not is_new), default=0.0)
        return tuple(c for c, is_new in zip(candidates, new, strict=True) if is_new and c.standing > GHOSTS * loudest)


def _apart_m(one: Candidate, other: Candidate) -> float:
    return float(np.linalg.norm(np.subtract(one.position_m, other.position_m)))
