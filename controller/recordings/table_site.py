"""A site out of a table of microphones and a word about the hull, for people who have no site file."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from controller.errors import ControllerError
from controller.tdoa.columns import read_table, roles_of, split_unit
from controller.tdoa.region import Box, Cylinder, parse_hull
from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.landmarks import Directions
from firmware_bridge.site.placed import Axis, place
from firmware_bridge.site.schema import AirTable, SurveyTable
from firmware_bridge.site.shapes import MAX_HULL_AREA_M2
from firmware_bridge.site.survey import Compartment, Node, Sensor, Site
from firmware_bridge.units import Quantity

AXES: tuple[Axis, ...] = ("+x", "+y", "+z")
ROOM = "hull"
LINE = "all"
NODE_COLUMNS = frozenset({"node", "node_id", "node_name", "array", "array_id", "group", "board", "cluster"})
MIN_MICROPHONES, MAX_MICROPHONES = 4, 128  # of 128, 8,128 pairs take 20 s and 3 GB
APART_M = 0.001
OUTSIDE_M = 0.02  # microphones sit on walls, and walls are surveyed to a centimetre
FAR_OUTSIDE_M = 0.25
MAX_COORDINATE_M = 1000.0


@dataclass(frozen=True, slots=True)
class Microphones:
    """Positions (n, 3), m, in the order of channels, and each one's node."""

    position_m: NDArray[np.float64]
    nodes: tuple[str, ...]


def read_microphones(name: str, text: str) -> Microphones:
    """Read `x_m,y_m,z_m[,node]`, rows in channel order; ControllerError names line and column."""
    table = read_table(name, text, {3: ("x_m", "y_m", "z_m"), 4: ("x_m", "y_m", "z_m", "node")})
    roles = roles_of(table.header)
    lacking = [f"{axis}_m" for axis in "xyz" if axis not in roles]
    if lacking:
        raise ControllerError(
            f"{name}: no column {' and '.join(lacking)} among {', '.join(table.header)}",
            remedy="the header is x_m,y_m,z_m,node, and each row is a channel",
        )
    owner = next((at for at, field in enumerate(table.header) if split_unit(field)[0] in NODE_COLUMNS), None)
    position = np.array(
        [[table.coordinate(line, row, roles[axis], MAX_COORDINATE_M) for axis in "xyz"] for line, row in table.rows]
    )
    nodes = tuple("all" if owner is None else row[owner].strip() for _, row in table.rows)
    if owner is not None and "" in nodes:
        raise table.refuse(
            table.rows[nodes.index("")][0], table.header[owner], "the node is missing", "name every node"
        )
    if not MIN_MICROPHONES <= len(position) <= MAX_MICROPHONES:
        raise ControllerError(
            f"{name}: {len(position)} microphones, not {MIN_MICROPHONES} to {MAX_MICROPHONES}",
            remedy="a place on a hull needs four or more, and dozens add little",
        )
    apart = np.linalg.norm(position[:, None] - position[None], axis=2) + np.eye(len(position))
    if apart.min() < APART_M:
        one, other = sorted(int(at) for at in np.argwhere(apart < APART_M)[0])
        raise ControllerError(
            f"{name}: lines {table.rows[one][0]} and {table.rows[other][0]} put two microphones at the same place",
            remedy="measure them again, or take one of the channels out",
        )
    return Microphones(position, nodes)


def hull_of(text: str) -> Hull:
    """The wall of box:LX,LY,LZ or cylinder:RADIUS,LENGTH[,AXIS], perhaps with @X,Y,Z; ControllerError says why not."""
    remedy = "give box:LX,LY,LZ, cylinder:RADIUS,LENGTH or none, in metres"
    try:
        region = parse_hull(text)
    except ValueError as error:
        raise ControllerError(str(error), remedy=remedy) from error
    if isinstance(region, Box):
        size = region.high_m - region.low_m
        if not np.all(np.isfinite(size)):
            raise ControllerError(f"hull {text!r} has no height", remedy="give three lengths: box:LX,LY,LZ")
        area = 2.0 * float(size[0] * size[1] + size[1] * size[2] + size[2] * size[0])
        x, y, z = (float(value) for value in region.low_m)
        hull = place(BoxHull((float(size[0]), float(size[1]), float(size[2]))), (x, y, z), "+x")
    elif isinstance(region, Cylinder):
        area = 2.0 * np.pi * region.radius_m * (region.radius_m + region.length_m)
        x, y, z = (float(value) for value in region.origin_m)
        hull = place(CylinderHull(region.radius_m, region.length_m), (x, y, z), AXES[region.axis])
    else:
        raise ControllerError(f"hull {text!r} is no wall", remedy=remedy)
    if area > MAX_HULL_AREA_M2:
        raise ControllerError(f"hull {text!r} has {area:.0f} m² of wall, more than {MAX_HULL_AREA_M2:g}", remedy=remedy)
    return hull


def outside_notes(microphones: Microphones, hull: Hull) -> list[str]:
    """A word on microphones a little outside the hull; ControllerError where they are far."""
    outside = np.asarray(hull.signed_distance_m(microphones.position_m))
    worst = int(outside.argmax())
    at = ", ".join(f"{value:g}" for value in microphones.position_m[worst])
    said = f"microphone of channel {worst} at ({at}) lies {outside[worst]:.3f} m outside the hull"
    if outside[worst] > FAR_OUTSIDE_M:
        raise ControllerError(
            said, remedy="box: one corner at the origin; cylinder: axis along x from 0, centred on y = z = 0; metres"
        )
    return [f"{said}: is the hull right?"] if outside[worst] > OUTSIDE_M else []


def table_site(microphones: Microphones, hull: Hull | None, survey: SurveyTable) -> Site:
    """A site of one room; each node's microphones by themselves or, on one line, all together."""
    names = [f"m{at}" for at in range(len(microphones.nodes))]
    nodes = []
    for uid, node in enumerate(dict.fromkeys(microphones.nodes), start=1):
        rows = [at for at, owner in enumerate(microphones.nodes) if owner == node]
        sensors = tuple(_sensor(names[at], node, row, microphones.position_m[at]) for row, at in enumerate(rows))
        nodes.append(Node(node, uid, ROOM, LINE, siren=False, sensors=sensors))
    return Site(
        name="table",
        title="table of microphones",
        directions=Directions(("toward -x", "toward +x"), ("toward -y", "toward +y"), ("toward -z", "toward +z")),
        air=AirTable(),
        survey=survey,
        compartments=(Compartment(ROOM, 1.0 if hull is None else hull.volume_m3, hull),),
        hatches=(),
        nodes=tuple(nodes),
        landmarks=(),
        _node_by_uid={node.uid: node for node in nodes},
    )


def joined(site: Site, coherent: str | None) -> Site:
    """The site with all nodes on one line ("all"), each by itself ("node"), or as it is (None)."""
    if coherent is None:
        return site
    line = LINE if coherent == "all" else None
    return replace(site, nodes=tuple(replace(node, trigger_line=line) for node in site.nodes))


def _sensor(name: str, node: str, channel: int, at: NDArray[np.float64]) -> Sensor:
    position = (float(at[0]), float(at[1]), float(at[2]))
    return Sensor(name, node, Quantity.ULTRASOUND, channel, position, 1.0, 0.0)


def uneven_notes(microphones: Microphones) -> list[str]:
    """A word where the nodes look like a mistake: every microphone its own."""
    counts = Counter(microphones.nodes)
    if len(counts) == len(microphones.nodes):
        return ["every microphone is its own node: are these names of microphones?"]
    return []
