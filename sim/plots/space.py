"""One compartment in space, in the site's frame: wall as points, racks as boxes, everything in its place."""

from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.landmarks import Directions
from sim.plots.furnishing import Furnishing, together
from sim.plots.labels import label
from sim.plots.style import LANDMARK, LEAK, MACHINE, NODE, RACK

SpaceAxes: TypeAlias = Any  # matplotlib's three-dimensional axes have no types

FloatArray = NDArray[np.float64]

WALL, RACK_NAME = "#b9c4cf", "#8a6d3b"
WALL_POINTS = 3000
TICKS = 4  # an axis: more run into each other
VIEW_DEG = (24.0, -58.0)  # elevation and azimuth


def draw_space(axes: SpaceAxes, room: Furnishing, directions: Directions) -> None:
    """Draw a compartment; `directions` name the axes."""
    from mpl_toolkits.mplot3d.proj3d import proj_transform  # type: ignore[import-untyped]

    named: list[tuple[FloatArray, str, str, float, float]] = []  # place, words, colour, size, width of the mark
    wall = room.hull.grid(float(np.sqrt(room.hull.area_m2 / WALL_POINTS)))
    axes.plot(*wall.T, ".", ms=1.3, color=WALL, alpha=0.8)
    for rack in room.racks:
        corners = np.array(list(product(*zip(rack.low_m, rack.high_m, strict=True))))
        for one, other in product(range(8), range(8)):
            if one < other and (one ^ other).bit_count() == 1:  # an edge: they differ in one coordinate
                axes.plot(*corners[[one, other]].T, color=RACK, lw=1.3)
        named.append((corners.mean(axis=0), rack.name, RACK_NAME, 7.0, 1.0))
    for _, place in room.landmarks:
        axes.plot(*np.array([place]).T, "s", ms=3, color=LANDMARK)
    for name, place in room.machines:
        axes.plot(*np.array([place]).T, "D", ms=5, color=MACHINE)
        named.append((np.array(place), name, MACHINE, 7.0, 5.0))
    for name, places in room.nodes.items():
        axes.plot(*places.T, "^", ms=4, color=NODE)
        named += [(at, name, NODE, 9.0, 10.0) for at in ([places.mean(axis=0)] if together(places) else places)]
    for _, place in room.leaks:
        axes.plot(*np.array([place]).T, "x", ms=10, mew=2.4, color=LEAK)
    _frame(axes, room, directions)
    for rank, (at, words, color, size, mark_pt) in enumerate(named):
        flat = proj_transform(*at, axes.get_proj())[:2]
        label(axes, (float(flat[0]), float(flat[1])), words, color, size=size, mark_pt=mark_pt, rank=rank,
              bold=color == NODE)  # fmt: skip


def _frame(axes: SpaceAxes, room: Furnishing, directions: Directions) -> None:
    from matplotlib.ticker import MaxNLocator

    low, high = room.hull.corners_m
    axes.set_box_aspect(high - low, zoom=0.92)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_zlim(low[2], high[2])
    named = (axes.xaxis, directions.x, "x"), (axes.yaxis, directions.y, "y"), (axes.zaxis, directions.z, "z")
    for axis, ends, name in named:
        axis.set_major_locator(MaxNLocator(TICKS))
        axis.set_label_text(f"{name}, m (to {ends[1]})", fontsize=8)
        axis.set_tick_params(labelsize=7)
        axis.set_pane_color((1.0, 1.0, 1.0, 0.0))
    axes.grid(visible=False)
    axes.view_init(*VIEW_DEG)
    axes.set_title(f"{room.name} in the site's frame", fontsize=10)
