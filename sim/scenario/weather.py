"""Tables of the weather that no leak causes: what all sensors of a volume see in common."""

from typing import Annotated

from pydantic import Field

from firmware_bridge.declared import Declared


class WeatherTable(Declared):
    """What all pressure and temperature sensors of a volume see in common, leak or not."""

    slope_rms_pa_h: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    slope_correlation_s: Annotated[float, Field(gt=0, le=1e7)] = 900.0
    temperature_rms_k: Annotated[float, Field(ge=0, le=20)] = 0.0
    temperature_correlation_s: Annotated[float, Field(gt=0, le=1e7)] = 3600.0
