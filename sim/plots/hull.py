"""Where everything is: each hull unrolled, and in space, with leaks, machines, racks, sensors and landmarks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.plant.opened_plant import OpenedPlant
from sim.plots.flat import draw_flat
from sim.plots.furnishing import Furnishing, furnishings
from sim.plots.space import draw_space
from sim.plots.style import Drawn, explain, finished, new_figure

if TYPE_CHECKING:
    pass

FloatArray = NDArray[np.float64]
Triple = tuple[float, float, float]

MOST_ROOMS = 4
EDGES_IN, ROW_IN = (0.95, 0.95), (4.2, 6.6)  # above and below all rooms; the least and most for each
FLAT_IN = 7.6  # width of an unrolled hull


def draw_hull(plant: OpenedPlant) -> Drawn:
    """Every compartment with a hull in which there is anything: unrolled from inside, and in space."""
    site, rooms = plant.site, furnishings(plant)
    drawn = {room.name for room in rooms}
    notes = [f"hull of {room.name!r}: the site declares none" for room in site.compartments if room.hull is None]
    notes += [
        f"hull of {room.name!r}: nothing is in it"
        for room in site.compartments
        if room.hull is not None and room.name not in drawn
    ]
    if not rooms:
        return Drawn(None, (*notes, "hull: no compartment with one has anything in it"))
    if len(rooms) > MOST_ROOMS:
        notes.append(f"hulls: {MOST_ROOMS} of {len(rooms)} fit into the picture")
        rooms = rooms[:MOST_ROOMS]
    height_in = EDGES_IN[0] + EDGES_IN[1] + _row_in(rooms) * len(rooms)
    figure = new_figure(14.5, height_in)
    figure.set_layout_engine("none")  # axes of equal scale and in space are laid out by hand
    top, bottom = 1.0 - EDGES_IN[0] / height_in, EDGES_IN[1] / height_in
    grid = figure.add_gridspec(len(rooms), 2, width_ratios=(1.5, 1.0), left=0.06, right=0.97, top=top, bottom=bottom,
                               hspace=0.25, wspace=0.04)  # fmt: skip
    for row, room in enumerate(rooms):
        draw_flat(figure.add_subplot(grid[row, 0]), room)
        draw_space(figure.add_subplot(grid[row, 1], projection="3d"), room, site.directions)
    explain(figure, "lower center")
    if not plant.scenario.leaks:
        notes.append("leaks on the hull: the scenario has none")
    return Drawn(finished(figure, plant, "Where everything is"), tuple(notes))


def _row_in(rooms: Sequence[Furnishing]) -> float:
    """Height of a row, in inches, in which the tallest of the unrolled hulls fills the width."""
    sizes = [np.ptp(np.vstack([outline.points_m for outline in room.hull.outlines()]), axis=0) for room in rooms]
    return float(np.clip(FLAT_IN * max(size[1] / size[0] for size in sizes) + 1.0, *ROW_IN))
