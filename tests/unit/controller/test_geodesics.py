"""Ways over hulls against closed forms, brute force and Dudeney's spider; their directions against differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from controller.localize.forward import STATE
from controller.localize.geodesic_model import GeodesicDelay, PathDifferences
from controller.localize.geodesics import Geodesics
from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.placed import place
from firmware_bridge.site.sphere import SphereHull

TUBE = CylinderHull(1.1, 4.0)
BOX = BoxHull((2.2, 2.1, 2.6))
seeds = st.integers(0, 2**32 - 1)


def on_tube(x: float, angle: float) -> list[float]:
    return [x, 1.1 * np.cos(angle), 1.1 * np.sin(angle)]


def length(hull: CylinderHull | BoxHull, one: list[float], other: list[float]) -> float:
    return float(Geodesics(hull, np.array([other])).ways(np.array([one])).length_m[0, 0])


@settings(max_examples=20, deadline=None)
@given(x=st.floats(0.1, 3.9), y=st.floats(0.1, 3.9), turn=st.floats(-6.0, 6.0))
def test_on_the_side_ways_are_helices_the_short_way_around(x: float, y: float, turn: float) -> None:
    short = abs((turn + np.pi) % (2 * np.pi) - np.pi)
    assert length(TUBE, on_tube(x, 0.3), on_tube(y, 0.3 + turn)) == pytest.approx(
        np.hypot(x - y, 1.1 * short), abs=1e-8
    )


def test_over_a_rim_ways_are_the_shortest_of_all_places_to_cross_it() -> None:
    """By brute force over 20,000 places of the rim: 0.35 mm apart, of second order in the length."""
    inside, beside = [0.0, 0.4, -0.3], on_tube(0.7, 2.0)
    angle = np.linspace(0.0, 2.0 * np.pi, 20_001)
    rim = np.column_stack([np.zeros_like(angle), 1.1 * np.cos(angle), 1.1 * np.sin(angle)])
    turn = np.angle(np.exp(1j * (angle - 2.0)))
    brute = float((np.linalg.norm(rim - inside, axis=1) + np.hypot(0.7, 1.1 * turn)).min())
    assert length(TUBE, inside, beside) == pytest.approx(brute, abs=1e-4)
    assert length(TUBE, beside, inside) == pytest.approx(brute, abs=1e-4)
    # From end to end along the same angle: straight over both rims.
    assert length(TUBE, [0.0, 0.8, 0.0], [4.0, 0.8, 0.0]) == pytest.approx(0.3 + 4.0 + 0.3, abs=1e-3)


def test_the_spider_and_the_fly() -> None:
    """Dudeney 1903: in a room of 30 x 12 x 12 feet the shortest way is 40 feet, over five faces."""
    assert length(BoxHull((30.0, 12.0, 12.0)), [0.0, 6.0, 11.0], [30.0, 6.0, 1.0]) == pytest.approx(40.0, abs=1e-9)


@settings(max_examples=6, deadline=None)
@given(seed=seeds)
def test_there_is_as_far_as_back_and_no_detour_is_shorter(seed: int) -> None:
    for hull in (TUBE, BOX):
        grid = hull.grid(0.3)
        one, other, third = (grid[at].tolist() for at in np.random.default_rng(seed).choice(len(grid), 3))
        # Over both rims: the second is taken in steps of 4 cm, a millimetre at most where ways run close beside it.
        assert length(hull, one, other) == pytest.approx(length(hull, other, one), abs=2e-3)
        assert length(hull, one, other) <= length(hull, one, third) + length(hull, third, other) + 4e-3
        assert length(hull, one, other) >= np.linalg.norm(np.subtract(one, other)) - 1e-9


def test_a_hull_elsewhere_has_the_same_ways_and_a_sphere_none_that_are_known() -> None:
    placed = place(TUBE, (5.0, -2.0, 1.0), "+z")
    points = TUBE.grid(0.7)[:20]
    here = Geodesics(TUBE, points[:3]).ways(points)
    there_points = placed.project(placed.grid(0.7)[:20])
    there = Geodesics(placed, there_points[:3]).ways(there_points)
    assert there.length_m == pytest.approx(here.length_m, abs=1e-6)
    with pytest.raises(ValueError, match="cylinders and boxes"):
        Geodesics(SphereHull(1.0), np.array([[1.0, 0.0, 0.0]]))


def model_on(hull: CylinderHull | BoxHull, random: np.random.Generator) -> tuple[GeodesicDelay, NDArray[np.float64]]:
    grid = hull.grid(0.2)
    sensors = grid[random.choice(len(grid), 5, replace=False)]
    first, second = np.triu_indices(5, k=1)
    told = PathDifferences(first, second, random.normal(size=10), np.full(10, 0.01))
    return GeodesicDelay(told, Geodesics(hull, sensors), ("A", "A", "B", "B", "C"), 0.003), grid


@settings(max_examples=6, deadline=None)
@given(seed=seeds)
def test_the_jacobian_is_that_of_numerical_differences_along_the_skin(seed: int) -> None:
    random = np.random.default_rng(seed)
    for hull in (TUBE, BOX):
        model, grid = model_on(hull, random)
        at = grid[random.integers(len(grid))]
        normal = hull.outward(at[None])[0]
        along = np.cross(normal, random.standard_normal(3))
        along /= np.linalg.norm(along)
        state, step = np.append(at, 1.02), np.zeros(STATE)
        step[:3] = 1e-4 * along
        _, jacobian = model.residual(state)
        sides = [model.residual(state + sign * step)[0] for sign in (1.0, -1.0)]
        numeric = (sides[0] - sides[1]) / 2e-4
        off = np.abs(jacobian[:, :3] @ along - numeric)
        # Whitened by 1 cm and more: slopes up to 200. Where another way becomes the shortest there is a bend, and way
        # over rims are found to a tenth of a millimetre: of ten pairs nearly all agree.
        assert np.mean(off < 8.0) >= 0.6
        stretch = np.array([0.0, 0.0, 0.0, 1e-5])
        numeric = (model.residual(state + stretch)[0] - model.residual(state - stretch)[0]) / 2e-5
        assert jacobian[:, 3] == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_a_node_less() -> None:
    model, _ = model_on(BOX, np.random.default_rng(1))
    assert len(model.rows) == 10
    rest = model.without("A")
    assert rest is not None
    assert len(rest.rows) == 3
    assert rest.without("B") is None
