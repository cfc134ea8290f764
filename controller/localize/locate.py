"""From captures to a verdict: search the hull, try the places that stand out, and judge whether to trust the answer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from controller.localize.attempt import Attempt, Limits, Refusal, Surroundings, attempt, is_faint
from controller.localize.forward import SurveyErrors, sound_speed
from controller.localize.hearing import GroupHearing
from controller.localize.hull_search import FINE_M, HullSearch, predicted_delays
from controller.localize.machines import Machines
from controller.localize.probability import log_likelihood_ratio
from controller.localize.verdict import Candidate, Fix, NoFix, Reason, Verdict
from controller.localize.views import Heard, View, doubted, other_speeds, ranked, tolerance_m
from controller.localize.volume_search import Volume, VolumeSearch
from controller.measure.captures import Capture
from controller.measure.coherence import coherent_groups
from controller.measure.correlation import Correlations, struck_out
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.landmarks import describe_position
from firmware_bridge.site.survey import Site

MAX_ATTEMPTS = 4
APART_M = 0.05  # solutions nearer than this, or within their regions, are one place
SHOWN_CANDIDATES = 5
LEAST_ODDS = 100.0  # of a faint place against any other
LEAST_LOUD_ODDS = 20.0  # of a loud place against one that as many pairs support: beside an edge, its mirror image
CERTAIN = 10.0  # standing of a fix for which no other speed of sound is tried


@dataclass(frozen=True, slots=True)
class Settings:
    """When an answer deserves trust."""

    min_standing: float = 6.5  # a million 5 mm cells reach 5.5 by chance
    rival_share: float = 0.7  # places that stand this high beside the best are tried too
    rival_support: float = 0.6  # of the most pairs: a place that fewer agree on is no rival
    max_misfit: float = 3.0
    max_radius_m: float = 0.5


@dataclass(frozen=True, slots=True)
class LocateJob:
    """All that one verdict needs besides what was heard before, immutable, so that it may be computed anywhere.

    Args:
        captures: of the sound that is to be located, those that came since the last job.
        quiet: captures of a time without it; what they hold is no leak.
        temperature_k: of the air.
        generation: of the sound; what was heard of another is forgotten, and the verdict belongs to no other.
    """

    captures: tuple[Capture, ...]
    quiet: tuple[Capture, ...]
    temperature_k: float
    generation: int = 0


class Locator:
    """Finds leaks on the hull of one compartment; what it heard of a sound it keeps until another begins."""

    def __init__(self, site: Site, compartment: str, settings: Settings, surveys: Sequence[SurveyErrors] = ()) -> None:
        """Prepare the search; KeyError or ValueError where the compartment cannot localize.

        Where nobody can tell how good the survey is, `surveys` say how bad it may be: the one holds under which the
        sound stands out most. Without them the site's own word holds.
        """
        hull = site.compartment(compartment).hull
        if hull is None:
            raise ValueError(f"compartment {compartment!r} has no hull")
        self._site = site
        self._compartment = compartment
        self._hull: Hull = hull
        self._settings = settings
        self._search = VolumeSearch(hull) if isinstance(hull, Volume) else HullSearch(hull)
        self._survey = SurveyErrors(site.survey.microphone_sigma_m, site.survey.hull_sigma_m)
        self._surveys = tuple(sorted(surveys, key=lambda survey: survey.microphone_sigma_m))
        self._hearing = [GroupHearing(group) for group in coherent_groups(site, compartment)]
        self._generation: int | None = None
        self._quiet: tuple[Capture, ...] = ()
        self._machines = Machines()

    def locate(self, job: LocateJob) -> Verdict:
        """The verdict on all that was heard of the job's sound."""
        return self.locate_several(job, 1)[0]

    def locate_several(self, job: LocateJob, most: int) -> tuple[Verdict, ...]:
        """Up to `most` leaks that sound at once, the loudest first; ends with the first verdict that is no fix.

        What a fix explains is struck out of the correlation functions before the next is sought.
        """
        speed, speed_sigma = sound_speed(job.temperature_k, self._site.survey.temperature_sigma_k)
        functions, bursts = self._heard(job, speed)
        if not functions:
            return (NoFix(Reason.TOO_FEW_SENSORS, "no microphone has been heard; look at the nodes"),)
        verdicts: list[Verdict] = []
        while len(verdicts) < most:
            verdict = self._verdict(Heard(functions, bursts, speed, speed_sigma, more=len(verdicts) + 1 < most))
            verdicts.append(verdict)
            if isinstance(verdict, NoFix):
                break
            at = np.array(verdict.position_m)
            functions = [struck_out(f, predicted_delays(f, at, verdict.sound_speed_m_s)) for f in functions]
        return tuple(verdicts)

    def _verdict(self, heard: Heard) -> Verdict:
        """By the site's word on its survey; or by that under which the sound stands out most, then by others."""
        if not self._surveys:
            return self._first_fix(self._own_views(heard), heard)
        views = ranked([self._view(heard, one, heard.speed_m_s) for one in self._surveys])
        verdict = self._first_fix(views, heard)
        if isinstance(verdict, NoFix) or verdict.standing < CERTAIN:
            others = [self._view(heard, self._surveys[0], speed) for speed in other_speeds(heard)]
            better = max((views[0], *others), key=lambda view: view.standing)
            if better is not views[0]:
                again = self._first_fix((better,), heard)
                verdict = again if isinstance(again, Fix) else verdict
        return verdict

    def _view(self, heard: Heard, survey: SurveyErrors, speed_m_s: float) -> View:
        found = self._search.best(heard.functions, speed_m_s, tolerance_m(survey)).candidates
        return View(found, survey, speed_m_s)

    def _own_views(self, heard: Heard) -> tuple[View, ...]:
        """What stands out, allowing for the survey's errors; where little does, also taking the site at its word.

        What is loud is found in spite of a poor survey; what is faint can only be heard by all pairs exactly together.
        """
        tolerant = self._view(heard, self._survey, heard.speed_m_s)
        if not is_faint(heard.functions, tolerant.candidates[0]):
            return (tolerant,)
        exact = View(self._search.best(heard.functions, heard.speed_m_s, 0.0).candidates, self._survey, heard.speed_m_s)
        return (tolerant, exact) if tolerant.standing > exact.standing else (exact, tolerant)

    def _first_fix(self, views: Sequence[View], heard: Heard) -> Verdict:
        """The first view's fix, or else the first refusal."""
        verdicts: list[Verdict] = []
        for view in views:
            verdicts.append(self._judged(view, heard))
            if isinstance(verdicts[-1], Fix):
                return verdicts[-1]
        return verdicts[0]

    def _judged(self, view: View, heard: Heard) -> Verdict:
        """What is to be said of the places that stand out."""
        found, bursts = view.candidates, heard.bursts
        candidates = self._machines.not_among(found, bursts, view.speed_m_s, tolerance_m(view.survey))
        shown = (candidates or found)[:SHOWN_CANDIDATES]
        best = candidates[0].standing if candidates else 0.0
        if best < self._settings.min_standing <= found[0].standing:
            return NoFix(
                Reason.EQUIPMENT,
                f"what stands out ({found[0].standing:.0f} sigma) is where machines sounded before; "
                "switch them off for a while",
                shown,
                bursts,
            )
        if best < self._settings.min_standing:
            return NoFix(
                Reason.TOO_QUIET,
                f"no place on the hull stands out ({best:.1f} of {self._settings.min_standing:g} sigma); "
                "listen longer or switch machines off",
                shown,
                bursts,
            )
        tried = [c for c in candidates[:MAX_ATTEMPTS] if c.standing >= self._settings.rival_share * best]
        around = Surroundings(self._hull, view.survey, view.speed_m_s, heard.speed_sigma_m_s)
        limits = Limits(self._settings.max_misfit, self._settings.max_radius_m)
        functions = heard.functions
        if self._surveys:  # nobody vouches for the nodes either
            functions = [doubted(each, view.survey, view.speed_m_s) for each in functions]
        attempts = [attempt(functions, c, around, limits) for c in tried]
        return self._choose(attempts, shown, bursts, more=heard.more)

    def _heard(self, job: LocateJob, speed_m_s: float) -> tuple[list[Correlations], int]:
        """Correlation functions of the groups that heard anything, and of how many bursts they are."""
        for group in self._hearing:
            if job.generation != self._generation:
                group.forget()
            group.take(job.captures, job.quiet)
        self._generation = job.generation
        if job.quiet != self._quiet:
            before = [found for group in self._hearing if (found := group.before) is not None]
            self._quiet = job.quiet
            self._machines = Machines.heard(
                before,
                lambda functions: self._search.best(functions, speed_m_s, FINE_M).candidates,
                self._settings.min_standing,
            )
        heard = (group.correlations(subtract=bool(self._machines.places)) for group in self._hearing)
        functions = [found for found in heard if found is not None]
        return functions, round(max((found.bursts for found in functions), default=0.0))

    def _choose(
        self,
        attempts: Sequence[Attempt | Refusal],
        shown: tuple[Candidate, ...],
        bursts: int,
        *,
        more: bool = False,
    ) -> Verdict:
        """The attempt that stands out most of those that many pairs support, unless another is nearly as likely."""
        solved = [a for a in attempts if isinstance(a, Attempt)]
        if not solved:
            refusal = next(a for a in attempts if isinstance(a, Refusal))
            return NoFix(refusal.reason, refusal.explanation, shown, bursts)
        faint = any(a.steered for a in solved)
        if not faint:
            most = max(a.support for a in solved)
            solved = [a for a in solved if a.support >= self._settings.rival_support * most]
        solved.sort(key=lambda a: -a.candidate.standing)
        best = solved[0]
        rivals = [rival for rival in solved[1:] if _apart(best, rival) and _rivals(best, rival, faint=faint)]
        if rivals and not more:
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


def _rivals(best: Attempt, other: Attempt, *, faint: bool) -> bool:
    """Whether another place is too likely to be passed over.

    Of faint sound the log-likelihood of a place is half the square of its standing (the matched filter's, unit noise);
    of loud sound reverberation is the noise.
    """
    if faint:
        return best.candidate.standing**2 - other.candidate.standing**2 < 2.0 * math.log(LEAST_ODDS)
    stronger, weaker = log_likelihood_ratio((best.candidate.standing, other.candidate.standing))
    return bool(stronger - weaker < math.log(LEAST_LOUD_ODDS))


def _apart(one: Attempt, other: Attempt) -> bool:
    distance_m = float(np.linalg.norm(one.solution.state[:3] - other.solution.state[:3]))
    return distance_m > max(APART_M, one.radius95_m + other.radius95_m)
