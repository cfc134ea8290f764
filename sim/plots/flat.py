"""One compartment unrolled: its wall from inside with leaks, machines, racks, sensors and landmarks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.hull import Hull
from sim.plots.furnishing import Furnishing, together
from sim.plots.labels import label
from sim.plots.style import LANDMARK, LEAK, MACHINE, NODE, SHADOW
from sim.scenario.sound import RackTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

FloatArray = NDArray[np.float64]
Triple = tuple[float, float, float]
Point = tuple[float, float]

HIDDEN_POINTS = 40_000  # of a wall, asked whether racks stand before them
HIDDEN_M = np.linspace(0.02, 0.6, 15)  # how far inward from the wall a rack is looked for


def draw_flat(axes: "Axes", room: Furnishing) -> None:
    """The wall seen from inside; what stands in the room is put on the nearest wall."""
    hull = room.hull
    for outline in hull.outlines():
        axes.fill(*outline.points_m.T, facecolor="#f4f6f8", edgecolor="#8f9aa5", lw=1.1, zorder=0)
        top = float(outline.points_m[:, 1].max())
        axes.annotate(outline.label, (float(outline.points_m[:, 0].mean()), top), (0, 4), textcoords="offset points",
                      ha="center", fontsize=8, color="#777777")  # fmt: skip
    hidden = _hidden(hull, room.racks)
    if len(hidden):
        axes.plot(*hull.unroll(hidden).T, "s", ms=2.4, mew=0, color=SHADOW, zorder=0.5)
        axes.plot([], [], "s", ms=9, color=SHADOW, label="behind a rack")
    for name, place in room.landmarks:
        point = _on_wall(hull, place)
        axes.plot(*point, "s", ms=5, color=LANDMARK, mec="white", mew=0.4, zorder=4.7)
        label(axes, point, name, LANDMARK, size=7.5)
    for row, (name, place) in enumerate(room.machines):
        point = _on_wall(hull, place)
        axes.plot(*point, "D", ms=6, color=MACHINE, mec="white", mew=0.5, ls="", zorder=3,
                  label=_first(row, "noise source, projected onto the hull"))  # fmt: skip
        label(axes, point, name, MACHINE, rank=1)
    for name, places in room.nodes.items():
        for point in _marks_of_node(hull, places):
            axes.plot(*point, marker=_array_mark() if together(places) else "^", ms=11 if together(places) else 5.5,
                      color=NODE, mec="white", mew=0.4, ls="", zorder=4)  # fmt: skip
            label(axes, point, name, NODE, size=10, mark_pt=9, rank=2, bold=True)
    if any(together(places) for places in room.nodes.values()):
        axes.plot([], [], marker=_array_mark(), ms=11, color=NODE, mew=0, ls="",
                  label="array of a node, its centre projected onto the hull")  # fmt: skip
    if not all(together(places) for places in room.nodes.values()):
        axes.plot([], [], marker="^", ms=5.5, color=NODE, mew=0, ls="", label="sensor of a node")
    for row, (name, place) in enumerate(room.leaks):
        point = _on_wall(hull, place)
        axes.plot(*point, "x", ms=12, mew=2.6, color=LEAK, ls="", zorder=5, label=_first(row, "leak"))
        label(axes, point, name, LEAK, size=9, mark_pt=14, rank=4)
    axes.set_aspect("equal")
    axes.set_title(f"{room.name}, unrolled and seen from inside", fontsize=10)
    axes.set_xlabel("along the hull, m", fontsize=9)
    axes.set_ylabel("around the hull, m", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(0.04)


def _marks_of_node(hull: Hull, places: FloatArray) -> list[Point]:
    """An array once, at its centre: one by one its sensors may land on walls that are unrolled far apart."""
    shown = places.mean(axis=0, keepdims=True) if together(places) else places
    return [(float(across), float(up)) for across, up in hull.unroll(hull.project(shown))]


def _array_mark() -> "Path":
    """Four small triangles."""
    from matplotlib.path import Path

    corners = np.array([(-0.22, -0.2), (0.22, -0.2), (0.0, 0.2), (-0.22, -0.2)])
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    places = [(0.0, 0.28), (-0.28, 0.0), (0.28, 0.0), (0.0, -0.28)]
    return Path(np.vstack([corners + place for place in places]), codes * len(places))


def _first(row: int, label: str) -> str | None:
    """A label for the legend, once."""
    return label if row == 0 else None


def _on_wall(hull: Hull, place: Triple) -> Point:
    across, up = hull.unroll(hull.project(np.array([place])))[0]
    return float(across), float(up)


def _hidden(hull: Hull, racks: Sequence[RackTable]) -> FloatArray:
    """Points (n, 3) of the wall before which a rack stands."""
    if not racks:
        return np.empty((0, 3))
    wall = hull.grid(float(np.sqrt(hull.area_m2 / HIDDEN_POINTS)))
    inward = -hull.outward(wall)
    behind = np.zeros(len(wall), dtype=np.bool_)
    for depth_m in HIDDEN_M:
        points = wall + depth_m * inward
        for rack in racks:
            behind |= np.all((points >= rack.low_m) & (points <= rack.high_m), axis=1)
    return np.asarray(wall[behind])
