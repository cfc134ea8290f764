"""The site as the rest of the program sees it: immutable, checked for contradictions, and easy to ask."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.declared import load_declared
from firmware_bridge.errors import SiteError
from firmware_bridge.site.fittings import APART_M, QUANTITY_OF, Equipment, equipment_of, fitting_problems
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.instruments import Instrument, instrument_of, instrument_problems
from firmware_bridge.site.landmarks import Directions, Landmark
from firmware_bridge.site.machines import Machine, machine_problems, machines_of, switches_of
from firmware_bridge.site.sampling import sampled_late_s, sampling_problems
from firmware_bridge.site.schema import AirTable, InstrumentTable, NodeTable, SiteTable, SurveyTable
from firmware_bridge.site.shapes import build_hull, shape_problems
from firmware_bridge.units import Quantity

OUTSIDE_TOLERANCE_M = 0.01  # a microphone is mounted on the wall: the survey's own error may put it behind it


@dataclass(frozen=True, slots=True)
class Sensor:
    """One surveyed sensor: where it is, and how its node's SI values are corrected (offset + gain x value).

    `hatch` is the name of the hatch whose position a hatch sensor measures. `late_s` is how much later than its burst's
    stated start a channel is sampled, where a converter takes its channels in turn.
    """

    name: str
    node: str
    quantity: Quantity
    channel: int
    position_m: tuple[float, float, float] | None
    gain: float
    offset: float
    hatch: str | None = None
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Node:
    """One box of electronics, its sensors in channel order and what it switches in the order of outputs."""

    name: str
    uid: int
    compartment: str
    trigger_line: str | None
    siren: bool
    sensors: tuple[Sensor, ...]
    switches: tuple[Equipment, ...] = ()
    instrument: Instrument | None = None  # somebody else's sensor, which has no UID (0) and speaks no frame of ours

    def of_quantity(self, quantity: Quantity) -> tuple[Sensor, ...]:
        """This node's sensors of one kind, in channel order."""
        return tuple(sensor for sensor in self.sensors if sensor.quantity is quantity)

    @property
    def skewed(self) -> bool:
        """Whether its burst channels are sampled one after the other, as the site file has it."""
        return any(sensor.late_s for sensor in self.sensors)


@dataclass(frozen=True, slots=True)
class Compartment:
    """One pressurized room."""

    name: str
    volume_m3: float
    hull: Hull | None
    lifeboat_seats: int = 0


@dataclass(frozen=True, slots=True)
class Hatch:
    """A hatch between two compartments; `motor` is the switch that moves it where people need not."""

    name: str
    between: tuple[str, str]
    normally_open: bool
    area_m2: float
    motor: Equipment | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Everything surveyed about one installation."""

    name: str
    title: str
    directions: Directions
    air: AirTable
    survey: SurveyTable
    compartments: tuple[Compartment, ...]
    hatches: tuple[Hatch, ...]
    nodes: tuple[Node, ...]
    landmarks: tuple[Landmark, ...]
    _node_by_uid: dict[int, Node] = field(repr=False)
    machines: tuple[Machine, ...] = ()

    def node_with_uid(self, uid: int) -> Node | None:
        """The surveyed node that reports `uid`."""
        return self._node_by_uid.get(uid)

    def node(self, name: str) -> Node:
        """The node called `name`; KeyError where there is none."""
        return {node.name: node for node in self.nodes}[name]

    def compartment(self, name: str) -> Compartment:
        """The compartment called `name`; KeyError where there is none."""
        return {room.name: room for room in self.compartments}[name]

    def sensors_of(self, quantity: Quantity) -> tuple[Sensor, ...]:
        """All sensors of one kind, by node and channel."""
        return tuple(sensor for node in self.nodes for sensor in node.of_quantity(quantity))

    def connected_compartments(self, compartment: str, open_hatches: Iterable[Hatch] | None = None) -> frozenset[str]:
        """Names of all rooms joined to `compartment` by open hatches (default: as they normally stand), itself too."""
        hatches = [h for h in self.hatches if h.normally_open] if open_hatches is None else list(open_hatches)
        joined = {compartment}
        while True:
            reached = {end for hatch in hatches if joined & set(hatch.between) for end in hatch.between}
            if reached <= joined:
                break
            joined |= reached
        return frozenset(joined)

    def connected_volume_m3(self, compartment: str, open_hatches: Iterable[Hatch] | None = None) -> float:
        """Volume of those rooms."""
        joined = self.connected_compartments(compartment, open_hatches)
        return sum(room.volume_m3 for room in self.compartments if room.name in joined)

    def microphones_m(self, node: Node) -> NDArray[np.float64]:
        """Surveyed microphone positions of a node (channels, 3)."""
        return np.array([sensor.position_m for sensor in node.of_quantity(Quantity.ULTRASOUND)], dtype=float)


def load_site(path: Path) -> Site:
    """Read and check a site file.

    Raises:
        DeclaredFileError: malformed or out of range.
        SiteError: well-formed, but contradicting itself (a sensor outside its hull, a name used twice, ...).
    """
    return build_site(load_declared(path, SiteTable), str(path))


def build_site(table: SiteTable, source: str) -> Site:
    """Turn declared tables into a Site; `source` is named in messages."""
    problems = [*_name_problems(table), *_reference_problems(table), *_sensor_problems(table)]
    problems += sampling_problems(table)
    hulls = [build_hull(room.hull) for room in table.compartments]
    compartments = tuple(
        Compartment(c.name, c.volume_m3, h, c.lifeboat_seats) for c, h in zip(table.compartments, hulls, strict=True)
    )
    rooms = {room.name: room for room in compartments}
    problems += [*shape_problems(table.compartments, hulls), *_hull_problems(table, rooms)]
    problems += fitting_problems(table, {room.name: room.hull for room in compartments})
    problems += machine_problems(table)
    problems += instrument_problems(table)
    if problems:
        raise SiteError(f"{source} contradicts itself", remedy="\n  " + "\n  ".join(problems))
    nodes = tuple(_node(node) for node in table.nodes)
    switches = switches_of(table)
    return Site(
        name=table.name,
        title=table.title or table.name,
        directions=Directions(table.frame.x, table.frame.y, table.frame.z),
        air=table.air,
        survey=table.survey,
        compartments=compartments,
        hatches=tuple(
            Hatch(h.name, h.between, h.normally == "open", h.area_m2, switches.get(h.motor or ""))
            for h in table.hatches
        ),
        nodes=(*nodes, *(_instrument(instrument) for instrument in table.instruments)),
        landmarks=tuple(Landmark(mark.name, mark.position_m) for mark in table.landmarks),
        _node_by_uid={node.uid: node for node in nodes},
        machines=machines_of(table),
    )


def _node(table: NodeTable) -> Node:
    late_s = sampled_late_s(table)
    sensors = tuple(
        Sensor(
            name=s.name,
            node=table.name,
            quantity=QUANTITY_OF[s.quantity],
            channel=s.channel,
            position_m=s.position_m,
            gain=s.gain,
            offset=s.offset,
            hatch=s.hatch,
            late_s=late_s[s.name],
        )
        for s in sorted(table.sensors, key=lambda s: s.channel)
    )
    uid = int(table.uid, 16)
    line, switches = table.trigger_line, equipment_of(table)
    return Node(table.name, uid, table.compartment, line, table.siren, sensors, switches)


def _instrument(table: InstrumentTable) -> Node:
    sensors = tuple(
        Sensor(r.name, table.name, QUANTITY_OF[r.quantity], channel, r.position_m, 1.0, 0.0)
        for channel, r in enumerate(table.readings)
    )
    return Node(table.name, 0, table.compartment, None, siren=False, sensors=sensors, instrument=instrument_of(table))


def _twice(what: str, names: Iterable[str]) -> list[str]:
    return [
        f"{what} {name!r} is used {times} times; each must be unique"
        for name, times in Counter(names).items()
        if times > 1
    ]


def _name_problems(table: SiteTable) -> list[str]:
    return [
        *_twice("compartments[].name", (c.name for c in table.compartments)),
        *_twice("hatches[].name", (h.name for h in table.hatches)),
        *_twice(
            "instruments[].name or nodes[].name",
            [n.name for n in table.nodes] + [one.name for one in table.instruments],
        ),
        *_twice("nodes[].uid", (n.uid.lstrip("0") or "0" for n in table.nodes)),
        *_twice(
            "instruments[].readings[].name or nodes[].sensors[].name",
            (
                *(s.name for n in table.nodes for s in n.sensors),
                *(r.name for one in table.instruments for r in one.readings),
            ),
        ),
        *_twice("nodes[].switches[].name", (s.name for n in table.nodes for s in n.switches)),
        *_twice("landmarks[].name", (mark.name for mark in table.landmarks)),
    ]


def _reference_problems(table: SiteTable) -> list[str]:
    rooms = {room.name for room in table.compartments}
    known = ", ".join(sorted(rooms))
    asked = [(f"nodes[{i}].compartment", node.compartment) for i, node in enumerate(table.nodes)]
    asked += [(f"instruments[{i}].compartment", one.compartment) for i, one in enumerate(table.instruments)]
    asked += [(f"hatches[{i}].between", end) for i, hatch in enumerate(table.hatches) for end in hatch.between]
    return [f"{key}: no compartment {name!r}; known are {known}" for key, name in asked if name not in rooms]


def _sensor_problems(table: SiteTable) -> list[str]:
    problems = []
    for i, node in enumerate(table.nodes):
        key = f"nodes[{i}] ({node.name})"
        problems += _twice(f"{key}.sensors[].channel", (str(s.channel) for s in node.sensors))
        problems += _twice(f"{key}.switches[].output", (str(s.output) for s in node.switches))
        problems += [
            f"{key}.sensors: microphone {s.name!r} has no position_m; localization needs it"
            for s in node.sensors
            if s.quantity == "ultrasound" and s.position_m is None
        ]
        placed = [(s.name, s.position_m) for s in node.sensors if s.quantity == "ultrasound" and s.position_m]
        problems += [
            f"{key}.sensors: microphones {one!r} and {other!r} stand at the same place; measure them again"
            for (one, at), (other, there) in combinations(placed, 2)
            if math.dist(at, there) < APART_M
        ]
    return problems


def _hull_problems(table: SiteTable, rooms: dict[str, Compartment]) -> list[str]:
    problems = []
    for i, node in enumerate(table.nodes):
        room = rooms.get(node.compartment)
        microphones = [s for s in node.sensors if s.quantity == "ultrasound"]
        if microphones and room is not None and room.hull is None:
            problems.append(f"nodes[{i}] ({node.name}): has microphones, but compartment {room.name!r} has no hull")
        if room is None or room.hull is None:
            continue
        for sensor in node.sensors:
            if sensor.position_m is None or sensor.quantity == "surface_velocity":  # that sits on the hull: fittings
                continue
            outside_m = float(room.hull.signed_distance_m(np.array([sensor.position_m]))[0])
            if outside_m > OUTSIDE_TOLERANCE_M:
                problems.append(
                    f"nodes[{i}] ({node.name}).sensors {sensor.name!r}: position_m {list(sensor.position_m)} lies "
                    f"{outside_m:.3f} m outside the hull of {room.name!r} (allowed {OUTSIDE_TOLERANCE_M} m); "
                    "measure it again or mend the hull"
                )
    return problems
