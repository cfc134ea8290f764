"""One compartment in space, in the site's frame: wall as points, racks as boxes, everything in its place."""

from itertools import product
from typing import Any, TypeAlias

import numpy as np

from firmware_bridge.site.landmarks import Directions
from sim.plots.furnishing import Furnishing
from sim.plots.style import LANDMARK, LEAK, MACHINE, NODE, RACK

SpaceAxes: TypeAlias = Any  # matplotlib's three-dimensional axes have no types

WALL = "#b9c4cf"
WALL_POINTS = 3000
TICKS = 4  # an axis: more run into each other
VIEW_DEG = (24.0, -58.0)  # elevation and azimuth


def draw_space(axes: SpaceAxes, room: Furnishing, directions: Directions) -> None:
    """Draw a compartment; `directions` name the axes."""
    wall = room.hull.grid(float(np.sqrt(room.hull.area_m2 / WALL_POINTS)))
    axes.plot(*wall.T, ".", ms=1.3, color=WALL, alpha=0.8)
    for rack in room.racks:
        corners = np.array(list(product(*zip(rack.low_m, rack.high_m, strict=True))))
        for one, other in product(range(8), range(8)):
            if one < other and (one ^ other).bit_count() == 1:  # an edge: they differ in one coordinate
                axes.plot(*corners[[one, other]].T, color=RACK, lw=1.3)
        axes.text(*corners.mean(axis=0), rack.name, fontsize=7, color="#8a6d3b", ha="center")
    for _, place in room.landmarks:
        axes.plot(*np.array([place]).T, "s", ms=3, color=LANDMARK)
    for name, place in room.machines:
        axes.plot(*np.array([place]).T, "D", ms=5, color=MACHINE)
        axes.text(*place, f"  {name}", fontsize=7, color=MACHINE)
    for name, places in room.nodes.items():
        axes.plot(*places.T, "^", ms=4, color=NODE)
        axes.text(*places.mean(axis=0), f"  {name}", fontsize=9, weight="bold", color=NODE)
    for _, place in room.leaks:
        axes.plot(*np.array([place]).T, "x", ms=10, mew=2.4, color=LEAK)
    _frame(axes, room, directions)


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
