"""The solver on stacked models: exact data, noise, one wrong delay, too few data."""

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.localize.forward import DelayModel, HullModel, Model, SoundSpeedModel
from controller.localize.solver import Solution, solve
from firmware_bridge.site.box import BoxHull
from tests.support.delays import SPEED, SURVEY, tdoa_of
from tests.support.hearing import box_site

HULL = BoxHull((3.0, 2.4, 2.0))
SITE = box_site()
PLACES = np.vstack([SITE.microphones_m(node) for node in SITE.nodes])
NODES = tuple(node.name for node in SITE.nodes for _ in range(4))
AT = np.array([1.2, 2.4, 0.8])
START = np.append(AT + np.array([0.02, 0.0, -0.015]), SPEED + 0.4)


def models(error_s: NDArray[np.float64] | float = 0.0, nodes: str = "ABCDE") -> list[Model]:
    rows = [i for i, node in enumerate(NODES) if node in nodes]
    errors = np.broadcast_to(error_s, len(NODES))[rows]
    tdoa = tdoa_of(PLACES[rows], AT, [NODES[i] for i in rows], error_s=errors)
    return [
        DelayModel(tdoa, SURVEY, SPEED),
        HullModel(HULL, SURVEY.hull_sigma_m),
        SoundSpeedModel(SPEED, 0.6),
    ]


def solved(error_s: NDArray[np.float64] | float = 0.0, nodes: str = "ABCDE") -> Solution:
    solution = solve(models(error_s, nodes), START)
    assert solution is not None
    return solution


def test_exact_delays_give_the_place() -> None:
    solution = solved()
    assert solution.state[:3] == pytest.approx(AT, abs=1e-5)
    assert solution.state[3] == pytest.approx(SPEED, abs=1e-3)
    assert solution.chi_square == pytest.approx(0.0, abs=1e-6)
    assert solution.freedom == 19 - 2  # of the delays; hull and speed are nobody's rows


def test_errors_scatter_as_the_covariance_says() -> None:
    random = np.random.default_rng(1)
    arrival_sigma_s = np.hypot(SURVEY.microphone_sigma_m / SPEED, np.sqrt(1e-13))  # covariance of delays: 1e-13 (1 + I)
    away, misfits, claimed = [], [], []
    for _ in range(150):
        solution = solved(arrival_sigma_s * random.standard_normal(len(NODES)))
        away.append(solution.state[:3] - AT)
        misfits.append(solution.misfit)
        claimed.append(solution.covariance[:3, :3] / max(1.0, solution.misfit))
    # The hull row is always exact here, so only the place on it scatters: x and z. A variance from 150 draws has an sd
    # of 12 %; robust weights beyond 2 sigmas cost a few per cent of efficiency: 0.6 to 1.5.
    scatter = np.cov(np.array(away).T)
    ratio = np.diag(scatter)[[0, 2]] / np.diag(np.mean(claimed, axis=0))[[0, 2]]
    assert np.all((ratio > 0.6) & (ratio < 1.5))
    # Of 19 rows between two degrees of freedom (the place on the wall) and four (depth and speed as well) are fitted,
    # over 17: 15 / 17 to 1, with an sd of sqrt(2 / 17 / 150) = 0.03.
    assert 15 / 17 - 0.12 < np.mean(misfits) < 1.12


def test_a_contradiction_widens_the_covariance() -> None:
    random = np.random.default_rng(2)
    calm, noisy = solved(), solved(3 * SURVEY.microphone_sigma_m / SPEED * random.standard_normal(len(NODES)))
    assert noisy.misfit > 4
    # The covariance at a slightly other place, times chi-square over freedom.
    ratio = np.trace(noisy.covariance[:3, :3]) / np.trace(calm.covariance[:3, :3])
    assert ratio == pytest.approx(noisy.misfit, rel=0.1)


def test_one_microphone_far_off_shows_in_the_misfit_whichever_it_is() -> None:
    """50 us are 17 mm, eight of the survey's sigmas: 64 over 17 degrees of freedom where 1 is usual and 3 allowed."""
    for microphone in range(len(NODES)):
        error = np.zeros(len(NODES))
        error[microphone] = 50e-6
        assert 3.0 < solved(error).misfit < (50e-6 * SPEED / SURVEY.microphone_sigma_m) ** 2 / 17, microphone


@pytest.mark.parametrize("off_m_s", [-9.0, 9.0])
def test_a_place_that_needs_another_speed_of_sound_does_not_fit(off_m_s: float) -> None:
    """Exact delays, and a thermometer 15 K off: 15 sigmas, which is 225 over 17 degrees of freedom, some of it shared.

    Rows that belong to no node count in the misfit, or delays that are off could be bent right with the speed.
    """
    delays, hull, _ = models()
    solution = solve([delays, hull, SoundSpeedModel(SPEED + off_m_s, 0.6)], START)
    assert solution is not None
    assert solution.misfit > 3.0


def test_too_few_rows_and_blind_rows_are_no_solution() -> None:
    only_hull_and_speed = models()[1:]
    assert solve(only_hull_and_speed, START) is None
    repeated = [HullModel(HULL, 0.005)] * 6  # enough rows, but they say nothing of where along the wall
    assert solve(repeated, START) is None


def test_fewer_nodes_know_less() -> None:
    sizes = [np.trace(solved(nodes=nodes).covariance[:3, :3]) for nodes in ("ABCDE", "ABC", "AB")]
    assert sizes == sorted(sizes)
