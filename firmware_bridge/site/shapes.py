"""From declared hull tables to hulls, and what is wrong with hulls as bodies. Sensors on them are survey's."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.placed import place
from firmware_bridge.site.revolution import RevolutionHull
from firmware_bridge.site.schema import BoxTable, CompartmentTable, CylinderTable, HullTable, SphereTable
from firmware_bridge.site.sphere import SphereHull

MAX_HULL_AREA_M2 = 1000.0  # five times a station's largest module; the search takes memory by the area
MAX_OVERFULL = 1.05  # declared volume over the hull's: what a surveyor's rounding and a domed end make
OVERLAP_M = 0.05  # hulls are surveyed to centimetres, and neighbours share a wall
HALVINGS = 16  # from 200 m to 3 mm
_LATTICE = np.stack(np.meshgrid(*(3 * [np.linspace(-1, 1, 9)])), axis=-1).reshape(-1, 3)


def build_hull(table: HullTable | None) -> Hull | None:
    """The hull that `table` declares, where it stands; None of None."""
    return None if table is None else place(_shape(table), table.origin_m, table.axis)


def _shape(table: HullTable) -> Hull:
    if isinstance(table, BoxTable):
        return BoxHull(table.size_m)
    if isinstance(table, CylinderTable):
        return CylinderHull(table.radius_m, table.length_m)
    if isinstance(table, SphereTable):
        return SphereHull(table.radius_m)
    return RevolutionHull(table.profile_m)


def shape_problems(rooms: Sequence[CompartmentTable], hulls: Sequence[Hull | None]) -> list[str]:
    """Hulls too large to search, too small for the air that they should hold, or in each other's way."""
    problems = []
    found = [(i, room, hull) for i, (room, hull) in enumerate(zip(rooms, hulls, strict=True)) if hull is not None]
    for i, room, hull in found:
        key = f"compartments[{i}] ({room.name})"
        if hull.area_m2 > MAX_HULL_AREA_M2:
            problems.append(
                f"{key}.hull: more than {MAX_HULL_AREA_M2:g} m² of wall; "
                "check the unit (metres), or describe it as several compartments"
            )
        if room.volume_m3 > MAX_OVERFULL * hull.volume_m3:
            problems.append(
                f"{key}.volume_m3: {room.volume_m3:g} m³ of air do not fit into a hull of {hull.volume_m3:.3g} m³; "
                "mend the one or the other"
            )
    problems += [
        f"compartments[{i}] ({room.name}).hull: stands in that of {other.name!r}; "
        "give each its place in the site frame by `origin_m` and `axis`"
        for (i, room, hull), (_, other, there) in combinations(found, 2)
        if overlap(hull, there)
    ]
    return problems


def overlap(one: Hull, other: Hull) -> bool:
    """Whether a ball of OVERLAP_M across fits into both hulls at once, that is, whether they clearly intersect.

    The larger of two signed distances from convex bodies is a convex function; its lowest value, minus the radius of
    the largest such ball, is sought on a lattice that halves around its best point.
    """
    low, high = (np.array(ends) for ends in zip(one.corners_m, other.corners_m, strict=True))
    low, high = low.max(axis=0), high.min(axis=0)
    if np.any(high - low < OVERLAP_M):
        return False
    middle, half = (low + high) / 2, (high - low) / 2
    for _ in range(HALVINGS):
        points = middle + half * _LATTICE
        value = np.maximum(one.signed_distance_m(points), other.signed_distance_m(points))
        if value.min() < -OVERLAP_M / 2:
            return True
        middle, half = points[value.argmin()], half / 2
    return False
