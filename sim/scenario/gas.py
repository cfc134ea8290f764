"""Tables of the gas in the cabin: what it is at the start, what moves, breathes and feeds it."""

from typing import Annotated

from pydantic import Field

from firmware_bridge.declared import Declared
from sim.scenario.bounds import Share


class AirTable(Declared):
    """The air at the start."""

    pressure_hpa: Annotated[float, Field(ge=100, le=2000)]
    temperature_c: Annotated[float, Field(ge=-50, le=80)]
    relative_humidity: Share
