"""The radius that people are told holds 95 % of the probability, whatever the region's shape."""

import numpy as np
import pytest

from controller.localize.region import radius95_m

DRAWS = 200_000


@pytest.mark.parametrize("ratio", [0.0, 0.13, 0.37, 0.5, 0.84, 1.0])
@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_it_holds_95_percent_of_draws(ratio: float, turn: float) -> None:
    axes = np.array([[np.cos(turn), np.sin(turn), 0.0], [-np.sin(turn), np.cos(turn), 0.0]])
    sigmas_m = np.array([0.02, 0.02 * ratio])
    covariance = axes.T @ np.diag(sigmas_m**2) @ axes + np.diag(
        [0.0, 0.0, 0.01]
    )  # what is across the wall is no matter
    radius = float(radius95_m(covariance, np.array([0.0, 0.0, 1.0])))
    drawn = np.random.default_rng(7).standard_normal((DRAWS, 2)) * sigmas_m
    # The binomial's standard deviation is 0.05 %; linear interpolation of the table is 0.02 % off at most.
    assert np.mean(np.hypot(*drawn.T) <= radius) == pytest.approx(0.95, abs=0.002)


def test_a_point_has_no_size_and_many_are_asked_for_at_once() -> None:
    flat = np.array([1.0, 0.0, 0.0])
    covariances = np.stack([np.zeros((3, 3)), np.eye(3) * 1e-4])
    assert radius95_m(covariances, np.stack([flat, flat])) == pytest.approx([0.0, 2.4477e-2], rel=1e-3)
