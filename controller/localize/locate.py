"""From captures to a verdict: search the hull, try the places that stand out, and judge whether to trust the answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from controller.localize.attempt import Attempt, Limits, Surroundings, attempt
from controller.localize.choice import chosen
from controller.localize.forward import SurveyErrors, sound_speed
from controller.localize.hearing import GroupHearing
from controller.localize.hull_search import FINE_M, HullSearch, predicted_delays
from controller.localize.inside import Inside, InsideCheck
from controller.localize.known_machines import KnownMachines
from controller.localize.machines import Machines
from controller.localize.telling import off_hull, told
from controller.localize.verdict import Candidate, Fix, NoFix, Reason, Verdict
from controller.localize.viewing import CERTAIN, Viewing
from controller.localize.views import Heard, View, doubted, tolerance_m
from controller.localize.volume_search import Volume, VolumeSearch
from controller.measure.captures import Capture
from controller.measure.coherence import clock_sigmas_s, coherent_groups
from controller.measure.correlation import Correlations, struck_out
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.landmarks import describe_position
from firmware_bridge.site.survey import Site

MAX_ATTEMPTS = 4
SHOWN_CANDIDATES = 5
FURTHER = 0.25  # of the loudest leak's standing: what is left of it, once it is struck out, reaches less
BENEATH = 0.5  # the same of a sound inside the room, whose echoes come from all walls


@dataclass(frozen=True, slots=True)
class Settings:
    """When an answer deserves trust."""

    min_standing: float = 6.5  # a million 5 mm cells reach 5.5 by chance
    rival_share: float = 0.7  # places that stand this high beside the best are tried too
    rival_support: float = 0.6  # of the most pairs: a place that fewer agree on is no rival
    max_misfit: float = 3.0
    max_radius_m: float = 0.5
    most_leaks: int = 3  # that are looked for at once


@dataclass(frozen=True, slots=True)
class LocateJob:
    """All that one verdict needs besides what was heard before, immutable, so that it may be computed anywhere.

    Args:
        captures: of the sound that is to be located, those that came since the last job.
        quiet: captures of a time without it; what they hold is no leak.
        temperature_k: of the air.
        generation: of the sound; what was heard of another is forgotten, and the verdict belongs to no other.
        steady: a sound of one level that stays where it is: no burst is forgotten.
    """

    captures: tuple[Capture, ...]
    quiet: tuple[Capture, ...]
    temperature_k: float
    generation: int = 0
    steady: bool = False


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
        self._nobody_vouches = bool(surveys)
        survey = SurveyErrors(site.survey.microphone_sigma_m, site.survey.hull_sigma_m)
        self._viewing = Viewing(self._search, survey, surveys)
        self._hearing: list[GroupHearing] = []
        self._generation: int | None = None
        self._quiet: tuple[Capture, ...] = ()
        self._machines = Machines()
        self._limits = Limits(settings.max_misfit, settings.max_radius_m)
        pairs = sum(len(group.pairs[0]) for group in coherent_groups(site, compartment))
        self._inside = None if isinstance(hull, Volume) else InsideCheck(hull, pairs)
        self._known = None if isinstance(hull, Volume) else KnownMachines(site, compartment, hull)

    def locate(self, job: LocateJob) -> Verdict:
        """The verdict on all that was heard of the job's sound."""
        return self.locate_several(job, 1)[0]

    def locate_all(self, job: LocateJob) -> tuple[Verdict, ...]:
        """As many leaks as the settings allow."""
        return self.locate_several(job, self._settings.most_leaks)

    def locate_several(self, job: LocateJob, most: int) -> tuple[Verdict, ...]:
        """Up to `most` leaks that sound at once, as they were found; where there are fewer, a NoFix comes last.

        What a fix explains is struck out of the correlation functions before the next is sought. So is what sounds
        inside the room, once: a leak may sound beneath it.
        """
        speed, speed_sigma = sound_speed(job.temperature_k, self._site.survey.temperature_sigma_k)
        functions, bursts = self._heard(job, speed)
        if not functions:
            return (NoFix(Reason.TOO_FEW_SENSORS, "no microphone has been heard; look at the nodes"),)
        fixes: list[Fix] = []
        ended: NoFix | None = None
        loudest = least = 0.0
        for source in range(most + 1):
            heard = Heard(functions, bursts, speed, speed_sigma, len(fixes) + 1 < most, source, loudest, least)
            verdict, inside = self._checked(*self._verdict(heard), heard)
            if isinstance(verdict, Fix):
                fixes.append(verdict)
                if len(fixes) == most:
                    break
                at, found_speed, standing = verdict.position_m, verdict.sound_speed_m_s, verdict.standing
            else:
                ended = ended or verdict
                if inside is None or ended is not verdict:
                    break
                at, found_speed, standing = inside.position_m, inside.sound_speed_m_s, inside.standing
            loudest = max(loudest, standing)
            least = max(least, (BENEATH if inside is not None and not inside.known else FURTHER) * standing)
            functions = [struck_out(f, predicted_delays(f, np.array(at), found_speed)) for f in functions]
        return told(fixes, ended)

    def _verdict(self, heard: Heard) -> tuple[Verdict, View]:
        """By the site's word on its survey; or by that under which the sound stands out most, then by others."""
        views = self._viewing.views(heard)
        verdict, view = self._first_fix(views, heard)
        if isinstance(verdict, NoFix) or verdict.standing < CERTAIN:
            better = self._viewing.at_other_speeds(heard, views[0])
            if better is not None:
                again, _ = self._first_fix((better,), heard)
                if isinstance(again, Fix):
                    return again, better
        return verdict, view

    def _checked(self, verdict: Verdict, view: View, heard: Heard) -> tuple[Verdict, Inside | None]:
        """The verdict, unless what it is about sounds inside the room."""
        if self._inside is None or self._known is None or not verdict.candidates or not _in_question(verdict, heard):
            return verdict, None
        best = Candidate(verdict.position_m, verdict.standing) if isinstance(verdict, Fix) else verdict.candidates[0]
        functions = self._trusted(heard, view)
        source = self._known.source(functions, best.standing, view) or self._inside.source(
            functions,
            best,
            view,
            heard.speed_sigma_m_s,
            self._limits,
            bursts=heard.bursts,
            source=heard.source,
            fixed=isinstance(verdict, Fix),
            new=lambda places: self._machines.unheard(places, heard.bursts, view.speed_m_s, tolerance_m(view.survey)),
        )
        if source is None or source.standing < max(self._settings.min_standing, heard.least):
            if isinstance(verdict, Fix):
                sigma = heard.speed_sigma_m_s
                verdict = replace(verdict, inside_m=self._inside.reach_m(functions, best, view, sigma, self._limits))
            return verdict, None
        where = describe_position(source.position_m, self._site.landmarks, self._site.directions)
        return off_hull(source, where, verdict), source

    def _first_fix(self, views: Sequence[View], heard: Heard) -> tuple[Verdict, View]:
        """The first view's fix, or else the first refusal; and the view that it is of."""
        verdicts: list[Verdict] = []
        for view in views:
            verdicts.append(self._judged(view, heard))
            if isinstance(verdicts[-1], Fix):
                return verdicts[-1], view
        return verdicts[0], views[0]

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
        functions = self._trusted(heard, view)

        def left_of(winner: Attempt, rival: Attempt) -> int:
            at, speed = winner.solution.state[:3], float(winner.solution.state[3])
            rest = [struck_out(f, predicted_delays(f, at, speed)) for f in functions]
            again = attempt(rest, rival.candidate, around, self._limits)
            return again.support if isinstance(again, Attempt) else 0

        answer = chosen(
            [attempt(functions, c, around, self._limits) for c in tried],
            shown,
            bursts,
            self._settings.rival_support,
            self._settings.min_standing,
            left_of=left_of if heard.more else None,
        )
        if isinstance(answer, NoFix):
            return answer
        if heard.loudest and (answer.steered or answer.candidate.standing < heard.least):
            return NoFix(
                Reason.TOO_QUIET,
                f"what else is heard ({answer.candidate.standing:.0f} sigma, beside {heard.loudest:.0f}) may be its "
                "echoes; once the louder sound is over it can be told",
                shown,
                bursts,
            )
        return self._fix(answer, shown, bursts)

    def _trusted(self, heard: Heard, view: View) -> Sequence[Correlations]:
        """The functions as they are, unless nobody vouches for the nodes."""
        if not self._nobody_vouches:
            return heard.functions
        return [doubted(each, view.survey, view.speed_m_s) for each in heard.functions]

    def _heard(self, job: LocateJob, speed_m_s: float) -> tuple[list[Correlations], int]:
        """Correlation functions of the groups that heard anything, and of how many bursts they are."""
        if job.generation != self._generation:  # what was heard of another sound is forgotten
            sigma_s = clock_sigmas_s(job.captures)
            groups = coherent_groups(self._site, self._compartment, sigma_s)
            self._hearing = [GroupHearing(group, steady=job.steady) for group in groups]
            self._viewing.forget()
            if self._inside is not None:
                self._inside.forget()
            self._generation = job.generation
        for group in self._hearing:
            group.take(job.captures, job.quiet)
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


def _in_question(verdict: Verdict, heard: Heard) -> bool:
    """Whether a source inside the room would change a verdict: a machine is one, and echoes have no better place."""
    return isinstance(verdict, Fix) or (verdict.reason is not Reason.EQUIPMENT and not heard.loudest)
