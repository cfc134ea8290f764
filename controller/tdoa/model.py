"""How far a sound travels to each sensor: from a point, or as a plane wave from a direction. No fitting lives here."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from controller.tdoa.epoch import Floats

HORIZON = 1e4  # sensor spreads; beyond it wave fronts are plane to 1e-8 of the spread, which no clock resolves


class Model(Protocol):
    """Paths (rows, sensors) in metres up to a constant, for states (rows, dims)."""

    @property
    def steps(self) -> int:
        """Free parameters of a state."""

    def paths(self, state: Floats) -> Floats:
        """Path lengths in metres."""

    def slopes(self, state: Floats) -> Floats:
        """Their derivatives (rows, sensors, steps)."""

    def moved(self, state: Floats, step: Floats) -> Floats:
        """The state after a step (rows, steps)."""


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """A point: path to sensor s is |x - s| (docs/solve.md eq. 1)."""

    sensor_m: Floats
    reach_m: float

    @property
    def steps(self) -> int:
        """One a dimension."""
        return int(self.sensor_m.shape[1])

    def paths(self, state: Floats) -> Floats:
        """Distances."""
        return np.asarray(np.linalg.norm(state[:, None, :] - self.sensor_m, axis=2))

    def slopes(self, state: Floats) -> Floats:
        """Unit vectors from sensor to point; a point upon a sensor has a slope of zero toward it."""
        apart = state[:, None, :] - self.sensor_m
        distance = np.linalg.norm(apart, axis=2, keepdims=True)
        return np.asarray(apart / np.maximum(distance, 1e-12 * self.reach_m))

    def moved(self, state: Floats, step: Floats) -> Floats:
        """Kept inside the horizon around the frame's origin."""
        limit = HORIZON * self.reach_m
        moved = np.clip(np.nan_to_num(state + step), -limit, limit)
        far = np.linalg.norm(moved, axis=1, keepdims=True) / limit
        return np.asarray(moved / np.maximum(far, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Far:
    """A plane wave from unit direction u: the path to s is -s.u (docs/solve.md eq. 7); steps are along `tangents`."""

    sensor_m: Floats

    @property
    def steps(self) -> int:
        """Angles: one in a plane, two in space."""
        return int(self.sensor_m.shape[1]) - 1

    def paths(self, state: Floats) -> Floats:
        """Path lengths against the frame's origin."""
        return np.asarray(-state @ self.sensor_m.T)

    def slopes(self, state: Floats) -> Floats:
        """Path per radian along each tangent."""
        return np.asarray(-np.einsum("pkd,md->pmk", tangents(state), self.sensor_m))

    def moved(self, state: Floats, step: Floats) -> Floats:
        """Along the tangents and back upon the sphere; at most half a radian at once."""
        size = np.linalg.norm(step, axis=1, keepdims=True)
        step = step * np.minimum(1.0, 0.5 / np.maximum(size, 1e-300))
        moved = state + np.einsum("pk,pkd->pd", step, tangents(state))
        return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True))


def tangents(direction: Floats) -> Floats:
    """Unit tangents (rows, dims - 1, dims): toward growing azimuth, then toward growing elevation."""
    azimuth = np.arctan2(direction[:, 1], direction[:, 0])
    if direction.shape[1] == 2:
        return np.stack([-np.sin(azimuth), np.cos(azimuth)], axis=1)[:, None, :]
    east = np.stack([-np.sin(azimuth), np.cos(azimuth), np.zeros(len(azimuth))], axis=1)
    return np.stack([east, np.cross(direction, east)], axis=1)
