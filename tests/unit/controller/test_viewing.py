"""Which searches are made: a clear sound is followed where it was, one that moved is searched for anew."""

from itertools import count

import numpy as np
import pytest

from controller.localize.attempt import lost_in_noise
from controller.localize.hull_search import HullSearch
from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.verdict import Fix, Verdict
from controller.localize.viewing import FOLLOWED
from controller.measure.coherence import coherent_groups
from controller.measure.correlation import Correlations
from tests.support.hearing import ROOM, SPEED_M_S, Listener, Source, array_site, box_site

SITE = box_site()
TEMPERATURE_K = 273.15 * (SPEED_M_S / 331.3) ** 2
AT, ELSEWHERE = (1.2, 2.4, 0.8), (0.0, 1.1, 0.6)


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The tolerance of each whole search."""
    made: list[float] = []
    best = HullSearch.best

    def counted(self: HullSearch, functions: object, sound_speed_m_s: float, tolerance_m: float) -> object:
        made.append(tolerance_m)
        return best(self, functions, sound_speed_m_s, tolerance_m)  # type: ignore[arg-type]

    monkeypatch.setattr(HullSearch, "best", counted)
    return made


def heard(locator: Locator, listener: Listener, at: tuple[float, float, float], generation: int = 0) -> Verdict:
    return locator.locate(LocateJob(listener.captures([Source(at, 0.5)], 1), (), TEMPERATURE_K, generation))


def test_a_clear_sound_is_followed_and_the_hull_searched_now_and_then(searches: list[float]) -> None:
    locator, listener = Locator(SITE, ROOM, Settings()), Listener(SITE, np.random.default_rng(1))
    for _ in range(FOLLOWED + 1):
        fix = heard(locator, listener, AT)
        assert isinstance(fix, Fix)
        assert np.linalg.norm(np.subtract(fix.position_m, AT)) < 0.005
    assert len(searches) == 1
    heard(locator, listener, AT)
    assert len(searches) == 2


def test_another_sound_is_searched_for(searches: list[float]) -> None:
    locator, listener, generation = Locator(SITE, ROOM, Settings()), Listener(SITE, np.random.default_rng(2)), count()
    for at in (AT, ELSEWHERE):
        fix = heard(locator, listener, at, next(generation))
        assert isinstance(fix, Fix)
        assert np.linalg.norm(np.subtract(fix.position_m, at)) < 0.005
    assert len(searches) == 2


def test_a_sound_that_moves_is_searched_for_at_once(searches: list[float]) -> None:
    locator, listener = Locator(SITE, ROOM, Settings()), Listener(SITE, np.random.default_rng(3))
    heard(locator, listener, AT)
    told = heard(locator, listener, ELSEWHERE)
    for _ in range(2):  # what was heard is forgotten slowly, so the new place must outweigh the old one first
        told = heard(locator, listener, ELSEWHERE)
    assert len(searches) >= 2
    assert isinstance(told, Fix)
    assert np.linalg.norm(np.subtract(told.position_m, ELSEWHERE)) < 0.005


def test_most_pairs_tell_whether_all_is_lost_in_noise() -> None:
    random = np.random.default_rng(4)
    site = array_site({"shape": "box", "size_m": [3.0, 2.4, 2.0]}, {"A": (0.3, 0.3, 0.3), "B": (2.5, 2.0, 1.5)})
    group = coherent_groups(site, ROOM)[0]
    noise = random.standard_normal((len(group.pairs[0]), 2001)).astype(np.float32)
    rest = (1e-6, np.full(len(noise), 5e4), np.zeros(8), np.zeros(8))
    assert lost_in_noise([Correlations(group, noise, *rest)])
    heard_by_most = noise.copy()
    heard_by_most[: len(noise) // 2 + 1, 900] = 9.0
    assert not lost_in_noise([Correlations(group, heard_by_most, *rest)])
