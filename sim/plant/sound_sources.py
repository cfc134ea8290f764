"""From a scenario's tables and leaks to what sounds in one compartment, in the room's frame.

Rooms and racks are `place`; which node hears what is `sound`'s business.
"""

import math
from itertools import pairwise

import numpy as np

from sim.plant.leaks import PlantLeak
from sim.plant.place import Place
from sim.scenario.sound import BurstTable, MachineTable
from sim.world.leak.leak import Leak
from sim.world.leak.schedule import Opening
from sim.world.signal.loudness import Interval, LevelTable
from sim.world.signal.sampling import Psd
from sim.world.sound.bursts import Bursts
from sim.world.sound.directivity import Directivity
from sim.world.sound.machine import Hiss, Machine
from sim.world.sound.source import SoundSource
from sim.world.sound.tone import Line

RAMP_POINTS = 16  # of a leak's level while it opens: straight lines in dB, within 0.3 dB of its area's
RAMP_FROM = 1e-3  # share of the area from which on an opening is heard: 30 dB down
SHORTEST_GAP_S = 2e-3  # an interruption shorter than switching takes is none


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
