"""Leaks anywhere on the hulls of the shipped sites, heard by rigs some part of which is not what it should be."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from controller.localize.locate import Locator, Settings
from controller.localize.verdict import Fix, NoFix
from controller.measure.captures import Capture
from firmware_bridge.samples import WaveBlock
from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.survey import Node, Site
from firmware_bridge.units import Quantity
from tests.support.box_room import Floats
from tests.support.rig import Position, RigEar, leaking_at
from tests.support.shipped import shipped

HEARABLE = ("ms09-2018", "spektr-1997", "destiny-hose-2004", "two-leaks", "bench-box")  # have a leak that hisses
FAULTS = ("nothing", "lying", "dead", "moved")
GRID_M = 0.03
MOVED_M = 0.10
LIE_SAMPLES = (20, 400)  # 0.1 to 2 ms at 192 kHz
TEMPERATURE_SIGMA_K = 1.0
QUIET, LEAKING = 4, 2


@dataclass(frozen=True)
class ShippedTrial:
    """One rig with one leak: what was wrong, where the leak was, and the verdict."""

    scenario: str
    fault: str
    seed: int
    leak_m: Position
    normal: Floats
    verdict: Fix | NoFix

    @property
    def error_m(self) -> float:
        """Distance of the fix from the leak; infinite where there is no fix."""
        if isinstance(self.verdict, NoFix):
            return float("inf")
        return float(np.linalg.norm(np.subtract(self.verdict.position_m, self.leak_m)))

    @property
    def radii(self) -> float:
        """The same in 95 % radii."""
        return self.error_m / self.verdict.radius95_m if isinstance(self.verdict, Fix) else float("inf")


def faulty(
    name: str, fault: str, seeds: Iterable[int], *, place: Position | None = None, hull_errs: bool = True
) -> Iterator[ShippedTrial]:
    """One leak a seed anywhere on the hull of the scenario's leaking room, or at `place`; its hole the scenario's.

    The true rig differs from its site file by what that states: its microphones as the scenario says, its hull's radius
    and length or its edges (`hull_errs`), its thermometer by a kelvin.
    """
    scenario, site = shipped(name)
    room = scenario.leaks[0].compartment
    nodes = [node for node in site.nodes if node.compartment == room and site.microphones_m(node).size]
    hull = site.compartment(room).hull
    assert hull is not None
    for seed in seeds:
        random = np.random.default_rng([seed, FAULTS.index(fault)])
        at = _anywhere(name, random) if place is None else place
        normal = np.asarray(hull.outward(np.array([at]))[0])
        ear = RigEar(leaking_at(scenario, at), site, seed, [node.name for node in nodes])
        job = ear.job(QUIET, LEAKING)
        told = _misbuilt(site, room, random) if hull_errs else site
        victim = nodes[int(random.integers(len(nodes)))]
        if fault == "moved":
            told = _moved(told, victim, random)
        elif fault in {"lying", "dead"}:
            spoil = _lying(victim, random) if fault == "lying" else _dead(victim, random)
            job = replace(
                job,
                captures=tuple(_spoilt(one, spoil) for one in job.captures),
                quiet=tuple(_spoilt(one, spoil) for one in job.quiet),
            )
        kelvin = job.temperature_k + TEMPERATURE_SIGMA_K * float(random.standard_normal())
        verdict = Locator(told, room, Settings()).locate(replace(job, temperature_k=kelvin))
        yield ShippedTrial(name, fault, seed, at, normal, verdict)


@cache
def _grid(name: str) -> np.ndarray:
    scenario, site = shipped(name)
    hull = site.compartment(scenario.leaks[0].compartment).hull
    assert hull is not None
    return np.asarray(hull.grid(GRID_M))


def _anywhere(name: str, random: np.random.Generator) -> Position:
    grid = _grid(name)
    x, y, z = (float(value) for value in grid[random.integers(len(grid))])
    return x, y, z


def _misbuilt(site: Site, room: str, random: np.random.Generator) -> Site:
    """The site file of a hull that was measured no better than it says."""
    hull, sigma_m = site.compartment(room).hull, site.survey.hull_sigma_m
    told: Hull
    if isinstance(hull, CylinderHull):
        size = np.array([hull.radius_m, hull.length_m]) + sigma_m * random.standard_normal(2)
        told = CylinderHull(float(size[0]), float(size[1]))
    elif isinstance(hull, BoxHull):
        x, y, z = (float(v) for v in np.array(hull.size_m) + sigma_m * random.standard_normal(3))
        told = BoxHull((x, y, z))
    else:
        raise TypeError(f"{type(hull).__name__}: say how this one errs")
    rooms = tuple(replace(one, hull=told) if one.name == room else one for one in site.compartments)
    return replace(site, compartments=rooms)


def _moved(site: Site, victim: Node, random: np.random.Generator) -> Site:
    """The site file of somebody who does not know that the node was moved."""
    way = random.standard_normal(3)
    way *= MOVED_M / np.linalg.norm(way)
    sensors = tuple(
        replace(sensor, position_m=_added(sensor.position_m, way))
        if sensor.quantity is Quantity.ULTRASOUND and sensor.position_m is not None
        else sensor
        for sensor in victim.sensors
    )
    nodes = tuple(replace(node, sensors=sensors) if node.name == victim.name else node for node in site.nodes)
    return replace(site, nodes=nodes)


def _added(place: Position, way: Floats) -> Position:
    x, y, z = (float(value) for value in np.add(place, way))
    return x, y, z


def _lying(victim: Node, random: np.random.Generator) -> Mapping[str, object]:
    late = int(random.integers(*LIE_SAMPLES)) * int(random.choice([-1, 1]))
    return {"node": victim.name, "late": late}


def _dead(victim: Node, random: np.random.Generator) -> Mapping[str, object]:
    count = len(victim.of_quantity(Quantity.ULTRASOUND))
    return {"node": victim.name, "dead": int(random.integers(count))}


def _spoilt(capture: Capture, spoil: Mapping[str, object]) -> Capture:
    """The capture with one node's block shifted in time, or one of its channels silent."""
    name = str(spoil["node"])
    block: WaveBlock = capture.blocks[name]
    pressure = block.pressure_pa.copy()
    late, dead = spoil.get("late"), spoil.get("dead")
    if isinstance(late, int):
        pressure = np.roll(pressure, late, axis=1)
    if isinstance(dead, int):
        pressure[dead] = 0.0
    return replace(capture, blocks={**capture.blocks, name: replace(block, pressure_pa=pressure)})
