"""From spectra to a verdict: search the hull, measure delays there, solve, and judge whether to trust the answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.localize.forward import DelayModel, HullModel, Model, SoundSpeedModel, SurveyErrors, sound_speed
from controller.localize.hull_search import HullSearch, predicted_delays
from controller.localize.solver import Solution, solve
from controller.localize.verdict import Candidate, Fix, NoFix, Reason, Rejected, Verdict
from controller.measure.correlation import Correlations, correlate
from controller.measure.cross_spectra import SpectraSnapshot
from controller.measure.tdoa import measure_tdoa
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.landmarks import describe_position
from firmware_bridge.site.survey import Site

CHI_SQUARE_95_2D = 5.991  # on the hull two coordinates are free
SURVEY_SIGMAS = 1.5  # how much of the survey's doubt the search allows for
MAX_ROUNDS = 3  # delays are measured again around a solution that moved, as a nearer window finds nearer peaks
SETTLED_M = 0.003


@dataclass(frozen=True, slots=True)
class Settings:
    """When an answer deserves trust."""

    min_standing: float = 8.0  # a million 5 mm cells reach 5 by chance
    rival_share: float = 0.85  # a second place that stands this high beside the best makes it ambiguous
    max_misfit: float = 3.0
    max_radius_m: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class LocateJob:
    """All that one verdict needs, immutable, so that it may be computed anywhere."""

    spectra: tuple[SpectraSnapshot, ...]
    baseline: tuple[SpectraSnapshot | None, ...]
    temperature_k: float


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
        self._tolerance_m = SURVEY_SIGMAS * float(np.sqrt(2.0)) * site.survey.microphone_sigma_m

    def locate(self, job: LocateJob) -> Verdict:
        """The verdict on one set of spectra."""
        speed, speed_sigma = sound_speed(job.temperature_k, self._site.survey.temperature_sigma_k)
        functions = [correlate(now, before, speed) for now, before in zip(job.spectra, job.baseline, strict=True)]
        bursts = round(max((float(now.bursts.max(initial=0)) for now in job.spectra), default=0.0))
        if not functions:
            return NoFix(Reason.TOO_FEW_SENSORS, "no microphone has been heard; look at the nodes")
        candidates = self._search.best(functions, speed, self._tolerance_m).candidates
        best = candidates[0]
        if best.standing < self._settings.min_standing:
            return NoFix(
                Reason.TOO_QUIET,
                f"no place on the hull stands out ({best.standing:.1f} of {self._settings.min_standing:g} sigma); "
                "listen longer or switch machines off",
                candidates,
                bursts,
            )
        if len(candidates) > 1 and candidates[1].standing > self._settings.rival_share * best.standing:
            return NoFix(
                Reason.AMBIGUOUS,
                f"two places explain the sound almost alike ({best.standing:.0f} and {candidates[1].standing:.0f} "
                "sigma); another node or a longer listen would tell",
                candidates,
                bursts,
            )
        return self._solve(functions, candidates, speed, speed_sigma, bursts)

    def _solve(
        self,
        functions: Sequence[Correlations],
        candidates: tuple[Candidate, ...],
        speed: float,
        speed_sigma: float,
        bursts: int,
    ) -> Verdict:
        at = np.array(candidates[0].position_m)
        survey = SurveyErrors(self._site.survey.microphone_sigma_m, self._site.survey.hull_sigma_m)
        known: list[Model] = [HullModel(self._hull, survey.hull_sigma_m), SoundSpeedModel(speed, speed_sigma)]
        models: list[Model] = []
        solution: Solution | None = None
        rejected: tuple[Rejected, ...] = ()
        for _ in range(MAX_ROUNDS):
            tdoas = [measure_tdoa(f, predicted_delays(f, at, speed)) for f in functions]
            models = [DelayModel(tdoa, survey, speed) for tdoa in tdoas if tdoa is not None] + known
            if len(models) == len(known):
                return NoFix(
                    Reason.TOO_FEW_SENSORS,
                    "too few microphones hear the same sound; listen longer",
                    candidates,
                    bursts,
                )
            solution, rejected = self._solve_trusting(models, np.append(at, speed))
            if solution is None or np.linalg.norm(solution.state[:3] - at) < SETTLED_M:
                break
            at = solution.state[:3]
        if solution is None:
            return NoFix(
                Reason.INCONSISTENT,
                "the delays contradict each other beyond survey and clock errors; check positions in the site file",
                candidates,
                bursts,
            )
        radius_m = _radius95_m(solution, self._hull)
        if radius_m > self._settings.max_radius_m:
            return NoFix(
                Reason.TOO_FEW_SENSORS,
                f"the place is known to {radius_m:.1f} m only; more nodes, farther apart, would tell",
                candidates,
                bursts,
            )
        return self._fix(solution, radius_m, models=models, rejected=rejected, candidates=candidates, bursts=bursts)

    def _solve_trusting(
        self, models: Sequence[Model], start: NDArray[np.float64]
    ) -> tuple[Solution | None, tuple[Rejected, ...]]:
        """Solve with all nodes; where they contradict each other, with the one left out that makes the rest agree."""
        solution = solve(models, start)
        if solution is not None and solution.misfit <= self._settings.max_misfit:
            return solution, ()
        nodes = sorted({owner for model in models for owner in model.rows if owner})
        best: tuple[float, str, Solution] | None = None
        for node in nodes if len(nodes) > 2 else ():
            without = solve(models, start, without=node)
            if without is not None and without.freedom > 0 and (best is None or without.misfit < best[0]):
                best = (without.misfit, node, without)
        if best is None or best[0] > self._settings.max_misfit:
            return None, ()
        return best[2], (Rejected(best[1], "its delays contradict those of all other nodes"),)

    def _fix(
        self,
        solution: Solution,
        radius_m: float,
        *,
        models: Sequence[Model],
        rejected: tuple[Rejected, ...],
        candidates: tuple[Candidate, ...],
        bursts: int,
    ) -> Fix:
        on_hull = self._hull.project(solution.state[None, :3])[0]
        x, y, z = (float(value) for value in on_hull)
        left_out = {entry.node for entry in rejected}
        return Fix(
            position_m=(x, y, z),
            covariance_m2=tuple(tuple(float(v) for v in row[:3]) for row in solution.covariance[:3]),
            radius95_m=radius_m,
            compartment=self._compartment,
            where=describe_position((x, y, z), self._site.landmarks, self._site.directions),
            standing=candidates[0].standing,
            misfit=solution.misfit,
            sound_speed_m_s=float(solution.state[3]),
            nodes_used=tuple(sorted({o for m in models for o in m.rows if o} - left_out)),
            rejected=rejected,
            candidates=candidates[:5],
            bursts=bursts,
        )


def _radius95_m(solution: Solution, hull: Hull) -> float:
    """Radius of the circle around the fix, in the hull's tangent plane, that holds the 95 % ellipse."""
    normal = hull.outward(solution.state[None, :3])[0]
    across = np.eye(3) - np.outer(normal, normal)
    largest = float(np.linalg.eigvalsh(across @ solution.covariance[:3, :3] @ across)[-1])
    return float(np.sqrt(CHI_SQUARE_95_2D * max(largest, 0.0)))
