"""One node's own delays -> the direction that a sound comes from. What a direction says of a place is localize's."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.measure.tdoa import Tdoa

FLAT_SHARE = 0.05  # of an array's width: thinner ones cannot tell front from back
ROUNDS = 20
SETTLED_RAD = 1e-9

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Bearing:
    """Direction of arrival at one node, in the site frame.

    Args:
        node: whose.
        position_m: (3,) the middle of the microphones that heard it.
        direction: (3,) unit vector towards the sound.
        tangents: (2, 3) unit vectors across it, in which the next two are given.
        covariance_rad2: (2, 2) of the direction; estimate and survey errors are both in it.
        curvature_rad_m: (2,) by how much over the distance a spherical wave turns the direction that plane waves tell.
        misfit: chi-square over degrees of freedom; 0 where three microphones leave none.
    """

    node: str
    position_m: Floats
    direction: Floats
    tangents: Floats
    covariance_rad2: Floats
    curvature_rad_m: Floats
    misfit: float

    @property
    def far_m(self) -> float:
        """Beyond this distance waves are plane enough: their curvature turns the direction by less than its sigma."""
        turned = self.curvature_rad_m @ np.linalg.solve(self.covariance_rad2, self.curvature_rad_m)
        return float(np.sqrt(turned))


def bearings(tdoa: Tdoa, sound_speed_m_s: float, microphone_sigma_m: float) -> tuple[Bearing, ...]:
    """Directions that the delays of one node fit: two where its microphones lie in a plane, none where in a line.

    Plane waves, (13) in docs/estimator.md, by Gauss-Newton on the sphere. Delays say more than the direction: within
    `far_m` also the distance, so that `DelayModel` is to be preferred where the delays themselves are at hand.

    Raises:
        ValueError: delays of several nodes, whose clocks would pass for a direction.
    """
    if len(set(tdoa.nodes)) != 1:
        raise ValueError(
            f"a bearing is of one node, not of {', '.join(sorted(set(tdoa.nodes)))}; part the delays first"
        )
    places = tdoa.position_m
    apart = places[1:] - places[0]
    _, width, axes = np.linalg.svd(places - places.mean(axis=0))
    if len(places) < 3 or width[1] < FLAT_SHARE * width[0]:
        return ()
    count = len(places)
    difference = np.hstack([-np.ones((count - 1, 1)), np.eye(count - 1)])
    covariance = tdoa.covariance_s2 + (microphone_sigma_m / sound_speed_m_s) ** 2 * difference @ difference.T
    whiten = np.linalg.inv(np.linalg.cholesky(covariance)) / sound_speed_m_s
    told = whiten @ (tdoa.delay_s * sound_speed_m_s)
    matrix = whiten @ -apart  # (13): delay x c = -(m_k - m_0) u
    if len(width) > 2 and len(places) > 3 and width[2] > FLAT_SHARE * width[0]:
        starts = [np.linalg.lstsq(matrix, told, rcond=None)[0]]
    else:
        within = axes[:2]
        flat = within.T @ np.linalg.lstsq(matrix @ within.T, told, rcond=None)[0]
        out = np.sqrt(max(1.0 - float(flat @ flat), 0.05)) * axes[2]
        starts = [flat + out, flat - out]
    return tuple(_settled(tdoa, matrix, told, whiten, start) for start in starts)


def _settled(tdoa: Tdoa, matrix: Floats, told: Floats, whiten: Floats, start: Floats) -> Bearing:
    direction = start / max(float(np.linalg.norm(start)), 1e-12)
    for _ in range(ROUNDS):
        tangents = across(direction)
        step = np.linalg.lstsq(matrix @ tangents.T, told - matrix @ direction, rcond=None)[0]
        step *= min(1.0, 0.5 / max(float(np.linalg.norm(step)), 1e-12))
        direction = direction + tangents.T @ step
        direction /= np.linalg.norm(direction)
        if np.linalg.norm(step) < SETTLED_RAD:
            break
    tangents = across(direction)
    jacobian = matrix @ tangents.T
    residual = told - matrix @ direction
    freedom = len(told) - 2
    misfit = float(residual @ residual) / freedom if freedom else 0.0
    information = jacobian.T @ jacobian
    # A plane that is nearly edge-on knows nothing of one angle: half a turn is all that can be unknown.
    covariance = np.asarray(np.linalg.inv(information + np.eye(2) / np.pi**2) * max(1.0, misfit), dtype=float)
    middle = tdoa.position_m.mean(axis=0)
    aside = (tdoa.position_m - middle) - np.outer((tdoa.position_m - middle) @ direction, direction)
    sagitta = np.sum(aside**2, axis=1) / 2.0
    curvature = np.linalg.solve(information + np.eye(2) / np.pi**2, jacobian.T @ (whiten @ (sagitta[1:] - sagitta[0])))
    return Bearing(tdoa.nodes[0], middle, direction, tangents, covariance, curvature, misfit)


def across(direction: Floats) -> Floats:
    """Two unit vectors (2, 3) that span the plane across a unit vector."""
    helper = np.eye(3)[int(np.argmin(np.abs(direction)))]
    first = np.cross(direction, helper)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(direction, first)])
