"""Is what is heard one of the machines that the site file lists? What machines sounded like before is next door.

A machine near a wall reads as a leak in the wall behind it where few arrays hear it. Whoever surveyed the site said
where it stands; so its place is asked, too: where the sound agrees there as well as at the wall, it is the machine's.
"""

from collections.abc import Sequence

import numpy as np

from controller.localize.hull_search import highest
from controller.localize.inside import LEAST_DEPTH_M, Inside
from controller.localize.steered import Places, Steered
from controller.localize.views import View, tolerance_m
from controller.localize.volume_search import SMEARED, halved
from controller.measure.correlation import Correlations
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.survey import Site

REACH_M = 0.35  # a machine's middle is listed, it is heard at its fan or its valve
COARSE_M, FINE_M = 0.05, 0.005
KEPT = 60  # cells that are halved: what is asked is how high the map gets, not where
AS_GOOD = 0.9  # of the wall's standing: survey errors of 2 mm take as much


class KnownMachines:
    """The cells about every machine of one compartment that are not of the wall."""

    def __init__(self, site: Site, compartment: str, hull: Hull) -> None:
        """Machines whose place nobody surveyed are never asked."""
        axis = np.arange(-REACH_M, REACH_M + COARSE_M / 2, COARSE_M)
        ball = np.stack([each.ravel() for each in np.meshgrid(axis, axis, axis, indexing="ij")], axis=1)
        ball = ball[np.linalg.norm(ball, axis=1) <= REACH_M]
        self._place_m = {
            machine.name: np.asarray(machine.position_m)
            for machine in site.machines
            if machine.compartment == compartment and machine.position_m is not None
        }
        around = [place + ball for place in self._place_m.values()]
        cells = [each[hull.signed_distance_m(each) < -LEAST_DEPTH_M] for each in around]
        self._hull = hull
        self._cells: Places = np.ascontiguousarray(np.concatenate(cells or [np.empty((0, 3))]).T, dtype=np.float32)

    def source(self, functions: Sequence[Correlations], standing: float, view: View) -> Inside | None:
        """The machine that explains what stands out by `standing` on the hull; None where none does as well."""
        if self._cells.shape[1] == 0:
            return None
        exact = Steered(functions, view.speed_m_s, tolerance_m(view.survey))
        step_m, cells = COARSE_M, self._cells
        while True:
            smeared = Steered(functions, view.speed_m_s, tolerance_m(view.survey) + SMEARED * step_m)
            height = smeared.far(cells) + exact.near(cells)
            if cells.shape[1] > KEPT:
                cells = cells[:, np.argpartition(-height, KEPT)[:KEPT]]
            if step_m <= FINE_M:
                break
            step_m /= 2.0
            cells = halved(cells, step_m)
        height = exact.far(cells)
        (top,) = highest(cells, height, REACH_M, 1)
        if float(height[top]) < AS_GOOD * standing:
            return None
        at = cells[:, top].astype(float)
        nearest = min(self._place_m, key=lambda name: float(np.linalg.norm(self._place_m[name] - at)))
        depth_m = -float(self._hull.signed_distance_m(at[None])[0])
        x, y, z = (float(value) for value in at)
        return Inside((x, y, z), depth_m, float(height[top]), view.speed_m_s, known=True, machine=nearest)
