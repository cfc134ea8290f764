"""Which hatches people can move in which order, and for how long each may stay shut. What is worth it is choice's.

Whoever shuts a hatch by hand stays on the side that hangs together with a lifeboat; so hatches are opened from the
lifeboats outward and shut from the far end homeward.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from controller.isolate.settings import Settings
from controller.isolate.station import Part, Station
from firmware_bridge.units import PA_PER_MMHG

OPEN_BY = 0.8  # of the difference at which a hatch jams: it takes a while to go there and open it
WORTH_MINDING = 0.02  # a part that leaks with less probability shuts nobody out of a hatch


@dataclass(frozen=True, slots=True)
class Move:
    """One hatch to be opened or shut, by its motor or by hand; `equalise` first through its valve."""

    hatch: str
    opens: bool
    by_motor: bool
    equalise: bool = False


def moves_between(station: Station, shut: frozenset[str], wanted: frozenset[str]) -> tuple[Move, ...] | None:
    """The moves from `shut` to `wanted`, in an order in which people keep their way to a lifeboat; None without one."""
    far = _hatchways_from_lifeboats(station)
    now = set(shut)
    moves = []
    for name in sorted(shut - wanted, key=lambda hatch: (far[hatch], hatch)):
        if not _reached(station, name, now):
            return None
        now.discard(name)
        moves.append(Move(name, True, station.passage[name].motorised))
    for name in sorted(wanted - shut, key=lambda hatch: (-far[hatch], hatch)):
        now.add(name)
        if not _reached(station, name, now):
            return None
        moves.append(Move(name, False, station.passage[name].motorised))
    return tuple(moves)


def shut_off(station: Station, room: str) -> frozenset[str]:
    """The hatches that are to be shut once it is known that `room` leaks: its own, unless a lifeboat hangs there."""
    if room in station.lifeboats:
        return station.normally_shut
    return station.normally_shut | {p.name for p in station.passages if room in p.between}


def at_stake(station: Station, shut: frozenset[str], leaking: Mapping[str, float]) -> frozenset[str]:
    """The hatches of `shut` between parts of which one may leak: a difference may come to stand across them."""
    minded = {room for room, probability in leaking.items() if probability >= WORTH_MINDING}
    parts = [part for part in station.parts(shut) if part & minded]
    names = shut - station.normally_shut
    return frozenset(
        name for name in names if any(len(part & set(station.passage[name].between)) == 1 for part in parts)
    )


def hold_s(
    station: Station,
    shut: frozenset[str],
    leaking: Mapping[str, float],
    conductance_m3_s: float,
    pressure_pa: float,
    difference_pa: Mapping[str, float],
    settings: Settings,
) -> float:
    """How long the hatches `shut` may stay so before a difference of `jam_mmhg` stands across one of them.

    A part where only one compartment is suspected and no lifeboat hangs does not count: if it leaks, the search is over
    and its hatches stay shut for good.

    Args:
        station: compartments.
        shut: hatches.
        leaking: probability of a leak in each compartment.
        conductance_m3_s: the most that has to be reckoned with.
        pressure_pa: of the cabin.
        difference_pa: what stands across a hatch now, by its name; 0 where unknown.
        settings: the limit.
    """
    limit_pa = OPEN_BY * settings.jam_mmhg * PA_PER_MMHG
    longest_s = math.inf
    minded = {room for room, probability in leaking.items() if probability >= WORTH_MINDING}
    parts = station.parts(shut)
    going_on = [p for p in parts if len(p & minded) > 1 or (p & minded and p & station.lifeboats)]
    for name in shut - station.normally_shut:
        if abs(difference_pa.get(name, 0.0)) >= limit_pa:
            return 0.0
        for part in going_on:
            ends_inside = [end in part for end in station.passage[name].between]
            if any(ends_inside) and not all(ends_inside):
                left_pa = limit_pa - abs(difference_pa.get(name, 0.0))
                rate_pa_s = conductance_m3_s * pressure_pa / station.volume_m3(part)
                longest_s = min(longest_s, left_pa / rate_pa_s)
    return longest_s


def crew_reserve_s(
    station: Station, leaking: Mapping[Part, float], conductance_m3_s: float, pressure_pa: float, limit_pa: float
) -> float:
    """Least reserve time of people on the lifeboats' side, if the leak turns out to be with them."""
    if pressure_pa <= limit_pa:
        return 0.0
    with_them = [p for p, probability in leaking.items() if probability >= WORTH_MINDING and station.crewed(p)]
    return min(
        (station.volume_m3(part) / conductance_m3_s * math.log(pressure_pa / limit_pa) for part in with_them),
        default=math.inf,
    )


def _reached(station: Station, hatch: str, shut: Collection[str]) -> bool:
    passage = station.passage[hatch]
    return passage.motorised or any(station.crewed(station.part_of(end, shut)) for end in passage.between)


def _hatchways_from_lifeboats(station: Station) -> dict[str, int]:
    """For each hatch, how many others are on the way from the nearest lifeboat; all 0 where none is declared."""
    steps = dict.fromkeys(station.lifeboats or station.rooms, 0)
    wave = list(steps)
    while wave:
        ahead = []
        for passage in station.passages:
            for here, there in (passage.between, passage.between[::-1]):
                if here in wave and there not in steps:
                    steps[there] = steps[here] + 1
                    ahead.append(there)
        wave = ahead
    farthest = len(station.rooms)
    return {p.name: min(steps.get(end, farthest) for end in p.between) for p in station.passages}
