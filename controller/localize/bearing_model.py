"""What a leak at a point would make a node's bearing be. How bearings are measured is measure's."""

import numpy as np
from numpy.typing import NDArray

from controller.localize.forward import STATE
from controller.measure.bearing import Bearing

LEAST_M = 0.01  # nearer than this a node has no direction


class BearingModel:
    """Direction from one node to the source, waves' curvature included, in the tangent plane of what was measured."""

    def __init__(self, bearing: Bearing) -> None:
        """Whiten once; the bearing's covariance holds survey errors already."""
        self._bearing = bearing
        self._whiten = np.linalg.inv(np.linalg.cholesky(bearing.covariance_rad2))

    @property
    def rows(self) -> tuple[str, ...]:
        """Both angles are the node's."""
        return (self._bearing.node, self._bearing.node)

    def without(self, node: str) -> "BearingModel | None":
        """Nothing is left without the node itself."""
        return None if node == self._bearing.node else self

    def residual(self, state: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Whitened angles (2,) between both directions, (14) in docs/estimator.md, and their Jacobian (2, 4).

        Angles are true ones on the sphere, up to pi for the opposite direction: no source behind a node fits.
        """
        bearing = self._bearing
        offset = state[:3] - bearing.position_m
        distance = max(float(np.linalg.norm(offset)), LEAST_M)
        towards = offset / distance
        aside, along = bearing.tangents @ towards, float(bearing.direction @ towards)
        sine = float(np.linalg.norm(aside))
        angle = float(np.arctan2(sine, along))
        stretch = angle / sine if sine > 1e-9 else 1.0  # behind, where sine is 0 too, any turn is as good as another
        value = stretch * aside + bearing.curvature_rad_m / distance
        turned = stretch * bearing.tangents
        if sine > 1e-9:
            # d angle = along d sine - sine d along, as both are on the unit circle.
            d_sine = aside @ bearing.tangents / sine
            d_stretch = (along * d_sine - sine * bearing.direction) / sine - stretch * d_sine / sine
            turned = turned + np.outer(aside, d_stretch)
        jacobian = np.zeros((2, STATE))
        jacobian[:, :3] = turned @ (np.eye(3) - np.outer(towards, towards)) / distance
        jacobian[:, :3] -= np.outer(bearing.curvature_rad_m, towards) / distance**2
        return self._whiten @ value, self._whiten @ jacobian
