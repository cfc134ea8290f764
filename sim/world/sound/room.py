"""Rooms as the ways sound takes in them: the specular paths from a source to receivers and their gains.

What air and walls take away from it on the way is up to `sound_field`.
"""

from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.world.sound.billiard import rim_paths, settled

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WALL_SKIN_M = 2e-3  # a source nearer to a flat wall sits on it; a point further outside is refused
NEAREST_M = 0.01  # gain stops rising here: no source of ours is smaller
FOCUS_LIMIT = 3.0  # wave theory bounds a fold caustic near (k R)^(1/6), 3.4 at 40 kHz in a hull of R = 2 m


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths from one source to m receivers, each row by rising length and padded to k columns.

    Args:
        length_m: (m, k) length, m; infinity where there is no path.
        bounces: (m, k) number of reflections on the way; 0 where there is no path.
        gain: (m, k) pressure amplitude relative to 1 m in the open, from spreading alone; 0 where none.
    """

    length_m: FloatArray
    bounces: IntArray
    gain: FloatArray


class Room(Protocol):
    """Anything that can list the ways of sound inside it."""

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

    def paths(self, source_m: FloatArray, receivers_m: FloatArray, reflections: int) -> Paths:
        """Image sources up to the total order `reflections` (Allen and Berkley 1979); see `Room.paths`."""
        size_m = np.array([self.x_m, self.y_m, self.z_m])
        _check(reflections, bool(np.all(_within(np.vstack([source_m, receivers_m]), 0.0, size_m))))
        axes = [_axis_images(float(source_m[i]), float(size_m[i]), reflections) for i in range(3)]
        images = [image for image in product(*axes) if sum(count for _, count in image) <= reflections]
        places = np.array([[place for place, _ in image] for image in images])
        counts = np.array([sum(count for _, count in image) for image in images])
        length_m = np.linalg.norm(receivers_m[:, None, :] - places, axis=2)
        bounces = np.broadcast_to(counts, length_m.shape)
        receiver = np.broadcast_to(np.arange(len(receivers_m))[:, None], length_m.shape)
        gain = 1.0 / np.maximum(length_m, NEAREST_M)
        return _padded(len(receivers_m), receiver.ravel(), length_m.ravel(), bounces.ravel(), gain.ravel())


@dataclass(frozen=True, slots=True)
class CylinderRoom:
    """A round hull with flat ends: its axis is x from 0 to `length_m`, centred on y = z = 0; lengths in m.

    A source within 2 mm of the wall or of an end is put on it and is not mirrored by it.
    """

    radius_m: float
    length_m: float

    def paths(self, source_m: FloatArray, receivers_m: FloatArray, reflections: int) -> Paths:
        """Billiard paths of the cross-section combined with images in the ends; see `Room.paths`.

        A bounce off the wall keeps the axial part of the direction: the length is hypot(plane, axial). From
        the area of a pencil of rays (Jacobian of the landing point) the gain is sqrt(plane / width) / length,
        which is 1 / length without focusing; the focusing factor is bounded at 3 beside caustics.
        """
        points = np.vstack([source_m, receivers_m])
        between = _within(points[:, 0], 0.0, self.length_m)
        inside = between & _within(np.hypot(*points[:, 1:].T), 0.0, self.radius_m)
        _check(reflections, bool(np.all(inside)))
        ends = _axis_images(float(source_m[0]), self.length_m, reflections)
        receiver, length, bounces, gain = [], [], [], []
        for wall_bounces in range(reflections + 1):
            index, plane_m, focus = self._plane_paths(source_m[1:], receivers_m[:, 1:], wall_bounces)
            for image_m, end_bounces in ends:
                if wall_bounces + end_bounces > reflections:
                    continue
                path_m = np.hypot(plane_m, receivers_m[index, 0] - image_m)
                receiver.append(index)
                length.append(path_m)
                bounces.append(np.full(len(index), wall_bounces + end_bounces))
                gain.append(focus / np.maximum(path_m, NEAREST_M))
        flat = [np.concatenate(part) for part in (receiver, length, bounces, gain)]
        return _padded(len(receivers_m), *flat)

    def _plane_paths(
        self,
        source_m: FloatArray,
        receivers_m: FloatArray,
        bounces: int,
    ) -> tuple[NDArray[np.intp], FloatArray, FloatArray]:
        """Receiver index, plane length and focus of every path with so many bounces off the wall."""
        if bounces == 0:
            direct_m = np.linalg.norm(receivers_m - settled(self.radius_m, source_m), axis=1)
            return np.arange(len(receivers_m)), direct_m, np.ones_like(direct_m)
        found = rim_paths(self.radius_m, source_m, receivers_m, bounces)
        plane_m = np.maximum(found.length_m, NEAREST_M)
        focus = np.sqrt(plane_m / np.maximum(found.width_m, plane_m / FOCUS_LIMIT**2))
        return found.receiver, found.length_m, focus


def _within(value: FloatArray, low: float, high: float | FloatArray) -> NDArray[np.bool_]:
    """Whether each value lies between the walls, give or take the skin."""
    inside: NDArray[np.bool_] = (value >= low - WALL_SKIN_M) & (value <= high + WALL_SKIN_M)
    return inside


def _check(reflections: int, inside: bool) -> None:
    if reflections < 0:
        raise ValueError(f"cannot reflect {reflections} times")
    if not inside:
        raise ValueError("a source or receiver lies outside the room: move it inside or enlarge the room")


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


def _padded(
    count: int,
    receiver: NDArray[np.intp],
    length: FloatArray,
    bounces: IntArray,
    gain: FloatArray,
) -> Paths:
    """Lay out flat lists of paths as one padded row for each of `count` receivers."""
    order = np.lexsort((bounces, length, receiver))
    receiver, length, bounces, gain = receiver[order], length[order], bounces[order], gain[order]
    column = np.arange(len(receiver)) - np.searchsorted(receiver, receiver)
    shape = (count, int(column.max(initial=0)) + 1)
    lengths, counts, gains = np.full(shape, np.inf), np.zeros(shape, dtype=np.int64), np.zeros(shape)
    lengths[receiver, column], counts[receiver, column], gains[receiver, column] = length, bounces, gain
    for table in (lengths, counts, gains):
        table.setflags(write=False)
    return Paths(lengths, counts, gains)
