"""Views of one sound under surveys that may be as good as they say, or not. Which verdict follows is locate's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from controller.localize.forward import SurveyErrors
from controller.localize.verdict import Candidate
from controller.measure.correlation import Correlations

SURVEY_SIGMAS = 1.5  # how much of the survey's doubt the search allows for
NEARLY = 0.9  # of the best standing: a stricter survey that comes so near may hold as well
SPEED_STEP = 0.0012  # 3 mm of 2.5 m: half a wavelength of 60 kHz lies between two steps, half of that beside one


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What was heard: functions of the groups, of how many bursts, the speed of sound that a thermometer makes likely.

    `more` says that several sources are expected, so that one that stands beside another is no reason to doubt it.
    `source` counts those that were struck out of the functions, `loudest` is how far the loudest of them stood out,
    `least` how far another must, lest it be an echo.
    """

    functions: Sequence[Correlations]
    bursts: int
    speed_m_s: float
    speed_sigma_m_s: float
    more: bool = False
    source: int = 0
    loudest: float = 0.0
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """What stands out if the survey is as good as `survey` and sound as fast as `speed_m_s`."""

    candidates: tuple[Candidate, ...]
    survey: SurveyErrors
    speed_m_s: float

    @property
    def standing(self) -> float:
        """Of the best candidate."""
        return self.candidates[0].standing


def tolerance_m(survey: SurveyErrors) -> float:
    """How far a path difference may be off."""
    return SURVEY_SIGMAS * math.sqrt(2.0) * survey.microphone_sigma_m


def doubted(functions: Correlations, survey: SurveyErrors, sound_speed_m_s: float) -> Correlations:
    """The functions of a group whose nodes may err as wholes, by clock or place, as far as each microphone may."""
    sigma_s = math.hypot(functions.group.clock_sigma_s, survey.microphone_sigma_m / sound_speed_m_s)
    across = len(set(functions.group.nodes)) > 1
    return replace(functions, group=replace(functions.group, clock_sigma_s=sigma_s)) if across else functions


def ranked(views: Sequence[View]) -> tuple[View, ...]:
    """The view under which most stands out; then worse surveys, the better first; then better ones that come near."""
    best = max(views, key=lambda view: view.standing)
    sigma_m = best.survey.microphone_sigma_m
    worse = sorted(
        (view for view in views if view.survey.microphone_sigma_m > sigma_m),
        key=lambda view: view.survey.microphone_sigma_m,
    )
    near = [v for v in views if v.survey.microphone_sigma_m < sigma_m and v.standing > NEARLY * best.standing]
    return best, *worse, *near


def other_speeds(heard: Heard) -> tuple[float, ...]:
    """Speeds within a sigma of the likely one, so close that exact functions miss nothing between them."""
    steps = math.ceil(heard.speed_sigma_m_s / (SPEED_STEP * heard.speed_m_s) - 0.5)
    return tuple(heard.speed_m_s * (1.0 + SPEED_STEP * step) for step in range(-steps, steps + 1) if step)
