"""Tables of the leaks."""

from typing import Annotated

from pydantic import Field

from firmware_bridge.declared import Declared
from firmware_bridge.site.schema import Name, Position
from sim.scenario.bounds import Seconds


class LeakTable(Declared):
    """A drilled hole that opens at a given time."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    compartment: Name
    position_m: Position
    diameter_mm: Annotated[float, Field(gt=0, le=500)]
    discharge_coefficient: Annotated[float, Field(gt=0, le=1)] = 0.85
    opens_at_s: Seconds
    sealed_at_s: Seconds | None = None
    level_spread_db: Annotated[float, Field(ge=0, le=20)] = 0.0
