"""Which views of a sound are worth a whole search, and which follow from another. What to make of them is locate's."""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.localize.attempt import is_faint, lost_in_noise
from controller.localize.forward import SurveyErrors
from controller.localize.hull_search import HullSearch
from controller.localize.verdict import Candidate
from controller.localize.views import Heard, View, other_speeds, ranked, tolerance_m
from controller.localize.volume_search import VolumeSearch

CERTAIN = 12.0  # standing that noise and echoes never reach: no other survey or speed of sound need be tried
FOLLOWED = 8  # times that a clear sound is looked for where it was, before the whole hull is searched for others
STILL = 0.8  # of how far it stood out: less, and it may have moved or been joined by another


@dataclass(frozen=True, slots=True)
class _Followed:
    """Views of a sound that was clear, and how often they have been followed since the last search."""

    views: tuple[View, ...]
    times: int = 0


class Viewing:
    """Looks at sounds by the site's own survey, or by `surveys` that may hold where nobody vouches for it."""

    def __init__(
        self, search: HullSearch | VolumeSearch, survey: SurveyErrors, surveys: Sequence[SurveyErrors]
    ) -> None:
        """Look with one search; where there are `surveys`, `survey` does not count."""
        self._search = search
        self._survey = survey
        self._surveys = tuple(sorted(surveys, key=lambda one: one.microphone_sigma_m))
        self._followed: dict[int, _Followed] = {}

    def forget(self) -> None:
        """Another sound begins."""
        self._followed.clear()

    def views(self, heard: Heard) -> tuple[View, ...]:
        """Views by the site's word; or those that may hold, the likeliest first.

        What was clear the last time is looked for where it was, unless it is no longer clear there, or for too long.
        """
        followed = self._followed.pop(heard.source, None)
        if followed is not None and followed.times < FOLLOWED:
            again = tuple(self._near(heard, view.survey, view.candidates) for view in followed.views)
            if again[0].standing > STILL * followed.views[0].standing:
                self._followed[heard.source] = _Followed(again, followed.times + 1)
                return again
        views = ranked(self._untold(heard)) if self._surveys else self._own(heard)
        if not is_faint(heard.functions, views[0].candidates[0]):
            self._followed[heard.source] = _Followed(views)
        return views

    def at_other_speeds(self, heard: Heard, than: View) -> View | None:
        """The view at another speed of sound, the microphones being where they should, that shows more `than` one."""
        if not self._surveys:
            return None
        others = [self._searched(heard, self._surveys[0], speed) for speed in other_speeds(heard)]
        best = max((than, *others), key=lambda view: view.standing)
        return best if best is not than else None

    def _searched(self, heard: Heard, survey: SurveyErrors, speed_m_s: float) -> View:
        found = self._search.best(heard.functions, speed_m_s, tolerance_m(survey))
        return View(found.candidates, survey, speed_m_s)

    def _near(self, heard: Heard, survey: SurveyErrors, candidates: Sequence[Candidate]) -> View:
        found = self._search.around(candidates, heard.functions, heard.speed_m_s, tolerance_m(survey))
        return View(found.candidates, survey, heard.speed_m_s)

    def _untold(self, heard: Heard) -> list[View]:
        """Under each survey: what is loud the worst finds for all; what is faint each must find by itself."""
        worst = self._searched(heard, self._surveys[-1], heard.speed_m_s)
        others = self._surveys[:-1]
        if is_faint(heard.functions, worst.candidates[0]):
            return [*(self._searched(heard, one, heard.speed_m_s) for one in others), worst]
        return [*(self._near(heard, one, worst.candidates) for one in others), worst]

    def _own(self, heard: Heard) -> tuple[View, ...]:
        """Allowing for the survey's errors; where little stands out, also taking the site at its word.

        What is loud is found in spite of a poor survey; what is faint can only be heard by all pairs exactly together.
        """
        exact = self._exact(heard) if lost_in_noise(heard.functions) else None
        if exact is not None and exact.standing > CERTAIN:
            return (exact,)
        tolerant = self._searched(heard, self._survey, heard.speed_m_s)
        if not is_faint(heard.functions, tolerant.candidates[0]):
            return (tolerant,)
        exact = exact or self._exact(heard)
        return (tolerant, exact) if tolerant.standing > exact.standing else (exact, tolerant)

    def _exact(self, heard: Heard) -> View:
        found = self._search.best(heard.functions, heard.speed_m_s, 0.0)
        return View(found.candidates, self._survey, heard.speed_m_s)
