"""Weighing the hull for faint sounds: likelihoods by hand, regions that hold the truth, and no region without sound."""

import numpy as np
from numpy.typing import NDArray

from controller.localize.attempt import Attempt, Limits, Refusal, Surroundings, attempt
from controller.localize.faint import MOST_CELLS, Faint, weigh
from controller.localize.verdict import Candidate, Reason
from controller.localize.volume_search import Volume
from controller.measure.clocks import parted
from controller.measure.correlation import Correlations
from firmware_bridge.site.box import BoxHull
from tests.support.delays import SPEED, SURVEY
from tests.support.hearing import box_site
from tests.support.peaks import peaked

SITE = box_site()
PLACES = np.vstack([SITE.microphones_m(node) for node in SITE.nodes])
NODES = tuple(node.name for node in SITE.nodes for _ in range(4))
HULL = BoxHull((3.0, 2.4, 2.0))
AT = np.array([1.2, 2.4, 0.8])
SIGMA_M = 0.002


def heard(seed: int, height: float, at: NDArray[np.float64] = AT, nodes: str = "ABCDE") -> tuple[Correlations, ...]:
    """Functions of each node by itself; each microphone 2 mm off, which the nodes do not know."""
    random = np.random.default_rng(seed)
    rows = [row for row, node in enumerate(NODES) if node in nodes]
    error_s = SIGMA_M / SPEED * random.standard_normal(len(rows))
    owners = [NODES[row] for row in rows]
    return parted(peaked(PLACES[rows], at, owners, random, height=height, error_s=error_s))


def found(functions: tuple[Correlations, ...]) -> Faint:
    return weigh(functions, HULL, SPEED, SIGMA_M, 0.5)


def test_the_region_holds_the_place_as_often_as_it_says() -> None:
    """Eight places at a height of 4: 95 % of them are inside; fewer than six would be one run in two hundred."""
    inside = 0
    for seed in range(8):
        random = np.random.default_rng([seed, 9])
        at = HULL.project(random.uniform(HULL.corners_m[0], HULL.corners_m[1])[None])[0]
        region = found(heard(seed, 4.0, at))
        off_m = float(np.linalg.norm(region.position_m - at))
        inside += off_m < region.radius95_m
        assert region.probability > 0.99
        assert off_m < 2.0 * region.radius95_m
    assert inside >= 6


def test_louder_is_known_no_worse_and_survey_limits_it() -> None:
    faint, loud = found(heard(3, 3.5)), found(heard(3, 12.0))
    assert loud.radius95_m < 1.1 * faint.radius95_m  # of cells of 2 cm
    # 2 mm in arrays of 6 cm radius at some 1.5 m, five of them: 2 / 60 / sqrt(5 x 2) x 1.5 m = 1.6 cm a sigma.
    assert 0.01 < loud.radius95_m < 0.15


def test_noise_has_no_region() -> None:
    region = found(heard(5, 0.0))
    assert region.probability < 0.9


def tried(functions: tuple[Correlations, ...], standing: float) -> Attempt | Refusal:
    x, y, z = (float(value) for value in AT)
    around = Surroundings(HULL, SURVEY, SPEED, 0.6)
    return attempt(functions, Candidate((x, y, z), standing), around, Limits(3.0, 0.5))


def test_a_faint_sound_of_nodes_apart_is_weighed() -> None:
    """Height 4 in 30 pairs stands sqrt(30) x 3 = 16 high, or less: single pairs need not show a peak."""
    result = tried(heard(7, 4.0), 16.0)
    assert isinstance(result, Attempt)
    assert result.steered
    assert np.linalg.norm(result.solution.state[:3] - AT) < result.radius95_m
    assert result.nodes_used == ("A", "B", "C", "D", "E")


def test_one_node_alone_cannot_tell_where_on_the_hull() -> None:
    """A direction meets the hull once, but a faint one is wide: no certain place, and the sentence says what helps."""
    result = tried(heard(8, 2.0, nodes="B"), 5.0)
    assert isinstance(result, Refusal)
    assert result.reason in {Reason.AMBIGUOUS, Reason.TOO_FEW_SENSORS}
    assert "listen longer" in result.explanation


def test_a_volume_is_weighed_in_no_more_cells_than_a_hull() -> None:
    hull, volume = BoxHull((6.0, 5.0, 4.0)), Volume((0.0, 0.0, 0.0), (6.0, 5.0, 4.0))
    weighed: list[int] = []

    class Counted(Volume):
        def grid(self, spacing_m: float) -> NDArray[np.float64]:
            places = super().grid(spacing_m)
            weighed.append(len(places))
            return places

    functions = heard(3, 4.0)
    weigh(functions, Counted(volume.low_m, volume.high_m), SPEED, SIGMA_M, 0.5)
    assert weighed[0] <= 1.2 * MOST_CELLS  # ends of rows stand over
    assert weighed[0] > len(hull.grid(0.05))
