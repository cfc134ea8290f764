"""The table of the hull as a plate that leaks shake: skin, losses, ribs and seams.

What waves make of it is `sim/world/structure`; places are in the hull's own frame, along and about its x axis.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from firmware_bridge.declared import Declared
from sim.scenario.bounds import Share

SPEED_RATIO = (1.46, 7.1)  # cL / cT at Poisson numbers of 0.06 and 0.49
MOST_LINES = 256  # ribs or seams of one kind: more is a mesh, not a hull
Station = Annotated[float, Field(ge=-1000, le=1000)]
Degrees = Annotated[float, Field(ge=-360, le=360)]
JointLoss = Annotated[float, Field(ge=0, le=60)]  # measured ribs and welds take 3 to 10 dB
Stations = Annotated[tuple[Station, ...], Field(max_length=MOST_LINES)]
Angles = Annotated[tuple[Degrees, ...], Field(max_length=MOST_LINES)]


class MaterialTable(Declared):
    """An isotropic material by the speeds of its bulk waves."""

    longitudinal_m_s: Annotated[float, Field(ge=1000, le=20_000)]
    transverse_m_s: Annotated[float, Field(ge=500, le=12_000)]
    density_kg_m3: Annotated[float, Field(ge=500, le=25_000)]

    @model_validator(mode="after")
    def _is_a_solid(self) -> "MaterialTable":
        """Refuse speeds that no solid has together."""
        low, high = SPEED_RATIO
        if not low <= self.longitudinal_m_s / self.transverse_m_s <= high:
            raise ValueError(f"longitudinal_m_s must be {low:.2f} to {high:.2f} times transverse_m_s")
        return self


class StructureTable(Declared):
    """The skin of every hull of the scenario, as contact sensors feel it; these defaults where there is no table.

    Damping is `loss_db_m` at 100 kHz and rises with the frequency to the power `loss_exponent`. `eta` is the loss
    factor of what rings on (60 dB in 2.2 / (f eta)), `reverberation` the share of its energy that is simulated.
    Ribs stand every `rib_spacing_m` from the hull's lowest x on, or at `ribs_x_m`; stringers and seams may run along
    the axis at an angle about it, from +y toward +z. Of what passes a rib `conversion_share` changes between A0 and S0.
    """

    thickness_mm: Annotated[float, Field(ge=0.3, le=30)] = 3.0
    material: Literal["aluminium"] | MaterialTable = "aluminium"
    loss_db_m: Annotated[float, Field(ge=0, le=100)] = 5.0  # bare 0.1 to 1, installed 3 to 15
    loss_exponent: Annotated[float, Field(ge=0, le=2)] = 1.0
    eta: Annotated[float, Field(ge=1e-4, le=0.3)] = 5e-3
    reverberation: Share = 1.0
    rib_spacing_m: Annotated[float, Field(ge=0.05, le=100)] | None = None
    ribs_x_m: Stations = ()
    stringers_deg: Angles = ()
    seams_x_m: Stations = ()
    seams_deg: Angles = ()
    rib_loss_db: JointLoss = 6.0
    seam_loss_db: JointLoss = 3.0
    edge_loss_db: JointLoss = 6.0
    conversion_share: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    wraps: Annotated[int, Field(ge=0, le=3)] = 1

    @model_validator(mode="after")
    def _ribs_once(self) -> "StructureTable":
        """Refuse ribs that are declared in both ways."""
        if self.rib_spacing_m is not None and self.ribs_x_m:
            raise ValueError("give either rib_spacing_m or ribs_x_m, not both")
        return self
