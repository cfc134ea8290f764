"""From spectra to a verdict: search the hull, try the places that stand out, and judge whether to trust the answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from controller.localize.attempt import Attempt, Limits, Refusal, Surroundings, attempt
from controller.localize.forward import SurveyErrors, sound_speed
from controller.localize.hull_search import HullSearch
from controller.localize.verdict import Candidate, Fix, NoFix, Reason, Verdict
from controller.measure.correlation import correlate
from controller.measure.cross_spectra import SpectraSnapshot
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.landmarks import describe_position
from firmware_bridge.site.survey import Site

SURVEY_SIGMAS = 1.5  # how much of the survey's doubt the search allows for
MAX_ATTEMPTS = 4
APART_M = 0.05  # solutions nearer than this, or within their regions, are one place
SHOWN_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """When an answer deserves trust."""

    min_standing: float = 8.0  # a million 5 mm cells reach 5 by chance
    rival_share: float = 0.7  # places that stand this high beside the best are tried too
    rival_support: float = 0.6  # of the best solution's pairs: as many behind another place make it ambiguous
    max_misfit: float = 3.0
    max_radius_m: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class LocateJob:
    """All that one verdict needs, immutable, so that it may be computed anywhere."""

    spectra: tuple[SpectraSnapshot, ...]
    baseline: tuple[SpectraSnapshot | None, ...]
    temperature_k: float
    generation: int = 0  # of the sound that is to be located; the verdict belongs to no other


class Locator:
    """Finds leaks on the hull of one compartment."""

    def __init__(self, site: Site, compartment: str, settings: Settings) -> None:
        """Prepare the search; KeyError or ValueError where the compartment cannot localize."""
        hull = site.compartment(compartment).hull
        if hull is None:
            raise ValueError(f"compartment {compartment!r} has no hull")
        self._site = site
        self._compartment = compartment
        self._hull: Hull = hull
        self._settings = settings
        self._search = HullSearch(hull)
        self._survey = SurveyErrors(site.survey.microphone_sigma_m, site.survey.hull_sigma_m)
        self._tolerance_m = SURVEY_SIGMAS * float(np.sqrt(2.0)) * site.survey.microphone_sigma_m

    def locate(self, job: LocateJob) -> Verdict:
        """The verdict on one set of spectra."""
        speed, speed_sigma = sound_speed(job.temperature_k, self._site.survey.temperature_sigma_k)
        functions = [correlate(now, before, speed) for now, before in zip(job.spectra, job.baseline, strict=True)]
        bursts = round(max((float(now.bursts.max(initial=0)) for now in job.spectra), default=0.0))
        if not functions:
            return NoFix(Reason.TOO_FEW_SENSORS, "no microphone has been heard; look at the nodes")
        candidates = self._search.best(functions, speed, self._tolerance_m).candidates
        shown = candidates[:SHOWN_CANDIDATES]
        best = candidates[0].standing
        if best < self._settings.min_standing:
            return NoFix(
                Reason.TOO_QUIET,
                f"no place on the hull stands out ({best:.1f} of {self._settings.min_standing:g} sigma); "
                "listen longer or switch machines off",
                shown,
                bursts,
            )
        tried = [c for c in candidates[:MAX_ATTEMPTS] if c.standing >= self._settings.rival_share * best]
        around = Surroundings(self._hull, self._survey, speed, speed_sigma)
        limits = Limits(self._settings.max_misfit, self._settings.max_radius_m)
        return self._choose([attempt(functions, c, around, limits) for c in tried], shown, bursts)

    def _choose(self, attempts: Sequence[Attempt | Refusal], shown: tuple[Candidate, ...], bursts: int) -> Verdict:
        """The attempt that most pairs support, unless another place has nearly as many behind it."""
        solved = sorted((a for a in attempts if isinstance(a, Attempt)), key=lambda a: (-a.support, a.solution.misfit))
        if not solved:
            refusal = next(a for a in attempts if isinstance(a, Refusal))
            return NoFix(refusal.reason, refusal.explanation, shown, bursts)
        best = solved[0]
        enough = self._settings.rival_support * best.support
        rivals = [rival for rival in solved[1:] if _apart(best, rival) and rival.support >= enough]
        if rivals:
            return NoFix(
                Reason.AMBIGUOUS,
                f"{1 + len(rivals)} places explain the sound almost alike ({best.support} and {rivals[0].support} "
                "pairs of microphones); another node or a longer listen would tell",
                shown,
                bursts,
            )
        return self._fix(best, shown, bursts)

    def _fix(self, best: Attempt, shown: tuple[Candidate, ...], bursts: int) -> Fix:
        on_hull = self._hull.project(best.solution.state[None, :3])[0]
        x, y, z = (float(value) for value in on_hull)
        return Fix(
            position_m=(x, y, z),
            covariance_m2=tuple(tuple(float(v) for v in row[:3]) for row in best.solution.covariance[:3]),
            radius95_m=best.radius95_m,
            compartment=self._compartment,
            where=describe_position((x, y, z), self._site.landmarks, self._site.directions),
            standing=best.candidate.standing,
            misfit=best.solution.misfit,
            sound_speed_m_s=float(best.solution.state[3]),
            nodes_used=best.nodes_used,
            rejected=best.rejected,
            candidates=shown,
            bursts=bursts,
        )


def _apart(one: Attempt, other: Attempt) -> bool:
    distance_m = float(np.linalg.norm(one.solution.state[:3] - other.solution.state[:3]))
    return distance_m > max(APART_M, one.radius95_m + other.radius95_m)
