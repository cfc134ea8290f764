"""One compartment unrolled: its wall from inside with leaks, machines, racks, sensors and landmarks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.hull import Hull
from sim.plots.furnishing import Furnishing
from sim.plots.style import LANDMARK, LEAK, MACHINE, NODE, SHADOW, halo
from sim.scenario.sound import RackTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]
Triple = tuple[float, float, float]

TOGETHER_M = 0.5  # the sensors of an array are a hand apart
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
        axes.plot(*point, "s", ms=4.5, color=LANDMARK, zorder=2)
        _name(axes, point, name, LANDMARK, 7.5)
    for row, (name, place) in enumerate(room.machines):
        point = _on_wall(hull, place)
        axes.plot(*point, "D", ms=6, color=MACHINE, mec="white", mew=0.5, zorder=3, label=_first(row, "noise source"))
        _name(axes, point, name, MACHINE, 8)
    for row, (name, places) in enumerate(room.nodes.items()):
        flat = hull.unroll(hull.project(places))
        label = _first(row, "sensors of a node")
        axes.plot(*flat.T, "^", ms=5, color=NODE, mec="white", mew=0.4, ls="", zorder=4, label=label)
        left = (float(flat[:, 0].min()), float(flat[:, 1].mean())) if _together(flat) else (flat[0, 0], flat[0, 1])
        axes.annotate(name, left, (-6, -4), textcoords="offset points", ha="right", fontsize=10, weight="bold",
                      color=NODE, zorder=4)  # fmt: skip
    for row, (name, place) in enumerate(room.leaks):
        point = _on_wall(hull, place)
        axes.plot(*point, "x", ms=12, mew=2.6, color=LEAK, ls="", zorder=5, label=_first(row, "leak"))
        axes.annotate(name, point, (0, -17), textcoords="offset points", ha="center", fontsize=9, color=LEAK, zorder=7,
                      path_effects=halo())  # fmt: skip
    axes.set_aspect("equal")
    axes.set_title(f"{room.name}, unrolled and seen from inside", fontsize=10)
    axes.set_xlabel("along the hull, m", fontsize=9)
    axes.set_ylabel("around the hull, m", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(0.04)


def _together(flat: FloatArray) -> bool:
    """Whether the sensors of a node are drawn in one place."""
    return float(np.ptp(flat, axis=0).max()) < TOGETHER_M


def _first(row: int, label: str) -> str | None:
    """A label for the legend, once."""
    return label if row == 0 else None


def _on_wall(hull: Hull, place: Triple) -> tuple[float, float]:
    across, up = hull.unroll(hull.project(np.array([place])))[0]
    return float(across), float(up)


def _name(axes: "Axes", point: tuple[float, float], words: str, color: str, size: float) -> None:
    axes.annotate(words, point, (6, 5), textcoords="offset points", fontsize=size, color=color, zorder=6,
                  path_effects=halo())  # fmt: skip


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
