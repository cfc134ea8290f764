"""Robust nonlinear least squares over stacked measurement models; knows no kind of measurement by name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from controller.localize.forward import STATE, Model

ROBUST_SIGMAS = 2.0  # residuals beyond this pull with constant, not growing, force


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """State (4,), covariance (4, 4), and chi-square of all rows with their degrees of freedom.

    Rows that nobody owns count as well: a place that fits only with a speed of sound that no thermometer would show,
    or beside the hull, does not fit.
    """

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    chi_square: float
    freedom: int

    @property
    def misfit(self) -> float:
        """Chi-square over degrees of freedom; about 1 when the sigmas are right."""
        return self.chi_square / max(self.freedom, 1)


def solve(models: Sequence[Model], start: NDArray[np.float64]) -> Solution | None:
    """Least squares from `start`; None where the data do not fix the state."""

    def stacked(state: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        parts = [model.residual(state) for model in models]
        return np.concatenate([r for r, _ in parts]), np.vstack([j for _, j in parts])

    if sum(len(model.rows) for model in models) < STATE:
        return None

    def residual_at(state: NDArray[np.float64]) -> NDArray[np.float64]:
        return stacked(state)[0]

    def jacobian_at(state: NDArray[np.float64]) -> NDArray[np.float64]:
        return stacked(state)[1]

    found = least_squares(
        residual_at,
        start,
        jac=jacobian_at,
        loss="soft_l1",
        f_scale=ROBUST_SIGMAS,
        x_scale=np.array([0.1, 0.1, 0.1, 1.0]),
        max_nfev=60,
    )
    residual, jacobian = stacked(found.x)
    information = jacobian.T @ jacobian
    if not np.all(np.isfinite(information)) or np.linalg.cond(information) > 1e14:
        return None
    chi_square, freedom = float(np.sum(residual**2)), len(residual) - STATE
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64) * max(1.0, chi_square / max(freedom, 1))
    return Solution(found.x, covariance, chi_square, freedom)
