"""Forward models: residuals at the truth, Jacobians by finite differences, whitening, and nodes left out."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.localize.forward import (
    STATE,
    DelayModel,
    HullModel,
    Model,
    SoundSpeedModel,
    sound_speed,
)
from controller.measure.tdoa import Tdoa
from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from tests.support.delays import SPEED, SURVEY, tdoa_of

NODES = ("A",) * 4 + ("B",) * 3 + ("C",) * 2


def delays(seed: int, at_m: NDArray[np.float64], *, clock_s: float = 0.0, nodes: tuple[str, ...] = NODES) -> Tdoa:
    """Exact delays of a source at `at_m` between random microphones, with a random covariance of theirs."""
    random = np.random.default_rng(seed)
    positions = random.uniform(-1, 1, (len(nodes), 3))
    root = random.normal(0.0, 1e-6, (len(nodes) - 1, len(nodes) - 1))
    covariance_s2 = root @ root.T + 1e-14 * np.eye(len(nodes) - 1)
    return tdoa_of(positions, at_m, nodes, covariance_s2=covariance_s2, clock_s=clock_s)


AT = np.array([1.3, -0.4, 0.7])
MODELS: dict[str, Model] = {
    "delays": DelayModel(delays(1, AT, clock_s=1e-7), SURVEY, SPEED),
    "hull: box": HullModel(BoxHull((3.0, 2.0, 2.0)), 0.005),
    "hull: cylinder": HullModel(CylinderHull(1.0, 3.0), 0.005),
    "speed": SoundSpeedModel(343.0, 0.6),
}


@pytest.mark.parametrize("name", MODELS)
def test_jacobians_are_finite_differences(name: str) -> None:
    model = MODELS[name]
    # Steps of 0.1 mm and 1 mm/s: the second derivative, at most 1/c/r per metre, leaves 1e-4 of a first derivative.
    for state in (
        np.array([1.3, -0.4, 0.7, 344.0]),
        np.array([0.4, 0.9, 0.6, 331.0]),
        np.array([2.1, 0.2, 0.8, 350.0]),
    ):
        residual, jacobian = model.residual(state)
        assert jacobian.shape == (len(model.rows), STATE)
        assert residual.shape == (len(model.rows),)
        for column, step in enumerate((1e-4, 1e-4, 1e-4, 1e-3)):
            ahead, behind = state.copy(), state.copy()
            ahead[column] += step
            behind[column] -= step
            slope = (model.residual(ahead)[0] - model.residual(behind)[0]) / (2 * step)
            assert jacobian[:, column] == pytest.approx(slope, rel=1e-4, abs=1e-4 * (1 + np.abs(jacobian).max()))


def test_delays_of_the_truth_leave_nothing() -> None:
    residual, _ = MODELS["delays"].residual(np.append(AT, SPEED))
    assert residual == pytest.approx(np.zeros(8), abs=1e-9)


def test_residuals_are_white_under_the_declared_errors() -> None:
    """Draw what the model says goes wrong: survey, clocks, estimate; the residuals must be unit and independent."""
    random = np.random.default_rng(2)
    clock_s = 5e-6
    exact = delays(3, AT, clock_s=clock_s)
    root = np.linalg.cholesky(exact.covariance_s2)
    model = DelayModel(exact, SURVEY, SPEED)
    owners = np.array([sorted(set(NODES)).index(node) for node in NODES])
    drawn = []
    for _ in range(4000):
        arrival = SURVEY.microphone_sigma_m / SPEED * random.standard_normal(len(NODES))
        arrival += clock_s * random.standard_normal(3)[owners]
        error = arrival[1:] - arrival[0] + root @ random.standard_normal(8)
        drawn.append(DelayModel(replace(exact, delay_s=exact.delay_s + error), SURVEY, SPEED))
    residuals = np.array([each.residual(np.append(AT, SPEED))[0] for each in drawn])
    # An element of a covariance of 4,000 draws has an sd of 1.6 %, on the diagonal 2.2 %: five of them, 36 elements.
    assert np.cov(residuals.T) == pytest.approx(np.eye(8), abs=0.11)
    assert model.rows == NODES[1:]


def test_the_distance_of_the_hull_is_in_its_sigmas() -> None:
    residual, jacobian = MODELS["hull: box"].residual(np.array([1.5, 1.0, 0.01, SPEED]))
    assert residual == pytest.approx([-2.0])  # 10 mm inside
    assert jacobian == pytest.approx(np.array([[0.0, 0.0, -200.0, 0.0]]))


def test_speed_of_sound() -> None:
    """331.3 sqrt(1 + T / 273.15) = 344.4 m/s at 22 C, 0.583 m/s a kelvin."""
    speed, sigma = sound_speed(295.15, 0.0)
    assert speed == pytest.approx(344.4, abs=0.05)
    assert sigma == pytest.approx(0.2)
    _, sigma = sound_speed(295.15, 2.0)
    assert sigma == pytest.approx(np.hypot(2 * 0.583, 0.2), rel=1e-3)


@pytest.mark.parametrize("gone", ["A", "B", "C"])
def test_leaving_a_node_out_is_never_having_had_it(gone: str) -> None:
    """The first node carries the reference of all delays, a middle one is mixed into later rows: neither may show."""
    whole = delays(4, AT, clock_s=1e-7)
    spoilt = replace(whole, delay_s=whole.delay_s.copy())
    arrival = np.concatenate([[0.0], spoilt.delay_s])
    arrival[[node == gone for node in NODES]] += 1e-3
    spoilt = replace(whole, delay_s=arrival[1:] - arrival[0])
    rest = DelayModel(spoilt, SURVEY, SPEED).without(gone)
    assert rest is not None
    assert set(rest.rows) <= set(NODES) - {gone}
    state = np.append(AT, SPEED)
    assert rest.residual(state)[0] == pytest.approx(np.zeros(len(rest.rows)), abs=1e-8)
    # Chi-square of any other state is that of the marginal distribution of the rest, told from the full covariance.
    elsewhere = np.array([1.1, -0.5, 0.9, 345.0])
    kept = np.array([i for i, node in enumerate(NODES) if node != gone])
    arrivals = np.vstack([np.zeros(8), np.eye(8)])
    difference = arrivals[kept[1:]] - arrivals[kept[0]]
    distance = np.linalg.norm(elsewhere[:3] - whole.position_m, axis=1) / elsewhere[3]
    errors = np.diag(np.full(9, (SURVEY.microphone_sigma_m / SPEED) ** 2))
    owner = np.array(NODES)
    errors += (owner[:, None] == owner[None, :]) * 1e-14
    to_first = np.hstack([-np.ones((8, 1)), np.eye(8)])
    covariance = difference @ (whole.covariance_s2 + to_first @ errors @ to_first.T) @ difference.T
    residual = (distance[kept[1:]] - distance[kept[0]]) - difference @ whole.delay_s
    expected = residual @ np.linalg.solve(covariance, residual)
    assert np.sum(rest.residual(elsewhere)[0] ** 2) == pytest.approx(expected, rel=1e-6)


def test_what_is_left_without_a_node() -> None:
    model = MODELS["delays"]
    assert model.without("Z") is model
    alone = DelayModel(delays(5, AT, nodes=("A",) * 4), SURVEY, SPEED)
    assert alone.without("A") is None
    single = DelayModel(delays(6, AT, nodes=("A", "A", "B")), SURVEY, SPEED)
    assert single.without("A") is None  # one microphone has no delay
    for name in ("hull: box", "speed"):
        assert MODELS[name].without("A") is MODELS[name]
        assert MODELS[name].rows == ("",)
