"""How a leak's compartment is found by shutting hatches: the adviser beside the crew's fixed binary procedure.

    python -m benchmarks.accuracy.isolation [CASES]

On the shipped site of Zvezda, 2020, leaks of 1 to 100 kg a day (evenly in the logarithm) in compartments drawn evenly.
The fixed procedure begins at the aft hatch of Node 1 (`zarya-node-1`), then takes the hatch that best halves what is
left, keeps each shut until half a mmHg stands across it, half the time of a 1 mmHg drop, believes the lower side, and
opens it again. "Its order, our watch" has the same order, but stops each watch as soon as the adviser's evidence is
sure: what is left beside it is the choice of hatches. Moves are openings and closings until the compartment is shut
off, the last ones included; shut time is summed over hatches until the compartment is named.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.accuracy.isolation_world import Climate, World
from controller.isolate.advice import Step
from controller.isolate.adviser import Adviser, Situation
from controller.isolate.belief import Belief
from controller.isolate.falls import fall_evidence
from controller.isolate.hearsay import size_evidence
from controller.isolate.settings import Settings
from controller.isolate.station import Station, station_of
from firmware_bridge.site.survey import load_site
from firmware_bridge.units import PA_PER_MMHG, Quantity, s_to_ns

SITE = Path(__file__).parents[2] / "configs" / "sites" / "zvezda-prk-2020.toml"
FIRST_HATCH = "zarya-node-1"
CASES, SEED = 200, 1
LOSS_KG_DAY = (1.0, 100.0)
SIZE_SIGMA = 0.2  # how well the loss is known when the search begins, relative
LOOK_S, LOOK_SHARE = 5.0, 0.02  # readings are judged this often, or each fiftieth of the time that passed
LONGEST_S = 5 * 86_400.0
MOVE_S, SETTLE_S = 120.0, 15.0
CALM, ROUGH = Climate(), Climate(own_pa2_s=0.045)


WAYS = ("adviser", "fixed procedure", "its order, our watch")


@dataclass(frozen=True, slots=True)
class Result:
    """Of one search."""

    right: bool
    moves: int
    shut_s: float
    took_s: float


def world_of(station: Station, sensors: tuple[tuple[str, str], ...], seed: int, climate: Climate = CALM) -> World:
    """One case: the same leak and weather for the same seed."""
    random = np.random.default_rng([SEED, seed])
    room = station.rooms[int(random.integers(len(station.rooms)))]
    low, high = LOSS_KG_DAY
    return World(station, room, low * (high / low) ** float(random.random()), sensors, random, climate)


def advised(world: World) -> Result:
    """A crew that follows the adviser."""
    settings = Settings(operation_s=MOVE_S, settle_s=SETTLE_S)
    adviser = Adviser(world.station, settings)
    size = world.conductance_m3_s * (1.0 + SIZE_SIGMA * float(world.random.standard_normal()))
    told = size_evidence(world.station.rooms, world.station.rooms, max(size, 0.0), SIZE_SIGMA * size)
    settled = True
    while world.now_s < LONGEST_S:
        situation = Situation(
            shut=world.shut,
            watched_s=world.watched_s if settled else 0.0,
            drops=world.drops(),
            barometers=world.barometers(),
            pressure_pa=97_330.0,
            difference_pa=world.difference_pa(),
            suspected=True,
            size=told,
        )
        advice = adviser.step(s_to_ns(world.now_s), situation)
        assert advice is not None
        if advice.step in {Step.ISOLATE, Step.ISOLATED}:
            return Result(advice.compartment == world.room, world.moves + len(advice.moves), world.shut_s, world.now_s)
        for move in advice.moves:
            world.advance(MOVE_S)
            world.move(move.hatch, opens=move.opens)
        if advice.moves:
            world.advance(SETTLE_S)
            world._begin()
        world.advance(max(LOOK_S, LOOK_SHARE * world.watched_s))
    return Result(False, world.moves, world.shut_s, world.now_s)


def fixed(world: World, *, our_watch: bool) -> Result:
    """The crew's procedure."""
    station, left = world.station, frozenset(world.station.rooms)
    size = world.conductance_m3_s * (1.0 + SIZE_SIGMA * float(world.random.standard_normal()))
    told = size_evidence(station.rooms, station.rooms, max(size, 0.0), SIZE_SIGMA * size)
    belief = Belief.flat(station.rooms, Settings().no_leak).told(told)
    hatch: str | None = FIRST_HATCH
    while hatch is not None and world.now_s < LONGEST_S:
        world.advance(MOVE_S)
        world.move(hatch, opens=False)
        world.advance(SETTLE_S)
        world._begin()
        sides = [part & left for part in world.parts]
        now = belief
        while True:
            world.advance(max(LOOK_S, LOOK_SHARE * world.watched_s))
            if our_watch:
                drops = world.drops()
                now = belief.told(fall_evidence(station, world.parts, drops, world.watched_s, Settings()))
                if max(sum(now.of()[room] for room in side) for side in sides) > 1.0 - Settings().error_rate:
                    break
            if abs(world.difference_pa()[hatch]) >= 0.5 * PA_PER_MMHG:
                break
        if our_watch:
            belief = now
            left = max(sides, key=lambda side: sum(now.of()[room] for room in side))
        else:
            one, other = station.passage[hatch].between
            lower = one if world.difference_pa()[hatch] < 0.0 else other
            left = next(side for side, part in zip(sides, world.parts, strict=True) if lower in part)
        if len(left) == 1:
            break
        world.advance(MOVE_S)
        world.move(hatch, opens=True)
        hatch = _halving(station, left)
    (room,) = left
    wanted = set() if room in station.lifeboats else {p.name for p in station.passages if room in p.between}
    return Result(room == world.room, world.moves + len(world.shut ^ wanted), world.shut_s, world.now_s)


def _halving(station: Station, left: frozenset[str]) -> str | None:
    """The hatch that divides the suspects most evenly."""
    ways = {p.name: [len(part & left) for part in station.parts({p.name})] for p in station.passages}
    ways = {name: counts for name, counts in ways.items() if min(counts) > 0}
    return min(ways, key=lambda name: (max(ways[name]), name), default=None)


def results(cases: int, climate: Climate = CALM, only: tuple[str, ...] = WAYS) -> dict[str, list[Result]]:
    """Several ways on the same cases."""
    site = load_site(SITE)
    station = station_of(site)
    sensors = tuple((s.name, site.node(s.node).compartment) for s in site.sensors_of(Quantity.PRESSURE))
    ways: dict[str, Callable[[World], Result]] = {
        "adviser": advised,
        "fixed procedure": lambda world: fixed(world, our_watch=False),
        "its order, our watch": lambda world: fixed(world, our_watch=True),
    }
    return {
        name: [way(world_of(station, sensors, case, climate)) for case in range(cases)]
        for name, way in ways.items()
        if name in only
    }


def table(found: dict[str, list[Result]]) -> str:
    """Markdown."""
    lines = [
        "| way | right | moves | shut, hatch-hours | search, hours | median shut, min |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, rows in found.items():
        right = sum(row.right for row in rows) / len(rows)
        moves, shut_h = np.mean([row.moves for row in rows]), np.mean([row.shut_s for row in rows]) / 3600
        took_h, median = np.mean([row.took_s for row in rows]) / 3600, np.median([row.shut_s for row in rows]) / 60
        lines.append(f"| {name} | {right:.1%} | {moves:.2f} | {shut_h:.2f} | {took_h:.2f} | {median:.1f} |")
    return "\n".join(lines)


def main(cases: int = CASES) -> None:
    """Print the tables."""
    for climate, told in (
        (CALM, f"own weather of a volume {CALM.own_pa2_s} Pa2/s"),
        (ROUGH, f"own weather {ROUGH.own_pa2_s} Pa2/s, as the adviser believes"),
    ):
        print(f"\n{told}, {cases} cases\n\n{table(results(cases, climate))}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CASES)
