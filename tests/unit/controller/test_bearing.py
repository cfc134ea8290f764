"""Bearings against geometry, their covariance against many draws, and their model against numerical differences."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from controller.localize.bearing_model import BearingModel
from controller.localize.forward import DelayModel, HullModel, Model, SoundSpeedModel
from controller.localize.solver import solve
from controller.measure.bearing import Bearing, bearings
from firmware_bridge.site.box import BoxHull
from tests.support.delays import SPEED, SURVEY, tdoa_of

TETRAHEDRON = np.array([[-1, -1, -1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]]) * 0.035
SQUARE = np.array([[-1, -1, 0], [-1, 1, 0], [1, -1, 0], [1, 1, 0]]) * 0.04
SIGMA_M = 0.002
seeds = st.integers(0, 2**32 - 1)


def towards(source: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((source - centre) / np.linalg.norm(source - centre))


def heard(
    source: NDArray[np.float64], shape: NDArray[np.float64] = TETRAHEDRON, error_s: NDArray[np.float64] | float = 0.0
) -> tuple[Bearing, ...]:
    return bearings(tdoa_of(shape, source, ("A",) * len(shape), error_s=error_s), SPEED, SIGMA_M)


@settings(max_examples=30)
@given(seed=seeds)
def test_far_away_the_bearing_points_at_the_source(seed: int) -> None:
    source = np.random.default_rng(seed).standard_normal(3)
    source *= 400.0 / np.linalg.norm(source)
    (bearing,) = heard(source)
    # Curvature: 6 cm over twice 400 m, 8e-5 rad; the delays are exact.
    assert bearing.direction == pytest.approx(towards(source, np.zeros(3)), abs=1e-4)


@settings(max_examples=30)
@given(seed=seeds, away_m=st.floats(0.5, 3.0))
def test_waves_that_are_not_plane_are_allowed_for(seed: int, away_m: float) -> None:
    """At the truth the model's residual is that of the next order, (a / R)^2 times a / R of the first: 0.06^2 / R^2."""
    source = np.random.default_rng(seed).standard_normal(3)
    source *= away_m / np.linalg.norm(source)
    (bearing,) = heard(source)
    residual, _ = BearingModel(bearing).residual(np.append(source, SPEED))
    angles = np.linalg.cholesky(bearing.covariance_rad2) @ residual
    assert np.linalg.norm(angles) < (0.061 / away_m) ** 2


def test_a_flat_array_has_two_bearings_one_of_them_right_and_a_line_none() -> None:
    source = np.array([100.0, 40.0, 70.0])
    found = heard(source, SQUARE)
    assert len(found) == 2
    truth = towards(source, np.zeros(3))
    assert min(np.linalg.norm(bearing.direction - truth) for bearing in found) < 1e-3
    mirrored = truth * [1, 1, -1]
    assert min(np.linalg.norm(bearing.direction - mirrored) for bearing in found) < 1e-3
    line = np.array([[0.0, 0, 0], [0.04, 0, 0], [0.08, 0, 0]])
    assert heard(source, line) == ()


def test_several_nodes_have_no_bearing() -> None:
    with pytest.raises(ValueError, match="part the delays"):
        bearings(tdoa_of(TETRAHEDRON, (1.0, 1.0, 1.0), ("A", "A", "B", "B")), SPEED, SIGMA_M)


def test_the_covariance_is_that_of_many_surveys() -> None:
    """Arrivals off by 2 mm of survey and, by tdoa_of's covariance, 0.3 us: chi-square of 2 angles, 400 draws."""
    random = np.random.default_rng(1)
    source = np.array([30.0, -20.0, 10.0])
    squares = []
    for _ in range(400):
        error_s = np.hypot(SIGMA_M / SPEED, np.sqrt(1e-13)) * random.standard_normal(4)
        (bearing,) = heard(source, error_s=error_s)
        narrow = replace(bearing, covariance_rad2=bearing.covariance_rad2 / max(1.0, bearing.misfit))
        residual, _ = BearingModel(narrow).residual(np.append(source, SPEED))
        squares.append(float(residual @ residual))
    # Mean 2, variance 4 / 400: five sigmas are 0.5. Without the misfit's widening, for that is on the safe side.
    assert np.mean(squares) == pytest.approx(2.0, abs=0.5)


@settings(max_examples=40)
@given(seed=seeds)
def test_the_jacobian_is_that_of_numerical_differences(seed: int) -> None:
    random = np.random.default_rng(seed)
    (bearing,) = heard(np.array([1.0, 0.7, -0.4]))
    model = BearingModel(bearing)
    state = np.append(random.uniform(-2.0, 2.0, 3), SPEED)
    off = state[:3] - bearing.position_m
    if np.linalg.norm(off) < 0.3 or float(bearing.direction @ off) < -0.95 * np.linalg.norm(off):
        return  # beside the node, and right behind it, a direction has no derivative
    value, jacobian = model.residual(state)
    for column in range(4):
        step = np.zeros(4)
        step[column] = 1e-6
        numeric = (model.residual(state + step)[0] - model.residual(state - step)[0]) / 2e-6
        # Central differences: 1e-6 squared times a third derivative of some 1e4, and rounding of 1e-16 x 30 / 1e-6.
        assert jacobian[:, column] == pytest.approx(numeric, abs=1e-4 * max(1.0, float(np.abs(jacobian).max())))
    assert np.all(np.isfinite(value))


def test_bearings_of_three_nodes_say_what_their_delays_say() -> None:
    hull = BoxHull((3.0, 2.4, 2.0))
    leak = np.array([1.2, 2.4, 0.8])
    centres = np.array([[0.3, 0.3, 0.3], [2.7, 0.4, 1.6], [0.4, 0.5, 1.7]])
    known: list[Model] = [HullModel(hull, SURVEY.hull_sigma_m), SoundSpeedModel(SPEED, 0.6)]
    delays, angles = list(known), list(known)
    random = np.random.default_rng(3)
    for name, centre in zip("ABC", centres, strict=True):
        error_s = SURVEY.microphone_sigma_m / SPEED * random.standard_normal(4)
        tdoa = tdoa_of(TETRAHEDRON + centre, leak, (name,) * 4, error_s=error_s)
        delays.append(DelayModel(tdoa, SURVEY, SPEED))
        angles += [BearingModel(bearing) for bearing in bearings(tdoa, SPEED, SURVEY.microphone_sigma_m)]
    start = np.append(leak + np.array([0.1, 0.0, -0.1]), SPEED)
    by_delay, by_angle = solve(delays, start), solve(angles, start)
    assert by_delay is not None
    assert by_angle is not None
    # Delays know more, but at 2 m and 2 mm of survey hardly: a third of the sigma, some 2 cm, apart.
    sigma_m = float(np.sqrt(np.trace(by_delay.covariance[:3, :3])))
    assert np.linalg.norm(by_angle.state[:3] - by_delay.state[:3]) < sigma_m
    assert np.linalg.norm(by_angle.state[:3] - leak) < 4.0 * sigma_m


def test_without_its_node_nothing_is_left() -> None:
    (bearing,) = heard(np.array([1.0, 2.0, 3.0]))
    model = BearingModel(bearing)
    assert model.rows == ("A", "A")
    assert model.without("A") is None
    assert model.without("B") is model


def test_near_is_told_from_far() -> None:
    """Sagitta of 6 cm at R: 0.06^2 / 2 R; 2 mm of survey are as much at R = 0.9 m, give or take the array's shape."""
    (bearing,) = heard(np.array([3.0, 2.0, 1.0]))
    assert 0.05 < bearing.far_m < 2.0
