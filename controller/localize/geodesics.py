"""Ways of waves over a hull's skin: lengths and directions, on cylinders with their ends and on boxes.

How fast waves run is measure's; other shapes are refused, and ports, ribs and frames are not there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull, Points
from firmware_bridge.site.placed import PlacedHull

WRAPS = (-1, 0, 1)  # times around the cylinder beyond the short way
RIM_STEPS = 64  # places where a way may cross a rim, between which the best is found by halving
HALVINGS = 7
FAR_STEPS = 180  # of the other rim, where a way crosses both: 4 cm of a metre's radius, off by a tenth of a millimetre
FINE_STEPS = 1024  # at which the rest of a way is known; 7 mm, straight between: a hundredth of a millimetre
MOST_FACES = 4  # of a box that a way crosses after its first: the longest shortest ways cross five faces in all

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """Shortest ways: `length_m` (points, sensors), `away` (points, sensors, 3) unit tangents away from the sensor."""

    length_m: Floats
    away: Floats


class Geodesics:
    """Shortest ways from places of a hull to sensors on it."""

    def __init__(self, hull: Hull, sensors_m: Points) -> None:
        """Put the sensors (m, 3) on the skin.

        Raises:
            ValueError: a hull that is neither cylinder nor box.
        """
        self._hull = hull
        own = hull.hull if isinstance(hull, PlacedHull) else hull
        sensors = own.project(self._inward(np.asarray(sensors_m, dtype=float)))
        if isinstance(own, CylinderHull):
            self._between: Callable[[Points], tuple[Floats, Floats]] = _Tube(own, sensors).ways
        elif isinstance(own, BoxHull):
            self._between = _Crate(own, sensors).ways
        else:
            raise ValueError("ways over the skin are known on cylinders and boxes only")  # noqa: TRY004 - of the site

    def ways(self, points_m: Points) -> Ways:
        """From places (n, 3), which are put on the skin first."""
        own = self._hull.hull if isinstance(self._hull, PlacedHull) else self._hull
        length, away = self._between(own.project(self._inward(np.asarray(points_m, dtype=float))))
        if isinstance(self._hull, PlacedHull):
            away = self._hull.vectors_to_site(away.reshape(-1, 3)).reshape(away.shape)
        return Ways(length, away)

    def _inward(self, points_m: Points) -> Points:
        return self._hull.to_hull(points_m) if isinstance(self._hull, PlacedHull) else points_m


class _Tube:
    """A cylinder: helices on its side; over its flat ends straight, with a bend at the rim."""

    def __init__(self, hull: CylinderHull, sensors: Points) -> None:
        self._hull, self._sensors = hull, sensors
        self._table = np.linspace(0.0, 2.0 * np.pi, FINE_STEPS + 1)
        self._onward: dict[tuple[int, int], Floats] = {}  # from a rim to a sensor, at the angles of the table

    def ways(self, points: Points) -> tuple[Floats, Floats]:
        length = np.empty((len(points), len(self._sensors)))
        away = np.empty((*length.shape, 3))
        end_of_point = self._end(points)
        for column, sensor in enumerate(self._sensors):
            end = int(self._end(sensor[None])[0])
            for which in (-1, 0, 1):
                rows = np.flatnonzero(end_of_point == which)
                if len(rows):
                    length[rows, column], away[rows, column] = self._to(points[rows], which, column, end)
        return length, away

    def _end(self, points: Points) -> NDArray[np.intp]:
        """0 on the side, -1 on the end at x = 0, 1 on the other (n,)."""
        side = np.abs(np.hypot(points[:, 1], points[:, 2]) - self._hull.radius_m)
        low, high = np.abs(points[:, 0]), np.abs(points[:, 0] - self._hull.length_m)
        at_end = np.where(low < high, -1, 1)
        return np.asarray(np.where(np.minimum(low, high) < side, at_end, 0), dtype=np.intp)

    def _to(self, points: Points, which: int, column: int, end: int) -> tuple[Floats, Floats]:
        sensor = self._sensors[column]
        if which == 0 and end == 0:
            return self._helix(points, sensor[None])
        if which == end:
            return _straight(points, sensor[None])
        if which == 0:  # to a sensor on an end
            return self._over(points, self._helix, end, self._from_rim(column, end, end))
        return self._over(points, _straight, which, self._from_rim(column, which, end))

    def _from_rim(self, column: int, which: int, end: int) -> Floats:
        """Shortest ways from places of a rim to a sensor that sits on `end`."""
        known = self._onward.get((column, which))
        if known is None:
            known = self._onward[column, which] = self._measured(self._rim(which, self._table), column, which, end)
        return known

    def _measured(self, rim: Points, column: int, which: int, end: int) -> Floats:
        sensor = self._sensors[column]
        if which == end:
            return np.asarray(np.linalg.norm(rim - sensor, axis=1))
        if end == 0:
            return self._helix(rim, sensor[None])[0]
        far = self._rim(end, np.linspace(0.0, 2.0 * np.pi, FAR_STEPS, endpoint=False))
        rest = np.linalg.norm(far - sensor, axis=1)
        # from end to end, over the other rim's best place
        across, _ = self._helix(np.repeat(rim, len(far), axis=0), np.tile(far, (len(rim), 1)))
        return np.asarray((across.reshape(len(rim), -1) + rest).min(axis=1))

    def _over(
        self,
        points: Points,
        reach: Callable[[Points, Points], tuple[Floats, Floats]],
        which: int,
        onward: Floats,
    ) -> tuple[Floats, Floats]:
        """Over the best place of a rim: the best of evenly spaced ones, halved in on; a way is stationary there.

        `onward` is the rest of the way at the angles of the table.
        """
        spaced = self._table[:: FINE_STEPS // RIM_STEPS]
        rim, beyond = self._rim(which, spaced), onward[:: FINE_STEPS // RIM_STEPS]
        best = np.zeros(len(points), dtype=np.intp)
        length = np.full(len(points), np.inf)
        for step, place in enumerate(rim):
            total = reach(points, place[None])[0] + beyond[step]
            better = total < length
            best[better], length[better] = step, total[better]
        angle, width = spaced[best], float(spaced[1])
        for _ in range(HALVINGS):
            width /= 2.0
            for side in (-width, width):
                other = angle + side
                on_rim = self._rim(which, other)
                total = reach(points, on_rim)[0] + np.interp(np.mod(other, 2.0 * np.pi), self._table, onward)
                angle = np.where(total < length, other, angle)
                length = np.minimum(total, length)
        return length, reach(points, self._rim(which, angle))[1]

    def _rim(self, which: int, angle: Floats) -> Points:
        x = np.full(len(angle), 0.0 if which < 0 else self._hull.length_m)
        return np.column_stack([x, self._hull.radius_m * np.cos(angle), self._hull.radius_m * np.sin(angle)])

    def _helix(self, points: Points, targets: Points) -> tuple[Floats, Floats]:
        """Lengths (n,) and tangents (n, 3) at `points` away from `targets` (n or 1, 3), the shortest of the wraps."""
        radius = self._hull.radius_m
        angle = np.arctan2(points[:, 2], points[:, 1])
        turn = np.angle(np.exp(1j * (angle - np.arctan2(targets[:, 2], targets[:, 1]))))
        along = points[:, 0] - targets[:, 0]
        arcs = radius * (turn[:, None] + 2.0 * np.pi * np.array(WRAPS))
        lengths = np.hypot(along[:, None], arcs)
        best = lengths.argmin(axis=1)
        rows = np.arange(len(points))
        length = np.maximum(lengths[rows, best], 1e-9)
        around = np.column_stack([np.zeros(len(points)), -np.sin(angle), np.cos(angle)])
        tangent = (along[:, None] * np.array([1.0, 0.0, 0.0]) + arcs[rows, best][:, None] * around) / length[:, None]
        return length, tangent


def _straight(points: Points, targets: Points) -> tuple[Floats, Floats]:
    offset = points - targets
    length = np.maximum(np.linalg.norm(offset, axis=1), 1e-9)
    return length, offset / length[:, None]


@dataclass(frozen=True, slots=True, eq=False)
class _Unfolding:
    """The `last` face of a box laid into the plane of the `first`: places there are seen at turn x + shift."""

    first: int
    last: int
    turn: Floats
    shift: Floats


class _Crate:
    """A box: straight ways in all unfoldings, the shortest of which is the shortest way (Sharir and Schorr 1986)."""

    def __init__(self, hull: BoxHull, sensors: Points) -> None:
        self._size = np.array(hull.size_m)
        faces = self._face(sensors)
        self._seen = [
            (way.first, here, sensors[here] @ way.turn.T + way.shift)
            for way in _unfoldings(hull.size_m)
            if len(here := np.flatnonzero(faces == way.last))
        ]
        self._count = len(sensors)

    def ways(self, points: Points) -> tuple[Floats, Floats]:
        length = np.full((len(points), self._count), np.inf)
        away = np.zeros((len(points), self._count, 3))
        face = self._face(points)
        rows_of = [np.flatnonzero(face == each) for each in range(6)]
        for first, sensors, places in self._seen:
            rows = rows_of[first]
            for sensor, seen in zip(sensors if len(rows) else (), places, strict=False):
                found, direction = _straight(points[rows], seen[None])
                better = found < length[rows, sensor]
                length[rows[better], sensor] = found[better]
                away[rows[better], sensor] = direction[better]
        return length, away

    def _face(self, points: Points) -> NDArray[np.intp]:
        """Faces 2 axis + (0 low, 1 high) that points (n, 3) lie on."""
        gap = np.stack([side for axis in range(3) for side in (points[:, axis], self._size[axis] - points[:, axis])])
        return np.asarray(np.abs(gap).argmin(axis=0), dtype=np.intp)


@lru_cache(8)
def _unfoldings(size_m: tuple[float, float, float]) -> tuple[_Unfolding, ...]:
    """All ways to roll a box from one face over others onto a last one, each face once."""
    found: list[_Unfolding] = []

    def roll_on(path: tuple[int, ...], turn: Floats, shift: Floats) -> None:
        last = path[-1]
        found.append(_Unfolding(path[0], last, turn, shift))
        for axis, high in product(range(3), (0, 1)) if len(path) <= MOST_FACES else ():
            after = 2 * axis + high
            if axis == last // 2 or after in path:
                continue
            # Turn the next face about the common edge into the last one's plane: its outward normal becomes theirs.
            normal, other, edge, on_edge = np.zeros((4, 3))
            normal[last // 2] = 1.0 if last % 2 else -1.0
            other[axis] = 1.0 if high else -1.0
            edge[3 - axis - last // 2] = 1.0
            roll = np.outer(normal, other) - np.outer(other, normal) + np.outer(edge, edge)
            on_edge[last // 2] = size_m[last // 2] * (last % 2)
            on_edge[axis] = size_m[axis] * high
            roll_on((*path, after), turn @ roll, turn @ (on_edge - roll @ on_edge) + shift)

    for face in range(6):
        roll_on((face,), np.eye(3), np.zeros(3))
    return tuple(found)
