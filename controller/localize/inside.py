"""Does the sound come from the hull at all, or from inside the room? What follows from the answer is locate's to say.

Every search over the hull finds some place: of a pump in the middle of the room, its echoes and what a single node
hears. So what is heard is solved once more without the hull. A leak then lands on the hull by itself, within errors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from controller.localize.attempt import Attempt, Limits, Surroundings, attempt
from controller.localize.hull_search import standing_at
from controller.localize.verdict import Candidate, Position
from controller.localize.views import View, tolerance_m
from controller.localize.volume_search import Volume, VolumeSearch
from controller.measure.correlation import Correlations
from firmware_bridge.site.hull import Hull

LEAST_DEPTH_M = 0.15  # nearer to the wall, a leak behind a bracket and a pump on it are alike
DEPTH_SIGMAS = 3.5  # by how many the place must be off the hull: one leak in 4,000 if sigmas are right
REACH_SIGMAS = 1.96  # 97.5 % to one side
WELL_HEARD = 0.7  # of the pairs: nothing else in the room can have more behind it
BETTER = 1.1  # of the hull's best standing: leaks reach 1.13 by chance of the survey, sounds 0.3 m inside more
FAR_BETTER = 1.5  # so much belies a fix even if the place inside cannot be solved: the survey is worse than it says
LITTLE_HEARD = 0.35  # of the pairs: a fix with no more behind it is not believed beside a much louder known machine
TRIED = 3  # places inside the room
AGAIN = 2.0  # times as many bursts as at the last search over the room: it costs as much as all else together


@dataclass(frozen=True, slots=True)
class Inside:
    """A source inside the room: place in the site frame, depth below the wall (m), standing, and speed of sound.

    `known` is a machine that sounded before and is louder now; or it is `machine`, which the site file lists.
    """

    position_m: Position
    depth_m: float
    standing: float
    sound_speed_m_s: float
    known: bool = False
    machine: str | None = None


@dataclass(slots=True)
class _Searched:
    """What the last search over the room found, and from how many bursts on the next is worth its while."""

    next_bursts: float = 0.0
    found: tuple[Candidate, ...] = ()


class InsideCheck:
    """Looks inside one hull; keeps what it found of a sound until another begins."""

    def __init__(self, hull: Hull, pairs: int) -> None:
        """The search is laid out when it is first needed."""
        self._hull = hull
        self._pairs = pairs
        self._box = Volume.filled(hull)
        self._search: VolumeSearch | None = None
        self._searched: dict[int, _Searched] = {}

    def forget(self) -> None:
        """Another sound begins."""
        self._searched.clear()

    def source(
        self,
        functions: Sequence[Correlations],
        best: Candidate,
        view: View,
        speed_sigma_m_s: float,
        limits: Limits,
        *,
        bursts: int,
        source: int,
        fixed: bool,
        new: Callable[[tuple[Candidate, ...]], tuple[Candidate, ...]],
    ) -> Inside | None:
        """Where inside the room the sound comes from; None if it may well come from the hull.

        Args:
            functions: one a group.
            best: what the hull has to offer: a fix, or what stands out most.
            view: of the survey and the speed of sound that `best` was found under.
            speed_sigma_m_s: how well that speed is known.
            limits: of what deserves trust.
            bursts: that were heard.
            source: counts sources that were explained before; what is kept of one says nothing of another.
            fixed: whether `best` is a fix.
            new: leaves of some places those that are no machine's.
        """
        around = Surroundings(self._box, view.survey, view.speed_m_s, speed_sigma_m_s)
        heard = sum(int(np.count_nonzero(f.value.any(axis=1))) for f in functions)
        nearby = attempt(functions, best, around, limits)
        # What was not measured pair by pair stays where it was sought, and says nothing of its depth.
        measured = nearby if isinstance(nearby, Attempt) and not nearby.steered else None
        support = 0 if measured is None else measured.support
        if measured is not None and support >= WELL_HEARD * heard:
            return self._inside(measured, view)
        raw = self._places(functions, view, bursts, source)
        places = new(raw)
        for place in [one for one in places if one.standing > BETTER * best.standing][:TRIED]:
            tried = attempt(functions, place, around, limits)
            if isinstance(tried, Attempt) and tried.support > support and not tried.steered:
                found = self._inside(tried, view)
                if found is not None:
                    return found
        if not fixed or not raw or raw[0].standing < FAR_BETTER * best.standing:
            return None
        known = raw[0] not in places
        if known and support > LITTLE_HEARD * heard:
            return None
        depth_m = -float(self._hull.signed_distance_m(np.array([raw[0].position_m]))[0])
        if depth_m < 2.0 * LEAST_DEPTH_M:
            return None
        return Inside(raw[0].position_m, depth_m, raw[0].standing, view.speed_m_s, known=known)

    def reach_m(
        self,
        functions: Sequence[Correlations],
        fix: Candidate,
        view: View,
        speed_sigma_m_s: float,
        limits: Limits,
    ) -> float | None:
        """How far inside the room what was fixed may be by its sound alone (97.5 %); None: that cannot be told."""
        around = Surroundings(self._box, view.survey, view.speed_m_s, speed_sigma_m_s)
        free = attempt(functions, fix, around, limits)
        if not isinstance(free, Attempt) or free.steered:
            return None
        depth_m, sigma_m = self._depth(free, view)
        return max(depth_m, 0.0) + REACH_SIGMAS * sigma_m

    def _places(self, functions: Sequence[Correlations], view: View, bursts: int, source: int) -> tuple[Candidate, ...]:
        """What stands out inside the room: searched for where much more was heard since, else where it was."""
        known = self._searched.setdefault(source, _Searched())
        if bursts >= known.next_bursts:
            if self._search is None:
                self._search = VolumeSearch.inside(self._hull, self._pairs)
            found = self._search.best(functions, view.speed_m_s, tolerance_m(view.survey)).candidates
            known.found, known.next_bursts = found[:TRIED], AGAIN * max(bursts, 1)
            return known.found
        if not known.found:
            return ()
        standing = standing_at(known.found, functions, view.speed_m_s, tolerance_m(view.survey))
        return tuple(Candidate(c.position_m, float(z)) for c, z in zip(known.found, standing, strict=True))

    def _inside(self, solved: Attempt, view: View) -> Inside | None:
        """The solution, if it is inside beyond doubt."""
        depth_m, sigma_m = self._depth(solved, view)
        if depth_m < max(LEAST_DEPTH_M, DEPTH_SIGMAS * sigma_m):
            return None
        x, y, z = (float(value) for value in solved.solution.state[:3])
        return Inside((x, y, z), depth_m, solved.candidate.standing, float(solved.solution.state[3]))

    def _depth(self, solved: Attempt, view: View) -> tuple[float, float]:
        """Depth below the wall and its sigma, m."""
        at = solved.solution.state[None, :3]
        normal = self._hull.outward(at)[0]
        sigma_m = np.hypot(np.sqrt(normal @ solved.solution.covariance[:3, :3] @ normal), view.survey.hull_sigma_m)
        return -float(self._hull.signed_distance_m(at)[0]), float(sigma_m)
