"""From a scenario's tables to what sounds and stands in one compartment: rooms, racks and sources in the room's frame.

Which node hears what is `sound`'s business.
"""

import math
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
from sim.plant.leaks import PlantLeak
from sim.scenario.sound import BurstTable, MachineTable, RackTable
from sim.world.leak.leak import Leak
from sim.world.leak.schedule import Opening
from sim.world.signal.loudness import Interval, LevelTable
from sim.world.signal.sampling import Psd
from sim.world.sound.bursts import Bursts
from sim.world.sound.directivity import Directivity
from sim.world.sound.field import SoundSource
from sim.world.sound.machine import Hiss, Line, Machine
from sim.world.sound.rack import Rack
from sim.world.sound.revolution import RevolutionRoom, SphereRoom
from sim.world.sound.room import BoxRoom, CylinderRoom, Room

FloatArray = NDArray[np.float64]
Triple = tuple[float, float, float]

INSIDE_M = 0.001  # sensors and machines that the survey's error puts into the wall are moved this far into the room
ON_WALL_M = 0.02  # a leak's hull is drawn with facets; the room behind a facet may bulge by so much
RAMP_POINTS = 16  # of a leak's level while it opens: straight lines in dB, within 0.3 dB of its area's
RAMP_FROM = 1e-3  # share of the area from which on an opening is heard: 30 dB down
SHORTEST_GAP_S = 2e-3  # an interruption shorter than switching takes is none


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
        return Place(hull, _room(_own(hull)))

    def inside(self, points_m: FloatArray) -> FloatArray:
        """Points (n, 3) of the site in the room's frame, moved into the room where they lie in or behind its wall."""
        own = _own(self.hull)
        points = self.hull.to_hull(points_m) if isinstance(self.hull, PlacedHull) else points_m
        depth = own.signed_distance_m(points) + INSIDE_M
        return np.asarray(points - np.maximum(depth, 0.0)[:, None] * own.outward(points))

    def point(self, position_m: Triple, *, on_wall: bool = False) -> Triple:
        """One point of the site in the room's frame; with `on_wall`, moved out to the wall that is close by."""
        point = self.inside(np.array([position_m]))
        if on_wall:
            clearance_m = float(self.room.clearance_m(point)[0])
            if clearance_m < ON_WALL_M:
                point = point + max(clearance_m - INSIDE_M, 0.0) * _own(self.hull).outward(point)
        x, y, z = (float(part) for part in point[0])
        return x, y, z

    def vector(self, site: Triple) -> Triple:
        """A direction or gradient of the site in the room's frame."""
        vector = np.array([site])
        x, y, z = (self.hull.vectors_to_hull(vector) if isinstance(self.hull, PlacedHull) else vector)[0]
        return float(x), float(y), float(z)

    def rack(self, table: RackTable) -> Rack:
        """A rack in the room's frame; hulls are turned by quarters only, so it stays a box."""
        corners = np.array([table.low_m, table.high_m])
        if isinstance(self.hull, PlacedHull):
            corners = self.hull.to_hull(corners)
        low, high = corners.min(axis=0), corners.max(axis=0)
        return Rack(
            (float(low[0]), float(low[1]), float(low[2])),
            (float(high[0]), float(high[1]), float(high[2])),
            table.transmission_db,
        )


def _own(hull: Hull) -> Hull:
    return hull.hull if isinstance(hull, PlacedHull) else hull


def _room(hull: Hull) -> Room:
    if isinstance(hull, CylinderHull):
        return CylinderRoom(hull.radius_m, hull.length_m)
    if isinstance(hull, BoxHull):
        return BoxRoom(*hull.size_m)
    if isinstance(hull, SphereHull):
        return SphereRoom(hull.radius_m)
    if isinstance(hull, RevolutionHull):
        return RevolutionRoom.drawn(_listed(hull.profile_m))
    raise SiteError(f"no acoustics for a {type(hull).__name__}", remedy="use a box, cylinder, sphere or revolution")


def _listed(profile_m: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """The profile as one line from end to end: up the near flat end, down the far one, no point twice."""
    near_m, far_m = profile_m[0][0], profile_m[-1][0]
    line = sorted(profile_m, key=lambda p: (p[0], p[1] if p[0] == near_m else -p[1] if p[0] == far_m else 0.0))
    return tuple(line[:1] + [after for before, after in pairwise(line) if after != before])


def leak_source(leak: PlantLeak, place: Place, pressure_pa: float, temperature_k: float) -> SoundSource | None:
    """A leak as it sounds at this cabin pressure (Pa) and temperature (K); None if it never opens.

    While it is partly open its spectrum keeps the shape of the open leak; its level is that of the part.
    """
    intervals = _joined(leak.opening.open_intervals)
    if not intervals:
        return None
    (start_s, stop_s), *later = intervals
    return SoundSource(
        name=f"leak {leak.name}",
        position_m=place.point(leak.position_m, on_wall=True),
        psd=_psd(leak.leak, pressure_pa, temperature_k),
        start_s=start_s,
        stop_s=stop_s,
        later=tuple(later),
        level_db=_level_table(leak.leak, leak.opening, pressure_pa, temperature_k),
    )


def _psd(leak: Leak, pressure_pa: float, temperature_k: float) -> Psd:
    return lambda frequency_hz: leak.pressure_psd_pa2_hz(frequency_hz, pressure_pa, temperature_k)


def _joined(intervals: tuple[Interval, ...]) -> tuple[Interval, ...]:
    joined: list[Interval] = []
    for start_s, stop_s in intervals:
        last_s = joined[-1][1] if joined else None
        if last_s is not None and start_s < last_s + SHORTEST_GAP_S:
            joined[-1] = (joined[-1][0], stop_s)
        else:
            joined.append((start_s, stop_s))
    return tuple(joined)


def _level_table(leak: Leak, opening: Opening, pressure_pa: float, temperature_k: float) -> LevelTable | None:
    """The level of the open part against that of the whole, over time; None if it is open or shut and no more."""
    if all(change.share in {0.0, 1.0} and change.over_s <= SHORTEST_GAP_S for change in opening.changes):
        return None
    full_db = leak.inward_level_db(pressure_pa, temperature_k)
    times: set[float] = set()
    for edge_s, next_s in pairwise((*opening.edges, opening.edges[-1])):
        # just before and after a jump, and thicker where a ramp begins or ends at little
        pieces = np.concatenate(
            [np.geomspace(RAMP_FROM, 0.5, RAMP_POINTS), 1.0 - np.geomspace(RAMP_FROM, 0.5, RAMP_POINTS)]
        )
        times |= {edge_s - SHORTEST_GAP_S / 2.0, edge_s + SHORTEST_GAP_S / 2.0}
        if next_s > edge_s + 4.0 * SHORTEST_GAP_S:
            times |= {float(edge_s + share * (next_s - edge_s)) for share in pieces}
    points = []
    for at_s in sorted(times):
        share = max(opening.share(at_s), RAMP_FROM)
        level_db = leak.opened(share).inward_level_db(pressure_pa, temperature_k) - full_db
        points.append((at_s, max(level_db, -120.0) if math.isfinite(level_db) else -120.0))
    return LevelTable(tuple(point for i, point in enumerate(points) if not i or point[0] > points[i - 1][0]))


def machine_source(table: MachineTable, place: Place) -> SoundSource:
    """A machine as it sounds."""
    lines = tuple(Line(khz * 1000.0, level_db) for khz, level_db in table.lines_khz_db)
    hiss = None
    if table.hiss_peak_khz is not None and table.hiss_level_db is not None:
        hiss = Hiss(table.hiss_peak_khz * 1000.0, table.hiss_level_db)
    machine = Machine(place.point(table.position_m), table.level_db_at_20khz, lines, hiss)
    beam = None
    if table.direction is not None:
        beam = Directivity(place.vector(table.direction), table.piston_radius_mm / 1000.0, table.beam_exponent)
    (start_s, stop_s), *later = table.intervals
    return SoundSource(
        name=f"machine {table.name}",
        position_m=machine.position_m,
        psd=machine.pressure_psd_pa2_hz,
        start_s=start_s,
        stop_s=stop_s,
        lines=lines,
        later=tuple(later),
        directivity=beam,
    )


def burst_source(table: BurstTable, place: Place) -> SoundSource:
    """A place of random events as it sounds."""
    bursts = Bursts(table.kind, table.rate_per_h, table.level_db, table.duration_ms / 1000.0)
    return SoundSource(
        name=f"burst {table.name}",
        position_m=place.point(table.position_m),
        psd=bursts.pressure_psd_pa2_hz,
        start_s=-math.inf,
        bursts=bursts,
    )
