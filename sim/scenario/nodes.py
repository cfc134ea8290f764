"""Tables of the sensor nodes as built: front ends, slow sensors, crystals, survey errors."""

from typing import Annotated

from pydantic import Field

from firmware_bridge.declared import Declared


class SurveyErrorTable(Declared):
    """How far the true rig is from its site file, one standard deviation."""

    microphone_sigma_m: Annotated[float, Field(ge=0, le=1)] = 0.0


class ArraysTable(Declared):
    """The ultrasonic front ends."""

    bits: Annotated[int, Field(ge=8, le=16)] = 14
    full_scale_pa: Annotated[float, Field(gt=0, le=2000)] = 20.0
    self_noise_db: Annotated[float, Field(ge=-20, le=100)] = 37.0
    sensitivity_spread_db: Annotated[float, Field(ge=0, le=10)] = 0.0
    burst_rate_khz: Annotated[float, Field(ge=64, le=500)] = 192.0
    trigger_jitter_ns: Annotated[float, Field(ge=0, le=1e6)] = 0.0


class BarometersTable(Declared):
    """The slow sensors."""

    noise_pa: Annotated[float, Field(ge=0, le=1000)] = 0.0
    bias_spread_pa: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    temperature_noise_k: Annotated[float, Field(ge=0, le=10)] = 0.0
    temperature_bias_spread_k: Annotated[float, Field(ge=0, le=10)] = 0.0


class ClocksTable(Declared):
    """The nodes' crystals."""

    drift_spread_ppm: Annotated[float, Field(ge=0, le=200)] = 0.0
