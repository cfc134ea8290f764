"""Tables of the weather that no leak causes: what all sensors of a volume see in common."""

from typing import Annotated, Literal

from pydantic import Field

from firmware_bridge.declared import Declared

PressurePa = Annotated[float, Field(ge=0, le=10_000)]
RatePaH = Annotated[float, Field(ge=0, le=10_000)]
TemperatureK = Annotated[float, Field(ge=0, le=20)]
CorrelationS = Annotated[float, Field(gt=0, le=1e7)]


class WeatherTable(Declared):
    """What all pressure and temperature sensors of a volume see in common, leak or not.

    A preset with changes: of the numbers, only those that are written down take the place of the preset's.
    """

    preset: Literal["still", "quiet-lab", "station"] = "still"
    slope_rms_pa_h: RatePaH = 0.0
    slope_correlation_s: CorrelationS = 900.0
    temperature_rms_k: TemperatureK = 0.0
    temperature_correlation_s: CorrelationS = 3600.0
    vapour_rms_pa: PressurePa = 0.0
    vapour_correlation_s: CorrelationS = 3600.0
    puff_pa: PressurePa = 0.0
    puff_rate_per_h: Annotated[float, Field(ge=0, le=60)] = 0.0
    puff_rise_s: Annotated[float, Field(gt=0, le=1e5)] = 500.0
    puff_fade_s: Annotated[float, Field(gt=0, le=1e5)] = 2400.0
    orbit_wave_pa: PressurePa = 0.0
    orbit_wave_k: TemperatureK = 0.0
    day_wave_pa: PressurePa = 0.0
    day_wave_k: TemperatureK = 0.0
    consumption_pa_h: RatePaH = 0.0
    feed_band_pa: PressurePa = 0.0
    feed_rate_pa_h: Annotated[float, Field(gt=0, le=1e6)] = 600.0

    def changes(self) -> dict[str, float]:
        """The numbers that were written down, by key: what takes the place of the preset's."""
        return {key: getattr(self, key) for key in type(self).model_fields if key in self.model_fields_set - {"preset"}}
