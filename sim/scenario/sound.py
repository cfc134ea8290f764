"""Tables of airborne sound: how rooms answer, and what sounds beside the leak."""

from typing import Annotated

from pydantic import Field

from firmware_bridge.declared import Declared
from firmware_bridge.site.schema import Name, Position
from sim.scenario.bounds import Share


class AcousticsTable(Declared):
    """How the room answers."""

    reflections: Annotated[int, Field(ge=0, le=4)] = 2
    wall_reflection: Share = 0.6


class MachineTable(Declared):
    """A fan, pump or converter that sounds all the time, in every listened compartment where none is named."""

    compartment: Name | None = None
    name: Annotated[str, Field(min_length=1, max_length=60)]
    position_m: Position
    level_db_at_20khz: Annotated[float, Field(ge=-50, le=120)]
    lines_khz_db: tuple[tuple[Annotated[float, Field(gt=0, le=500)], float], ...] = ()
