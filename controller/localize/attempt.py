"""From one candidate place to a solution, or the reason why none can be had there. Choosing is locate's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from controller.localize.faint import weigh
from controller.localize.forward import DelayModel, HullModel, Model, SoundSpeedModel, SurveyErrors
from controller.localize.hull_search import predicted_delays, standing_at
from controller.localize.one_errs import weighed
from controller.localize.region import radius95_m
from controller.localize.solver import Solution, solve
from controller.localize.steered_region import steered_covariance
from controller.localize.verdict import Candidate, Reason, Rejected
from controller.measure.clocks import parted, with_offsets
from controller.measure.correlation import Correlations
from controller.measure.tdoa import MIN_PEAK, Tdoa, measure_tdoa, steered_tdoa
from firmware_bridge.site.hull import Hull

MAX_ROUNDS = 3  # delays are measured again around a solution that moved, as a nearer window finds nearer peaks
SETTLED_M = 0.003
FAINT = 4.0  # mean height of the correlation functions below which single pairs need not show a peak
LEAST_MEASURED = 0.75  # of the microphones: fewer delays than that know less than all pairs together
LEAST_PROBABILITY = 0.99  # of a region against all other places together
FEW_HEAR = "too few microphones hear the same sound; listen longer"


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond these a solution does not deserve trust."""

    max_misfit: float
    max_radius_m: float


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds for every attempt: hull, survey, speed of sound with its sigma (m/s)."""

    hull: Hull
    survey: SurveyErrors
    sound_speed_m_s: float
    sound_speed_sigma_m_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """A solution that deserves trust; `support` is how many microphone pairs agree with it."""

    candidate: Candidate
    solution: Solution
    radius95_m: float
    nodes_used: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    support: int
    steered: bool = False  # found by all pairs together, none of which hears the leak by itself


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a candidate led to no solution."""

    reason: Reason
    explanation: str


CONTRADICTED = Refusal(
    Reason.INCONSISTENT,
    "the delays contradict each other beyond survey and clock errors; check positions in the site file",
)


def attempt(
    functions: Sequence[Correlations], candidate: Candidate, around: Surroundings, limits: Limits
) -> Attempt | Refusal:
    """Measure delays around `candidate`, solve, and judge the solution.

    Where nodes that only their clocks hold together lead to none, each is heard by itself.
    """
    found = _attempt(functions, candidate, around, limits)
    if isinstance(found, Attempt) or not any(f.group.by_clock for f in functions):
        return found
    apart = [part for f in functions for part in (parted(f) if f.group.by_clock else (f,))]
    (standing,) = standing_at((candidate,), apart, around.sound_speed_m_s, around.survey.microphone_sigma_m)
    found = _attempt(apart, replace(candidate, standing=float(standing)), around, limits)
    return replace(found, candidate=candidate) if isinstance(found, Attempt) else found


def _expected(functions: Correlations, at: NDArray[np.float64], speed_m_s: float) -> NDArray[np.float64]:
    """Delays (pairs,) that a source at `at` makes, offsets of clocks included."""
    predicted_s = predicted_delays(functions, at, speed_m_s)
    return with_offsets(functions, predicted_s) if functions.group.by_clock else predicted_s


def _attempt(
    functions: Sequence[Correlations], candidate: Candidate, around: Surroundings, limits: Limits
) -> Attempt | Refusal:
    at = np.array(candidate.position_m)
    known: list[Model] = [
        HullModel(around.hull, around.survey.hull_sigma_m),
        SoundSpeedModel(around.sound_speed_m_s, around.sound_speed_sigma_m_s),
    ]
    for _ in range(MAX_ROUNDS):
        measured = [measure_tdoa(f, _expected(f, at, around.sound_speed_m_s)) for f in functions]
        tdoas = [tdoa for tdoa in measured if tdoa is not None]
        if _lost(functions, candidate, tdoas):
            return _steered(functions, candidate, known, around, limits)
        if not tdoas:
            return Refusal(Reason.TOO_FEW_SENSORS, FEW_HEAR) if lost_in_noise(functions) else CONTRADICTED
        delays: list[Model] = [DelayModel(tdoa, around.survey, around.sound_speed_m_s) for tdoa in tdoas]
        solution, rejected = _solve_trusting([*delays, *known], np.append(at, around.sound_speed_m_s), limits)
        if solution is None:
            return CONTRADICTED
        if np.linalg.norm(solution.state[:3] - at) < SETTLED_M:
            if not rejected:
                solution, rejected = weighed([*delays, *known], solution)
            break
        at = solution.state[:3]
    else:
        return Refusal(Reason.INCONSISTENT, "the solution does not settle on a place; listen longer")
    if solution.freedom < 1:  # three microphones always agree on some place
        return Refusal(Reason.TOO_FEW_SENSORS, FEW_HEAR)
    radius_m = _radius95_m(solution, around.hull)
    if radius_m > limits.max_radius_m:
        return Refusal(
            Reason.TOO_FEW_SENSORS,
            f"the place is known to {radius_m:.1f} m only; more nodes, farther apart, would tell",
        )
    return Attempt(candidate, solution, radius_m, _owners(tdoas, rejected), rejected, sum(t.pairs_used for t in tdoas))


def _height(functions: Sequence[Correlations], candidate: Candidate) -> float:
    """Mean value of the correlation functions at the candidate, in standard deviations of noise."""
    pairs = sum(int(f.value.any(axis=1).sum()) for f in functions)
    return float(candidate.standing / np.sqrt(max(pairs, 1)))


def is_faint(functions: Sequence[Correlations], candidate: Candidate) -> bool:
    """Whether a sound that stands out so much is still lost in the noise of most single pairs."""
    return _height(functions, candidate) < FAINT


def lost_in_noise(functions: Sequence[Correlations]) -> bool:
    """Whether most single pairs hear nothing that stands out of their own noise."""
    highest = np.concatenate([f.value[f.value.any(axis=1)].max(axis=1) for f in functions])
    return bool(np.count_nonzero(highest > MIN_PEAK) < 0.5 * max(len(highest), 1))


def _lost(functions: Sequence[Correlations], candidate: Candidate, tdoas: Sequence[Tdoa]) -> bool:
    """Whether the sound is so faint that few microphones can tell its delay by themselves."""
    measured = sum(len(tdoa.sensors) for tdoa in tdoas)
    present = sum(len(f.group.sensors) for f in functions)
    # Pairs that hear much by themselves, and contradict each other, agree on nothing.
    few = measured < LEAST_MEASURED * present
    return few and is_faint(functions, candidate) and lost_in_noise(functions)


def _steered(
    functions: Sequence[Correlations],
    candidate: Candidate,
    known: Sequence[Model],
    around: Surroundings,
    limits: Limits,
) -> Attempt | Refusal:
    """The candidate itself, where only all pairs together hear the leak: its place and how well that is known."""
    if all(f.group.same_node.all() for f in functions):
        return _weighed(functions, candidate, around, limits)
    at, speed = np.array(candidate.position_m), around.sound_speed_m_s
    steered = [steered_tdoa(f, predicted_delays(f, at, speed)) for f in functions]
    tdoas = [tdoa for tdoa in steered if tdoa is not None]
    delays: list[Model] = [DelayModel(tdoa, around.survey, speed) for tdoa in tdoas]
    solution = solve([*delays, *known], np.append(at, speed)) if delays else None
    if solution is None or solution.freedom < 1:
        return Refusal(Reason.TOO_FEW_SENSORS, FEW_HEAR)
    solution = replace(
        solution,
        covariance=steered_covariance(functions, at, around.hull, around.survey, speed, around.sound_speed_sigma_m_s),
    )
    radius_m = _radius95_m(solution, around.hull)
    if radius_m > limits.max_radius_m:
        return Refusal(Reason.TOO_FEW_SENSORS, FEW_HEAR)
    support = sum(tdoa.pairs_used for tdoa in tdoas)
    return Attempt(candidate, solution, radius_m, _owners(tdoas, ()), (), support, steered=True)


def _weighed(
    functions: Sequence[Correlations], candidate: Candidate, around: Surroundings, limits: Limits
) -> Attempt | Refusal:
    """The hull's likeliest region where nothing ties the nodes together, if it is small and the rest unlikely."""
    survey_m = around.survey.microphone_sigma_m
    found = weigh(functions, around.hull, around.sound_speed_m_s, survey_m, limits.max_radius_m)
    if found.probability < LEAST_PROBABILITY:
        return Refusal(
            Reason.AMBIGUOUS,
            f"the nodes, each by itself, hear it from more than one region (the likeliest: {found.probability:.0%}); "
            "listen longer, or give the nodes a common trigger",
        )
    if found.radius95_m > limits.max_radius_m:
        return Refusal(Reason.TOO_FEW_SENSORS, FEW_HEAR)
    covariance = np.zeros((4, 4))
    covariance[:3, :3] = found.covariance_m2
    covariance[3, 3] = around.sound_speed_sigma_m_s**2
    solution = Solution(np.append(found.position_m, around.sound_speed_m_s), covariance, 0.0, 1)
    radius_m = max(found.radius95_m, _radius95_m(solution, around.hull))
    nodes = tuple(sorted({node for f in functions for node in f.group.nodes}))
    pairs = sum(int(f.value.any(axis=1).sum()) for f in functions)
    return Attempt(candidate, solution, radius_m, nodes, (), pairs, steered=True)


def _solve_trusting(
    models: Sequence[Model], start: NDArray[np.float64], limits: Limits
) -> tuple[Solution | None, tuple[Rejected, ...]]:
    """Solve with all nodes; where they contradict each other, with the one left out that makes the rest agree."""
    solution = solve(models, start)
    if solution is not None and solution.misfit <= limits.max_misfit:
        return solution, ()
    nodes = sorted({owner for model in models for owner in model.rows if owner})
    best: tuple[float, str, Solution] | None = None
    for node in nodes if len(nodes) > 2 else ():
        without = solve([rest for model in models if (rest := model.without(node)) is not None], start)
        if without is not None and without.freedom > 0 and (best is None or without.misfit < best[0]):
            best = (without.misfit, node, without)
    if best is None or best[0] > limits.max_misfit:
        return None, ()
    return best[2], (Rejected(best[1], "its delays contradict those of all other nodes"),)


def _owners(tdoas: Sequence[Tdoa], rejected: tuple[Rejected, ...]) -> tuple[str, ...]:
    return tuple(sorted({node for tdoa in tdoas for node in tdoa.nodes} - {entry.node for entry in rejected}))


def _radius95_m(solution: Solution, hull: Hull) -> float:
    return float(radius95_m(solution.covariance[:3, :3], hull.outward(solution.state[None, :3])[0]))
