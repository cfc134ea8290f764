"""Where things are in one compartment: its hull as a room for sound and as a shell for waves, points in its own frame.

What sounds or pushes there is told in `sound_sources` and `force_sources`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.errors import SiteError
from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.placed import PlacedHull
from firmware_bridge.site.revolution import RevolutionHull
from firmware_bridge.site.sphere import SphereHull
from sim.scenario.sound import RackTable
from sim.world.sound.rack import Rack
from sim.world.sound.revolution import RevolutionRoom, SphereRoom
from sim.world.sound.room import BoxRoom, CylinderRoom, Room
from sim.world.structure.box import BoxShell
from sim.world.structure.paths import Shell
from sim.world.structure.revolution import RevolutionShell, cylinder
from sim.world.structure.sphere import SphereShell

FloatArray = NDArray[np.float64]
Triple = tuple[float, float, float]
Profile = tuple[tuple[float, float], ...]

INSIDE_M = 0.001  # sensors and machines that the survey's error puts into the wall are moved this far into the room
ON_WALL_M = 0.02  # a leak's hull is drawn with facets; the room behind a facet may bulge by so much


@dataclass(frozen=True, slots=True)
class Place:
    """A compartment's hull, and its room in the hull's own frame."""

    hull: Hull
    room: Room

    @staticmethod
    def of(hull: Hull) -> "Place":
        """The place of a hull, placed or not.

        Raises:
            SiteError: a hull of a shape without acoustics.
        """
        return Place(hull, _room(own_hull(hull)))

    def inside(self, points_m: FloatArray) -> FloatArray:
        """Points (n, 3) of the site in the room's frame, moved into the room where they lie in or behind its wall."""
        own = own_hull(self.hull)
        points = in_own_frame(self.hull, points_m)
        depth = own.signed_distance_m(points) + INSIDE_M
        return np.asarray(points - np.maximum(depth, 0.0)[:, None] * own.outward(points))

    def point(self, position_m: Triple, *, on_wall: bool = False) -> Triple:
        """One point of the site in the room's frame; with `on_wall`, moved out to the wall that is close by."""
        point = self.inside(np.array([position_m]))
        if on_wall:
            clearance_m = float(self.room.clearance_m(point)[0])
            if clearance_m < ON_WALL_M:
                point = point + max(clearance_m - INSIDE_M, 0.0) * own_hull(self.hull).outward(point)
        x, y, z = (float(part) for part in point[0])
        return x, y, z

    def vector(self, site: Triple) -> Triple:
        """A direction or gradient of the site in the room's frame."""
        vector = np.array([site])
        x, y, z = (self.hull.vectors_to_hull(vector) if isinstance(self.hull, PlacedHull) else vector)[0]
        return float(x), float(y), float(z)

    def rack(self, table: RackTable) -> Rack:
        """A rack in the room's frame; hulls are turned by quarters only, so it stays a box."""
        corners = in_own_frame(self.hull, np.array([table.low_m, table.high_m]))
        low, high = corners.min(axis=0), corners.max(axis=0)
        return Rack(
            (float(low[0]), float(low[1]), float(low[2])),
            (float(high[0]), float(high[1]), float(high[2])),
            table.transmission_db,
        )


def own_hull(hull: Hull) -> Hull:
    """The hull in its own frame, wherever it is placed."""
    return hull.hull if isinstance(hull, PlacedHull) else hull


def in_own_frame(hull: Hull, points_m: FloatArray) -> FloatArray:
    """Points (n, 3) of the site in the hull's own frame."""
    return hull.to_hull(points_m) if isinstance(hull, PlacedHull) else points_m


def rows_by_node(nodes: Iterable[str], places_m: Mapping[str, FloatArray]) -> dict[str, tuple[int, ...]]:
    """Which rows the places (n, 3) of each node have where those of all `nodes` are stacked in this order."""
    rows: dict[str, tuple[int, ...]] = {}
    first = 0
    for node in nodes:
        rows[node] = tuple(range(first, first + len(places_m[node])))
        first += len(places_m[node])
    return rows


def shell_of(own: Hull) -> Shell:
    """The skin of a hull in its own frame.

    Raises:
        SiteError: a hull of a shape without geodesics.
    """
    if isinstance(own, CylinderHull):
        return cylinder(own.radius_m, own.length_m)
    if isinstance(own, BoxHull):
        return BoxShell(own.size_m)
    if isinstance(own, SphereHull):
        return SphereShell(own.radius_m)
    if isinstance(own, RevolutionHull):
        return RevolutionShell(_closed_line(own.profile_m))
    raise SiteError(f"no structure of a {type(own).__name__}", remedy="use a cylinder, box, sphere or revolution")


def _room(hull: Hull) -> Room:
    if isinstance(hull, CylinderHull):
        return CylinderRoom(hull.radius_m, hull.length_m)
    if isinstance(hull, BoxHull):
        return BoxRoom(*hull.size_m)
    if isinstance(hull, SphereHull):
        return SphereRoom(hull.radius_m)
    if isinstance(hull, RevolutionHull):
        return RevolutionRoom.drawn(_line(hull.profile_m))
    raise SiteError(f"no acoustics for a {type(hull).__name__}", remedy="use a box, cylinder, sphere or revolution")


def _line(profile_m: Profile) -> Profile:
    """The profile as one line from end to end: up the near flat end, down the far one, no point twice."""
    near_m, far_m = profile_m[0][0], profile_m[-1][0]
    line = sorted(profile_m, key=lambda p: (p[0], p[1] if p[0] == near_m else -p[1] if p[0] == far_m else 0.0))
    return _once(line)


def _closed_line(profile_m: Profile) -> Profile:
    """The same from axis to axis."""
    return _once([(profile_m[0][0], 0.0), *_line(profile_m), (profile_m[-1][0], 0.0)])


def _once(line: list[tuple[float, float]]) -> Profile:
    return tuple(line[:1] + [after for before, after in pairwise(line) if after != before])
