"""A hull somewhere else than at the origin and turned: any shape in, the same questions answered in the site frame."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.hull import Hull, Outline, Points

Axis = Literal["+x", "-x", "+y", "-y", "+z", "-z"]
Triple = tuple[float, float, float]
Rotation = tuple[Triple, Triple, Triple]

# Rows of the matrix that takes the hull's own coordinates to the site's; its columns are the hull's x, y, z axes as the
# site sees them. Lying hulls are turned about z, so that their z stays the site's; standing ones about y, likewise.
ROTATIONS: dict[Axis, Rotation] = {
    "+x": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "-x": ((-1, 0, 0), (0, -1, 0), (0, 0, 1)),  # half a turn about z
    "+y": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),  # a quarter turn about z: x to y, y to -x
    "-y": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),  # a quarter turn back about z: x to -y, y to x
    "+z": ((0, 0, -1), (0, 1, 0), (1, 0, 0)),  # a quarter turn back about y: x to z, z to -x
    "-z": ((0, 0, 1), (0, 1, 0), (-1, 0, 0)),  # a quarter turn about y: x to -z, z to x
}
_ORIGIN: Triple = (0.0, 0.0, 0.0)
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class PlacedHull:
    """`hull`, turned by `rotation` and then moved to `origin_m`: site = origin_m + rotation @ own.

    Raises:
        ValueError: `rotation` mirrors or stretches.
    """

    hull: Hull
    origin_m: Triple
    rotation: Rotation
    _matrix: NDArray[np.float64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the rotation and keep it as a matrix."""
        matrix = np.array(self.rotation, dtype=float)
        if matrix.shape != (3, 3) or not np.allclose(matrix @ matrix.T, np.eye(3), rtol=0, atol=_ROUNDING):
            raise ValueError(f"rotation {self.rotation} stretches; its rows must be perpendicular unit vectors")
        if np.linalg.det(matrix) < 0:
            raise ValueError(f"rotation {self.rotation} mirrors; a hull can only be turned")
        matrix.setflags(write=False)
        object.__setattr__(self, "_matrix", matrix)

    def to_hull(self, points_m: Points) -> Points:
        """Points (n, 3) of the site frame in the hull's own."""
        return self.vectors_to_hull(points_m - np.asarray(self.origin_m))

    def to_site(self, points_m: Points) -> Points:
        """Points (n, 3) of the hull's own frame in the site's."""
        return np.asarray(self.vectors_to_site(points_m) + np.asarray(self.origin_m))

    def vectors_to_hull(self, vectors: Points) -> Points:
        """Directions (n, 3): turned, not moved."""
        return np.asarray(vectors @ self._matrix)

    def vectors_to_site(self, vectors: Points) -> Points:
        """Directions (n, 3): turned, not moved."""
        return np.asarray(vectors @ self._matrix.T)

    def signed_distance_m(self, points_m: Points) -> NDArray[np.float64]:
        """Distance to the wall (n,), negative inside."""
        return self.hull.signed_distance_m(self.to_hull(points_m))

    def outward(self, points_m: Points) -> Points:
        """Outward unit normal (n, 3) of the nearest wall point."""
        return self.vectors_to_site(self.hull.outward(self.to_hull(points_m)))

    def project(self, points_m: Points) -> Points:
        """The nearest wall points (n, 3)."""
        return self.to_site(self.hull.project(self.to_hull(points_m)))

    def grid(self, spacing_m: float) -> Points:
        """The shape's own grid, carried along."""
        return self.to_site(self.hull.grid(spacing_m))

    def unroll(self, points_m: Points) -> NDArray[np.float64]:
        """The shape's own flat picture (n, 2)."""
        return self.hull.unroll(self.to_hull(points_m))

    def outlines(self) -> tuple[Outline, ...]:
        """The shape's own faces; labels that give a coordinate say that it is the hull's own."""
        return tuple(
            Outline(f"{face.label} (own frame)" if "=" in face.label else face.label, face.points_m)
            for face in self.hull.outlines()
        )

    @property
    def corners_m(self) -> tuple[Points, Points]:
        """Lowest and highest corner (3,) of a box around the hull, edges along the site's axes."""
        corners = np.array(self.hull.corners_m)
        which = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, -1).T
        turned = self.to_site(corners[which, np.arange(3)])
        return turned.min(axis=0), turned.max(axis=0)

    @property
    def area_m2(self) -> float:
        """Wall area."""
        return self.hull.area_m2

    @property
    def volume_m3(self) -> float:
        """Enclosed volume."""
        return self.hull.volume_m3


def place(hull: Hull, origin_m: Triple, axis: Axis) -> Hull:
    """`hull` with its own x axis along `axis` and its own origin at `origin_m`; itself where that changes nothing."""
    if origin_m == _ORIGIN and axis == "+x":
        return hull
    return PlacedHull(hull, origin_m, ROTATIONS[axis])
