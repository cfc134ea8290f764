"""Boxes and cylinders as the ways sound takes in them: the specular paths from a source to receivers.

Round and tapered rooms live in `revolution`; what air and walls take away on the way is up to `transfer`.
"""

import math
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.world.sound.billiard import rim_corners, rim_paths, settled
from sim.world.sound.paths import FOCUS_LIMIT, NEAREST_M, WALL_SKIN_M, Paths, check_paths, laid_out

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Room(Protocol):
    """Anything that can list the ways of sound inside it."""

    @property
    def volume_m3(self) -> float:
        """Volume, m3."""
        ...

    @property
    def surface_m2(self) -> float:
        """Area of all walls, m2."""
        ...

    @property
    def centre_m(self) -> tuple[float, float, float]:
        """Middle of the room, room's frame."""
        ...

    def clearance_m(self, points_m: FloatArray) -> FloatArray:
        """Distance (n,) of points (n, 3) to the nearest wall, m; negative outside."""
        ...

    def paths(self, source_m: FloatArray, receivers_m: FloatArray, reflections: int) -> Paths:
        """Paths from `source_m` (3,) to `receivers_m` (m, 3), m in the room's frame, up to so many bounces.

        Raises:
            ValueError: a point outside the room or a negative number of reflections.
        """
        ...


@dataclass(frozen=True, slots=True)
class BoxRoom:
    """A box with one corner at the origin and its edges along the axes; lengths in m.

    A source within 2 mm of a wall is put on it, and that wall does not mirror it: the level of a source on a
    wall is what it radiates into the room with the wall at its back.
    """

    x_m: float
    y_m: float
    z_m: float

    @property
    def volume_m3(self) -> float:
        """Volume, m3."""
        return self.x_m * self.y_m * self.z_m

    @property
    def surface_m2(self) -> float:
        """Area of the six walls, m2."""
        return 2.0 * (self.x_m * self.y_m + self.y_m * self.z_m + self.z_m * self.x_m)

    @property
    def centre_m(self) -> tuple[float, float, float]:
        """Middle of the box."""
        return self.x_m / 2.0, self.y_m / 2.0, self.z_m / 2.0

    def clearance_m(self, points_m: FloatArray) -> FloatArray:
        """See `Room.clearance_m`; outside, minus the largest overshoot along one axis."""
        size_m = np.array([self.x_m, self.y_m, self.z_m])
        nearest: FloatArray = np.minimum(points_m, size_m - points_m).min(axis=1)
        return nearest

    def paths(self, source_m: FloatArray, receivers_m: FloatArray, reflections: int) -> Paths:
        """Image sources up to the total order `reflections` (Allen and Berkley 1979); see `Room.paths`."""
        check_paths(reflections, self.clearance_m(np.vstack([source_m, receivers_m])))
        size_m = np.array([self.x_m, self.y_m, self.z_m])
        axes = [_axis_images(float(source_m[i]), float(size_m[i]), reflections) for i in range(3)]
        images = [image for image in product(*axes) if sum(count for _, count in image) <= reflections]
        places = np.array([[place for place, _ in image] for image in images])
        counts = np.array([sum(count for _, count in image) for image in images])
        length_m = np.linalg.norm(receivers_m[:, None, :] - places, axis=2)
        bounces = np.broadcast_to(counts, length_m.shape)
        receiver = np.broadcast_to(np.arange(len(receivers_m))[:, None], length_m.shape)
        gain = 1.0 / np.maximum(length_m, NEAREST_M)
        ends = np.broadcast_to(receivers_m[:, None, :], (*length_m.shape, 3)).reshape(-1, 3)
        starts = np.broadcast_to(places, (*length_m.shape, 3)).reshape(-1, 3)
        crossings = [_crossings(ends[:, i], starts[:, i], float(size_m[i]), reflections) for i in range(3)]
        share = np.sort(np.hstack([np.zeros((len(ends), 1)), *crossings, np.ones((len(ends), 1))]), axis=1)
        share = share[:, : reflections + 2]
        share[:, -1] = 1.0
        unfolded = starts[:, None, :] + share[:, :, None] * (ends - starts)[:, None, :]
        corners = _folded(unfolded, size_m)
        return laid_out(len(receivers_m), receiver.ravel(), length_m.ravel(), bounces.ravel(), gain.ravel(), corners)


@dataclass(frozen=True, slots=True)
class CylinderRoom:
    """A round hull with flat ends: its axis is x from 0 to `length_m`, centred on y = z = 0; lengths in m.

    A source within 2 mm of the wall or of an end is put on it and is not mirrored by it.
    """

    radius_m: float
    length_m: float

    @property
    def volume_m3(self) -> float:
        """Volume, m3."""
        return math.pi * self.radius_m**2 * self.length_m

    @property
    def surface_m2(self) -> float:
        """Area of wall and ends, m2."""
        return math.tau * self.radius_m * (self.radius_m + self.length_m)

    @property
    def centre_m(self) -> tuple[float, float, float]:
        """Middle of the axis."""
        return self.length_m / 2.0, 0.0, 0.0

    def clearance_m(self, points_m: FloatArray) -> FloatArray:
        """See `Room.clearance_m`; outside, minus the larger of the overshoots of wall and end."""
        x_m, radial_m = points_m[:, 0], np.hypot(points_m[:, 1], points_m[:, 2])
        nearest: FloatArray = np.minimum(np.minimum(x_m, self.length_m - x_m), self.radius_m - radial_m)
        return nearest

    def paths(self, source_m: FloatArray, receivers_m: FloatArray, reflections: int) -> Paths:
        """Billiard paths of the cross-section combined with images in the ends; see `Room.paths`.

        A bounce off the wall keeps the axial part of the direction: the length is hypot(plane, axial). From
        the area of a pencil of rays (Jacobian of the landing point) the gain is sqrt(plane / width) / length,
        which is 1 / length without focusing; the focusing factor is bounded at 3 beside caustics.
        """
        check_paths(reflections, self.clearance_m(np.vstack([source_m, receivers_m])))
        ends = _axis_images(float(source_m[0]), self.length_m, reflections)
        receiver, length, bounces, gain, corners = [], [], [], [], []
        for wall_bounces in range(reflections + 1):
            index, plane_m, focus, rim_m = self._plane_paths(source_m[1:], receivers_m[:, 1:], wall_bounces)
            for image_m, end_bounces in ends:
                if wall_bounces + end_bounces > reflections:
                    continue
                x_m = receivers_m[index, 0]
                path_m = np.hypot(plane_m, x_m - image_m)
                receiver.append(index)
                length.append(path_m)
                bounces.append(np.full(len(index), wall_bounces + end_bounces))
                gain.append(focus / np.maximum(path_m, NEAREST_M))
                corners.append(self._corners(rim_m, image_m, x_m, reflections))
        flat = [np.concatenate(part) for part in (receiver, length, bounces, gain, corners)]
        return laid_out(len(receivers_m), *flat)

    def _plane_paths(
        self,
        source_m: FloatArray,
        receivers_m: FloatArray,
        bounces: int,
    ) -> tuple[NDArray[np.intp], FloatArray, FloatArray, FloatArray]:
        """Receiver index, plane length, focus and corners (n, bounces + 2, 2) of paths with so many bounces."""
        start = settled(self.radius_m, source_m)
        if bounces == 0:
            direct_m = np.linalg.norm(receivers_m - start, axis=1)
            straight = np.stack([np.broadcast_to(start, receivers_m.shape), receivers_m], axis=1)
            return np.arange(len(receivers_m)), direct_m, np.ones_like(direct_m), straight
        found = rim_paths(self.radius_m, source_m, receivers_m, bounces)
        plane_m = np.maximum(found.length_m, NEAREST_M)
        focus = np.sqrt(plane_m / np.maximum(found.width_m, plane_m / FOCUS_LIMIT**2))
        rim_m = rim_corners(self.radius_m, start, receivers_m[found.receiver], found.launch_rad, bounces)
        return found.receiver, found.length_m, focus, rim_m

    def _corners(self, rim_m: FloatArray, image_m: float, x_m: FloatArray, reflections: int) -> FloatArray:
        """Corners (n, reflections + 2, 3) from those in the plane (n, b, 2), as x runs evenly along them."""
        pieces = np.diff(rim_m, axis=1)
        long = np.linalg.norm(pieces, axis=2)
        reached = np.concatenate([np.zeros((len(long), 1)), np.cumsum(long, axis=1)], axis=1)
        whole = np.maximum(reached[:, -1:], 1e-12)
        start = np.full_like(x_m, image_m)
        share = np.hstack([reached / whole, _crossings(x_m, start, self.length_m, reflections)])
        share[:, rim_m.shape[1] - 1] = 1.0
        share = np.sort(share, axis=1)
        share = np.hstack([share, np.ones((len(x_m), reflections + 2))])[:, : reflections + 2]
        share[:, -1] = 1.0
        along = np.clip(share[:, :, None] * whole[:, None] - reached[:, None, :-1], 0.0, long[:, None, :])
        heading = np.divide(pieces, long[:, :, None], out=np.zeros_like(pieces), where=long[:, :, None] > 0.0)
        plane = rim_m[:, :1] + np.einsum("nks,nsd->nkd", along, heading)
        axial = _folded(start[:, None] + share * (x_m - start)[:, None], np.float64(self.length_m))
        return np.concatenate([axial[:, :, None], plane], axis=2)


def _axis_images(at_m: float, size_m: float, order: int) -> list[tuple[float, int]]:
    """Mirror images (place, bounces) of one coordinate between walls at 0 and `size_m`, and the original.

    On a wall pairs of images coincide; the one with fewer bounces stays, the other left through the wall.
    """
    snapped = 0.0 if at_m < WALL_SKIN_M else size_m if at_m > size_m - WALL_SKIN_M else at_m
    images = [(2 * n * size_m + snapped, abs(2 * n)) for n in range(-order, order + 1)]
    images += [(2 * n * size_m - snapped, abs(2 * n - 1)) for n in range(-order, order + 1)]
    kept: list[tuple[float, int]] = []
    for place, bounces in sorted(images, key=lambda image: image[1]):
        if bounces <= order and all(abs(place - other) > WALL_SKIN_M for other, _ in kept):
            kept.append((place, bounces))
    return kept


def _crossings(end_m: FloatArray, image_m: FloatArray, size_m: float, reflections: int) -> FloatArray:
    """Where straight lines from images to receivers meet the walls: shares (n, reflections), 1 for no more."""
    step = np.arange(reflections)
    upward = (image_m > end_m)[:, None]
    walls = np.where(upward, (step + 1.0) * size_m, -step * size_m)
    gone = (walls - image_m[:, None]) / np.where(end_m == image_m, np.inf, end_m - image_m)[:, None]
    between = np.where(upward, walls < image_m[:, None] - WALL_SKIN_M / 2, walls > image_m[:, None] + WALL_SKIN_M / 2)
    shares: FloatArray = np.where(between, np.clip(gone, 0.0, 1.0), 1.0)
    return shares


def _folded(unfolded_m: FloatArray, size_m: FloatArray | np.float64) -> FloatArray:
    """Places between the walls at 0 and `size_m` from places in the mirrored world."""
    back: FloatArray = size_m - np.abs(np.mod(unfolded_m, 2.0 * size_m) - size_m)
    return back
