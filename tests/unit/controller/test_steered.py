"""The map of standings: standard normal where nothing sounds, high and narrow where something does."""

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.localize.hull_search import HullSearch
from controller.localize.steered import Steered
from controller.measure.correlation import Correlations, correlate
from tests.support.hearing import ROOM, SPEED_M_S, Listener, Source, box_site, mean_of

SITE = box_site()
AT = (1.2, 2.4, 0.8)
LONG = 16_384
HULL = SITE.compartment(ROOM).hull
assert HULL is not None
SEARCH = HullSearch(HULL)


def functions(seed: int, *sources: Source, captures: int = 1) -> list[Correlations]:
    listener = Listener(SITE, np.random.default_rng(seed))
    heard = listener.captures(sources, captures, samples=LONG)
    return [correlate(mean) for group in listener.groups if (mean := mean_of(group, heard)) is not None]


def anywhere(count: int) -> NDArray[np.float32]:
    """Places (3, n) in the room."""
    size_m = np.array([[3.0], [2.4], [2.0]])
    return (np.random.default_rng(0).uniform(0.0, 1.0, (3, count)) * size_m).astype(np.float32)


@pytest.mark.parametrize("tolerance_m", [0.0, 0.00424, 0.01])
@pytest.mark.parametrize("captures", [1, 8])
def test_noise_stands_out_as_a_standard_normal_does(tolerance_m: float, captures: int) -> None:
    """Whatever the tolerance: the bar of the search is one for all."""
    steered = Steered(functions(3, captures=captures), SPEED_M_S, tolerance_m)
    far = steered.far(anywhere(100_000))
    # 190 pairs of some 1,600 independent lags each: mean and spread of a map are known to 1 / sqrt(1,600) and a pair's
    # average over the lags, whose weight in the room is not even, to a few times that.
    assert abs(float(far.mean())) < 0.35
    assert float(far.std()) == pytest.approx(1.0, abs=0.06)
    assert 3.5 < float(far.max()) < 6.0  # 10^5 places, fewer of them independent: 4.3 expected


def test_a_source_stands_out_where_it_is_by_all_pairs_and_wider_by_those_within_nodes() -> None:
    steered = Steered(functions(4, Source(AT, 0.5)), SPEED_M_S, 0.0)
    offset = np.linspace(-0.05, 0.05, 101, dtype=np.float32)
    places = np.array(AT, dtype=np.float32)[:, None] + np.stack([offset, 0 * offset, 0 * offset])
    far, near = steered.far(places), steered.near(places)
    assert abs(offset[far.argmax()]) <= 0.002
    assert far.max() > 30.0
    wide = [float(np.ptp(offset[values > values.max() / 2])) for values in (far, near)]
    assert wide[0] < 0.012
    assert wide[1] > 2 * wide[0]


def test_a_tolerance_forgives_a_survey_that_exactness_does_not() -> None:
    listener = Listener(SITE, np.random.default_rng(5))
    random = np.random.default_rng(6)
    moved = {name: [float(v) for v in 0.006 * random.standard_normal(3)] for name in "ABCDE"}
    heard = [listener.capture([Source(AT)], samples=LONG, moved=moved)]
    found = [correlate(mean) for group in listener.groups if (mean := mean_of(group, heard)) is not None]
    exact, tolerant = (SEARCH.best(found, SPEED_M_S, tolerance_m).candidates[0] for tolerance_m in (0.0, 0.012))
    off_m = [float(np.linalg.norm(np.subtract(found.position_m, AT))) for found in (tolerant, exact)]
    assert tolerant.standing > exact.standing
    assert off_m[0] < 0.005 < off_m[1]


@pytest.mark.parametrize("seed", range(6))
def test_what_no_pair_hears_by_itself_all_pairs_find(seed: int) -> None:
    """An amplitude of 0.15 is -16 dB: heights of 0.022 sqrt(2 x 6,650 bins) = 2.6, under a single pair's noise of 4."""
    best = SEARCH.best(functions(10 + seed, Source(AT, 0.15)), SPEED_M_S, 0.0).candidates[0]
    assert best.standing > 6.5
    assert np.linalg.norm(np.subtract(best.position_m, AT)) < 0.005


def test_microphones_that_were_not_heard_count_for_nothing() -> None:
    listener = Listener(SITE, np.random.default_rng(7))
    heard = [listener.capture([Source(AT, 0.5)], samples=LONG, nodes=("A", "B", "C"))]
    found = [correlate(mean) for group in listener.groups if (mean := mean_of(group, heard)) is not None]
    best = SEARCH.best(found, SPEED_M_S, 0.0).candidates[0]
    assert np.linalg.norm(np.subtract(best.position_m, AT)) < 0.01
    assert best.standing > 20.0
