"""The shaking skin of a scenario: a structure field of one compartment, from its hull, its table and what pushes it.

Which node's channels the sensors are is `shaking`'s business, as is drawing their survey errors.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.errors import SiteError
from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.placed import PlacedHull
from firmware_bridge.site.revolution import RevolutionHull
from firmware_bridge.site.sphere import SphereHull
from sim.plant.leaks import PlantLeak
from sim.scenario.structure import StructureTable
from sim.world.leak.leak import Leak
from sim.world.leak.schedule import Opening
from sim.world.signal.sampling import Psd
from sim.world.structure.box import BoxShell
from sim.world.structure.field import ForceSource, Skin, Strength, StructureField
from sim.world.structure.losses import Losses
from sim.world.structure.paths import Joints, Shell
from sim.world.structure.plate import ALUMINIUM, Material, Plate
from sim.world.structure.reverberation import Reverberation
from sim.world.structure.revolution import RevolutionShell, cylinder
from sim.world.structure.sphere import SphereShell

FloatArray = NDArray[np.float64]

STRENGTH_STEP_S = 1e-3  # how finely a leak's opening is followed: a jump takes a millisecond, as in the air


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
    own = hull.hull if isinstance(hull, PlacedHull) else hull

    def placed(points_m: FloatArray) -> FloatArray:
        moved = hull.to_hull(points_m) if isinstance(hull, PlacedHull) else points_m
        return own.project(moved)

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


def leak_forces(
    leaks: Sequence[PlantLeak], compartment: str, pressure_pa: float, temperature_k: float
) -> list[ForceSource]:
    """What the leaks of a compartment do to its skin at this cabin pressure (Pa) and temperature (K).

    While a leak opens or closes, its force goes as its area and its spectrum stays that of the open leak. Leaks bear
    the names that `Sound` gives them.
    """
    return [
        ForceSource(
            f"leak {leak.name}",
            leak.position_m,
            _force_psd(leak.leak, pressure_pa, temperature_k),
            strength=_strength(leak.opening),
        )
        for leak in leaks
        if leak.compartment == compartment
    ]


def _force_psd(leak: Leak, pressure_pa: float, temperature_k: float) -> Psd:
    return lambda frequency_hz: leak.force_psd_n2_hz(frequency_hz, pressure_pa, temperature_k)


def _strength(opening: Opening) -> Strength:
    """The open share on a grid of whole milliseconds, straight between them, so that all captures agree."""

    def strength(time_s: FloatArray) -> FloatArray:
        first, last = math.floor(time_s[0] / STRENGTH_STEP_S), math.ceil(time_s[-1] / STRENGTH_STEP_S)
        steps = np.arange(first, last + 1)
        share = [opening.share(float(step) * STRENGTH_STEP_S) for step in steps]
        return np.asarray(np.interp(time_s, steps * STRENGTH_STEP_S, share))

    return strength


def _skin(table: StructureTable, hull: Hull) -> Skin:
    given = table.material
    material = (
        ALUMINIUM
        if given == "aluminium"
        else Material(given.longitudinal_m_s, given.transverse_m_s, given.density_kg_m3)
    )
    return Skin(
        shell=_shell(hull),
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


def _shell(hull: Hull) -> Shell:
    if isinstance(hull, CylinderHull):
        return cylinder(hull.radius_m, hull.length_m)
    if isinstance(hull, BoxHull):
        return BoxShell(hull.size_m)
    if isinstance(hull, SphereHull):
        return SphereShell(hull.radius_m)
    if isinstance(hull, RevolutionHull):
        return RevolutionShell(_closed(hull.profile_m))
    raise SiteError(f"no structure of a {type(hull).__name__}", remedy="use a cylinder, box, sphere or revolution")


def _closed(profile_m: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """The profile from axis to axis, its flat ends in order, no point twice in a row."""
    low, high = profile_m[0][0], profile_m[-1][0]
    chain = sorted(profile_m, key=lambda p: (p[0], p[1] if p[0] == low else -p[1] if p[0] == high else 0.0))
    points = [(low, 0.0), *chain, (high, 0.0)]
    return tuple(point for i, point in enumerate(points) if i == 0 or point != points[i - 1])
