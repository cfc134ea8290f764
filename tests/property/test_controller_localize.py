"""Laws of localization: it moves with the room, order does not matter, knowledge never hurts, no peak is missed."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from controller.localize.forward import DelayModel, HullModel, Model, SoundSpeedModel
from controller.localize.hull_search import APART_M, HullSearch
from controller.localize.solver import Solution, solve
from controller.measure.tdoa import Tdoa
from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull
from tests.support.delays import SPEED, SURVEY, tdoa_of
from tests.support.hearing import CYLINDER, array_site, box_site
from tests.support.peaks import peaked

BOX = BoxHull((3.0, 2.4, 2.0))
TUBE = CylinderHull(1.1, 2.6)
NODES = tuple(node for node in "ABCDE" for _ in range(4))
BOX_SITE = box_site()
IN_BOX = np.vstack([BOX_SITE.microphones_m(node) for node in BOX_SITE.nodes])
TUBE_SITE = array_site(
    CYLINDER,
    {
        "A": (0.37, 0.75, 0.55),
        "B": (2.25, 0.6, 0.65),
        "C": (1.2, 0.1, -0.95),
        "D": (0.95, -0.85, 0.4),
        "E": (2.3, -0.5, -0.6),
    },
)
IN_TUBE = np.vstack([TUBE_SITE.microphones_m(node) for node in TUBE_SITE.nodes])
seeds = st.integers(0, 2**32 - 1)


def somewhere_on(hull: Hull, seed: int) -> NDArray[np.float64]:
    """A point of the wall, away from edges where the wall has no one normal."""
    random = np.random.default_rng(seed)
    low, high = hull.corners_m
    while True:
        point = hull.project(random.uniform(low, high)[None])[0]
        inwards = point - 0.05 * hull.outward(point[None])[0]
        if abs(hull.signed_distance_m(inwards[None])[0] + 0.05) < 1e-9:
            return point


def errors(seed: int) -> NDArray[np.float64]:
    """Arrival errors of every microphone as the survey makes them."""
    return SURVEY.microphone_sigma_m / SPEED * np.random.default_rng([seed, 1]).standard_normal(len(NODES))


def known(hull: Hull) -> list[Model]:
    return [HullModel(hull, SURVEY.hull_sigma_m), SoundSpeedModel(SPEED, 0.6)]


def solved(hull: Hull, tdoas: Sequence[Tdoa], near_m: NDArray[np.float64]) -> Solution:
    models: list[Model] = [DelayModel(tdoa, SURVEY, SPEED) for tdoa in tdoas]
    solution = solve([*models, *known(hull)], np.append(near_m, SPEED))
    assert solution is not None
    return solution


@settings(max_examples=25)
@given(seed=seeds, angle=st.floats(-3.1, 3.1), mirrored=st.booleans())
def test_a_fix_in_a_tube_turns_with_the_tube(seed: int, angle: float, mirrored: bool) -> None:
    """Rotation about the axis and exchange of the ends map the tube onto itself, sensors and leak with it."""
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    shift = np.zeros(3)
    if mirrored:
        turn, shift = np.diag([-1.0, 1.0, 1.0]) @ turn, np.array([TUBE.length_m, 0.0, 0.0])
    check_motion(TUBE, IN_TUBE, somewhere_on(TUBE, seed), seed, turn, shift)


@settings(max_examples=25)
@given(seed=seeds, mirrored=st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_a_fix_in_a_box_is_mirrored_with_the_box(seed: int, mirrored: tuple[bool, bool, bool]) -> None:
    turn = np.diag([-1.0 if flip else 1.0 for flip in mirrored])
    shift = np.where(mirrored, BOX.size_m, 0.0)
    check_motion(BOX, IN_BOX, somewhere_on(BOX, seed), seed, turn, shift)


def check_motion(
    hull: Hull,
    places: NDArray[np.float64],
    leak_m: NDArray[np.float64],
    seed: int,
    turn: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> None:
    error = errors(seed)
    here = solved(hull, [tdoa_of(places, leak_m, NODES, error_s=error)], leak_m)
    moved = leak_m @ turn.T + shift
    there = solved(hull, [tdoa_of(places @ turn.T + shift, moved, NODES, error_s=error)], moved)
    # The same numbers in another frame: only where the iteration stopped may differ, by its tolerance of 1e-8 of the
    # cost, sigma x sqrt(1e-8) = 1 um; 20 um are still a thousandth of any radius.
    np.testing.assert_allclose(there.state[:3], here.state[:3] @ turn.T + shift, atol=2e-5)
    np.testing.assert_allclose(there.covariance[:3, :3], turn @ here.covariance[:3, :3] @ turn.T, rtol=0.02, atol=1e-8)


@settings(max_examples=25)
@given(seed=seeds, order=st.permutations(range(len(NODES))))
def test_shuffling_microphones_changes_nothing(seed: int, order: list[int]) -> None:
    """Not even which microphone all delays refer to, as long as each keeps its own errors."""
    leak_m = somewhere_on(TUBE, seed)
    error = errors(seed)
    # Estimates whose errors are those of arrivals: sigma 0.3 us each, so that differences have a common part.
    count = len(NODES) - 1
    covariance = 9e-14 * (np.eye(count) + np.ones((count, count)))
    plain = tdoa_of(IN_TUBE, leak_m, NODES, error_s=error, covariance_s2=covariance)
    nodes = [NODES[i] for i in order]
    mixed = tdoa_of(IN_TUBE[order], leak_m, nodes, error_s=error[order], covariance_s2=covariance)
    one, other = solved(TUBE, [plain], leak_m), solved(TUBE, [mixed], leak_m)
    # Chi-square is the same function of the state; the robust loss is not quite, as it weighs whitened rows, which are
    # other mixtures of the same errors: residuals within 2 sigmas differ in weight by up to a tenth of a sigma.
    reach = np.sqrt(np.diag(one.covariance)[:3].max())
    assert np.linalg.norm(other.state[:3] - one.state[:3]) < reach
    np.testing.assert_allclose(other.chi_square, one.chi_square, rtol=0.3)


@settings(max_examples=25)
@given(seed=seeds, order=st.permutations(range(3)))
def test_shuffling_measurements_changes_nothing(seed: int, order: list[int]) -> None:
    leak_m = somewhere_on(BOX, seed)
    error = errors(seed)
    parts = [slice(0, 8), slice(8, 12), slice(12, 20)]
    tdoas = [tdoa_of(IN_BOX[part], leak_m, NODES[part], error_s=error[part]) for part in parts]
    one, other = solved(BOX, tdoas, leak_m), solved(BOX, [tdoas[i] for i in order], leak_m)
    np.testing.assert_allclose(other.state, one.state, atol=2e-5)
    np.testing.assert_allclose(other.covariance, one.covariance, rtol=1e-3, atol=1e-9)
    np.testing.assert_allclose(other.chi_square, one.chi_square, rtol=1e-3, atol=1e-6)


@settings(max_examples=25)
@given(seed=seeds, extra=st.integers(2, 6))
def test_an_exact_extra_measurement_never_enlarges_the_covariance(seed: int, extra: int) -> None:
    random = np.random.default_rng(seed)
    leak_m = somewhere_on(TUBE, seed)
    first = tdoa_of(IN_TUBE[:8], leak_m, NODES[:8])
    more_places = TUBE.project(random.uniform([0.0, -1.1, -1.1], [2.6, 1.1, 1.1], (extra, 3))) * 0.95
    second = tdoa_of(more_places, leak_m, ("X",) * extra)
    without, together = solved(TUBE, [first], leak_m), solved(TUBE, [first, second], leak_m)
    # Their difference has no positive direction, beyond rounding of the inverse.
    gained = np.linalg.eigvalsh(together.covariance - without.covariance)
    assert gained.max() < 1e-6 * np.linalg.eigvalsh(without.covariance).max()


SEARCHES: dict[str, tuple[HullSearch, Hull, NDArray[np.float64]]] = {
    "box": (HullSearch(BOX), BOX, IN_BOX[:12]),
    "tube": (HullSearch(TUBE), TUBE, IN_TUBE[:12]),
}


@settings(max_examples=12)
@given(seed=seeds, shape=st.sampled_from(sorted(SEARCHES)))
def test_the_search_walks_over_no_peak(seed: int, shape: str) -> None:
    """Wherever on the wall the leak is, edges included, and however it lies between the points of the coarse grid."""
    search, hull, places = SEARCHES[shape]
    random = np.random.default_rng(seed)
    low, high = hull.corners_m
    leak_m = hull.project(random.uniform(low, high)[None])[0]
    functions = peaked(places, leak_m, NODES[: len(places)], random)
    candidates = search.best([functions], SPEED, 0.004).candidates
    # The finest step is 2.5 mm, its patches' corners 1.8 mm away; the survey's tolerance of 4 mm flattens the top.
    assert np.linalg.norm(np.subtract(candidates[0].position_m, leak_m)) < 0.02
    assert candidates[0].standing > 8.0
    for i, one in enumerate(candidates):
        assert abs(hull.signed_distance_m(np.array([one.position_m]))[0]) < 1e-9
        apart = [np.linalg.norm(np.subtract(one.position_m, other.position_m)) for other in candidates[:i]]
        assert all(distance >= APART_M for distance in apart)
    standings = [candidate.standing for candidate in candidates]
    assert standings == sorted(standings, reverse=True)
