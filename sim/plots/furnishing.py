"""What is in one compartment, by name and place in the site's frame: for pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.hull import Hull
from firmware_bridge.site.survey import Site
from sim.plant.opened_plant import OpenedPlant
from sim.scenario.scenario import ScenarioTable
from sim.scenario.sound import RackTable

FloatArray = NDArray[np.float64]
Triple = tuple[float, float, float]

TOGETHER_M = 0.5  # the sensors of an array are a hand apart


@dataclass(frozen=True, slots=True)
class Furnishing:
    """One compartment with a hull.

    Args:
        name: of the compartment.
        hull: its wall.
        leaks, machines, landmarks: (name, place).
        racks: boxes.
        nodes: true places (n, 3) of the fast sensors by node.
    """

    name: str
    hull: Hull
    leaks: Sequence[tuple[str, Triple]]
    machines: Sequence[tuple[str, Triple]]
    landmarks: Sequence[tuple[str, Triple]]
    racks: Sequence[RackTable]
    nodes: Mapping[str, FloatArray]


def furnishings(plant: OpenedPlant) -> list[Furnishing]:
    """All compartments with a hull in which there is anything but landmarks, in the order of the site."""
    site, scenario = plant.site, plant.scenario
    found = []
    for room in site.compartments:
        if room.hull is None:
            continue
        nodes = {
            node.name: places
            for node in site.nodes
            if node.compartment == room.name and len(places := _places(plant, node.name))
        }
        furnishing = furnished(room.name, room.hull, scenario, site, nodes)
        if furnishing.leaks or furnishing.racks or nodes or furnishing.machines:
            found.append(furnishing)
    return found


def furnished(
    name: str, hull: Hull, scenario: ScenarioTable, site: Site, nodes: Mapping[str, FloatArray]
) -> Furnishing:
    """The compartment `name` with its `hull`; `nodes` are the places (n, 3) of the fast sensors in it."""
    machines = [(m.name, m.position_m) for m in scenario.machines if m.compartment == name]
    machines += [(burst.name, burst.position_m) for burst in scenario.bursts if burst.compartment == name]
    if nodes:  # machines without a compartment are in every one that is listened to
        machines += [(m.name, m.position_m) for m in scenario.machines if m.compartment is None]
    return Furnishing(
        name=name,
        hull=hull,
        leaks=[(leak.name, leak.position_m) for leak in scenario.leaks if leak.compartment == name],
        machines=machines,
        landmarks=[(m.name, m.position_m) for m in site.landmarks if _nearest_room(site, m.position_m) == name],
        racks=[rack for rack in scenario.racks if rack.compartment == name],
        nodes=nodes,
    )


def together(places: FloatArray) -> bool:
    """Whether the sensors (n, 3) of a node are an array: one cluster, and not spread over the hull."""
    return len(places) > 1 and float(np.ptp(places, axis=0).max()) < TOGETHER_M


def _nearest_room(site: Site, position_m: Triple) -> str:
    """The compartment whose wall is nearest to a place, of those with a hull; there must be one."""
    place = np.array([position_m])
    away = {
        room.name: abs(float(room.hull.signed_distance_m(place)[0]))
        for room in site.compartments
        if room.hull is not None
    }
    return min(away, key=away.__getitem__)


def _places(plant: OpenedPlant, name: str) -> FloatArray:
    node = plant.site.node(name)
    places = [plant.true_position_m(node, sensor) for sensor in plant.fast_sensors(node)]
    return np.array([place for place in places if place is not None], dtype=np.float64).reshape(-1, 3)
