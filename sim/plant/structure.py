"""The shaking skin of a scenario: a structure field of one compartment, from its hull, its table and what pushes it.

Which node's channels the sensors are is `shaking`'s business, as is drawing their survey errors.
"""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.errors import SiteError
from firmware_bridge.site.hull import Hull
from sim.plant.place import in_own_frame, own_hull, shell_of
from sim.scenario.structure import StructureTable
from sim.world.structure.field import ForceSource, Skin, StructureField
from sim.world.structure.losses import Losses
from sim.world.structure.paths import Joints
from sim.world.structure.plate import ALUMINIUM, Material, Plate
from sim.world.structure.reverberation import Reverberation

FloatArray = NDArray[np.float64]


def structure_field(
    table: StructureTable,
    hull: Hull,
    forces: Iterable[ForceSource],
    sensors_m: FloatArray,
    *,
    sample_rate_hz: float,
    seed: int | np.random.SeedSequence,
) -> StructureField:
    """The field of one compartment.

    Args:
        table: the skin as declared.
        hull: the compartment's, placed or not.
        forces: what pushes, in the site frame; each place is put on the skin.
        sensors_m: contact sensors (m, 3) in the site frame, m; each is put on the skin.
        sample_rate_hz: nominal rate of the sensors' nodes.
        seed: the same as that of the compartment's sound for noise that is coherent with it.

    Raises:
        SiteError: a hull of a shape without geodesics, or one that the table does not fit.
    """
    own = own_hull(hull)

    def placed(points_m: FloatArray) -> FloatArray:
        return own.project(in_own_frame(hull, points_m))

    moved = []
    for force in forces:
        x, y, z = (float(part) for part in placed(np.array([force.position_m]))[0])
        moved.append(replace(force, position_m=(x, y, z)))
    try:
        skin = _skin(table, own)
        return StructureField(skin, moved, placed(sensors_m), sample_rate_hz=sample_rate_hz, seed=seed)
    except ValueError as error:
        remedy = "mend [structure], the hull, or the burst rate of [contacts] or [arrays]"
        raise SiteError(f"this hull cannot shake: {error}", remedy=remedy) from error


def _skin(table: StructureTable, hull: Hull) -> Skin:
    given = table.material
    material = (
        ALUMINIUM
        if given == "aluminium"
        else Material(given.longitudinal_m_s, given.transverse_m_s, given.density_kg_m3)
    )
    return Skin(
        shell=shell_of(hull),
        plate=Plate(table.thickness_mm / 1000.0, material),
        losses=Losses(
            loss_db_m=table.loss_db_m,
            exponent=table.loss_exponent,
            rib_db=table.rib_loss_db,
            seam_db=table.seam_loss_db,
            edge_db=table.edge_loss_db,
            conversion_share=table.conversion_share,
        ),
        joints=Joints(
            ribs_x_m=_ribs(table, hull),
            stringers_rad=tuple(math.radians(angle) for angle in table.stringers_deg),
            seams_x_m=table.seams_x_m,
            seams_rad=tuple(math.radians(angle) for angle in table.seams_deg),
        ),
        reverberation=Reverberation(table.eta, table.reverberation) if table.reverberation > 0.0 else None,
        wraps=table.wraps,
    )


def _ribs(table: StructureTable, hull: Hull) -> tuple[float, ...]:
    """Stations of the ribs; of evenly spaced ones those strictly between the hull's ends."""
    if table.rib_spacing_m is None:
        return table.ribs_x_m
    low_m, high_m = (float(corner[0]) for corner in hull.corners_m)
    count = math.ceil((high_m - low_m) / table.rib_spacing_m - 1e-9)
    return tuple(low_m + i * table.rib_spacing_m for i in range(1, count))
