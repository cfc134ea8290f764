"""What a site's nodes are fitted with beside microphones (contact and hatch sensors, relays), and what is wrong there.

The site as a whole, its hulls and its microphones are survey's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from firmware_bridge.site.hull import Hull
from firmware_bridge.site.schema import NodeTable, SensorTable, SiteTable
from firmware_bridge.units import Quantity

QUANTITY_OF = {
    "ultrasound": Quantity.ULTRASOUND,
    "pressure": Quantity.PRESSURE,
    "temperature": Quantity.TEMPERATURE,
    "surface_velocity": Quantity.SURFACE_VELOCITY,
    "nitrogen": Quantity.PP_NITROGEN,
    "oxygen": Quantity.PP_OXYGEN,
    "carbon_dioxide": Quantity.PP_CARBON_DIOXIDE,
    "water": Quantity.PP_WATER,
    "hatch": Quantity.HATCH,
}
CONTACT_TOLERANCE_M = 0.05  # glued to the wall, or to a rib that stands on it
APART_M = 0.002  # sensors nearer to each other than this are one position typed twice


@dataclass(frozen=True, slots=True)
class Equipment:
    """Something that a relay node switches: a fan, a valve, a pump; its name is the site's, not the node's."""

    name: str
    node: str
    output: int


def equipment_of(node: NodeTable) -> tuple[Equipment, ...]:
    """What `node` switches, by output."""
    return tuple(Equipment(s.name, node.name, s.output) for s in sorted(node.switches, key=lambda s: s.output))


def fitting_problems(table: SiteTable, hulls: Mapping[str, Hull | None]) -> list[str]:
    """What contradicts itself; `hulls` are those of the compartments, by name."""
    hatches = {hatch.name for hatch in table.hatches}
    problems = []
    for i, node in enumerate(table.nodes):
        key = f"nodes[{i}] ({node.name})"
        problems += [problem for sensor in node.sensors for problem in _hatch_problems(key, sensor, hatches)]
        if node.compartment in hulls:
            problems += _contact_problems(key, node, hulls[node.compartment])
    return problems


def _hatch_problems(key: str, sensor: SensorTable, hatches: set[str]) -> list[str]:
    if sensor.quantity != "hatch":
        if sensor.hatch is None:
            return []
        return [f"{key}.sensors {sensor.name!r}: names a hatch, but measures {sensor.quantity}; leave `hatch` out"]
    if sensor.hatch is None:
        return [f"{key}.sensors {sensor.name!r}: says how a hatch stands, but not which; add `hatch`"]
    if sensor.hatch not in hatches:
        known = ", ".join(sorted(hatches)) or "none"
        return [f"{key}.sensors {sensor.name!r}: no hatch {sensor.hatch!r}; known are {known}"]
    return []


def _contact_problems(key: str, node: NodeTable, hull: Hull | None) -> list[str]:
    contacts = [sensor for sensor in node.sensors if sensor.quantity == "surface_velocity"]
    if not contacts:
        return []
    if hull is None:
        return [f"{key}: has contact sensors, but compartment {node.compartment!r} has no hull"]
    problems = [
        f"{key}.sensors: contact sensor {sensor.name!r} has no position_m; localization needs it"
        for sensor in contacts
        if sensor.position_m is None
    ]
    placed = [(sensor.name, sensor.position_m) for sensor in contacts if sensor.position_m is not None]
    for name, position_m in placed:
        off_m = abs(float(hull.signed_distance_m(np.array([position_m]))[0]))
        if off_m > CONTACT_TOLERANCE_M:
            problems.append(
                f"{key}.sensors {name!r}: position_m {list(position_m)} lies {off_m:.3f} m off the hull of "
                f"{node.compartment!r} (a contact sensor sits on it, within {CONTACT_TOLERANCE_M} m); measure it again"
            )
    problems += [
        f"{key}.sensors: contact sensors {one!r} and {other!r} sit at the same place; measure them again"
        for (one, at), (other, there) in combinations(placed, 2)
        if math.dist(at, there) < APART_M
    ]
    return problems
