"""What makes a cabin restless, in numbers, and the presets that a scenario may name.

How these numbers move in time lives in `weather`, of which gases they are in `weather_species`; what a barometer makes
of them lives with the node.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from firmware_bridge.units import S_PER_HOUR

ORBIT_S = 5562.0  # 92.7 minutes, the station's orbit
DAY_S = 86_400.0
MAX_PUFFS_AT_ONCE = 100.0  # more overlap into a Gaussian wander: say vapour instead; it bounds the work of a start


@dataclass(frozen=True, slots=True)
class WeatherSettings:
    """How restless a cabin is; every part of the default is still.

    Args:
        slope_rms_pa_h: rms of the slope of pressure that no leak causes (crew, scrubbers, feeds), Pa/h.
        slope_correlation_s: time in which that slope forgets itself, s.
        temperature_rms_k: rms wander of the cabin temperature, K.
        temperature_correlation_s: time in which it forgets itself, s.
        vapour_rms_pa: rms wander of what comes back to its mean, water vapour most of all, Pa.
        vapour_correlation_s: time in which it forgets itself, s.
        puff_pa: vapour that one puff lets in (exercise, wet towels), Pa.
        puff_rate_per_h: mean number of puffs in an hour; they come at random.
        puff_rise_s: time constant with which a puff comes in, s.
        puff_fade_s: time constant with which it is taken up again, s; longer than the rise.
        orbit_wave_pa: amplitude of the wave of pressure with the orbit: warmth of which no thermometer knows, Pa.
        orbit_wave_k: amplitude of the wave of cabin temperature with the orbit, K.
        day_wave_pa: amplitude of the wave of pressure with the crew's day, without what thermometers see, Pa.
        day_wave_k: amplitude of the wave of cabin temperature with the day, K.
        consumption_pa_h: steady fall that the feed makes good (metabolism, losses), Pa/h.
        feed_band_pa: how far the consumption may take the pressure down before gas is fed, Pa; 0: always in balance.
        feed_rate_pa_h: inflow while gas is fed, Pa/h; more than the consumption.
    """

    slope_rms_pa_h: float = 0.0
    slope_correlation_s: float = 900.0
    temperature_rms_k: float = 0.0
    temperature_correlation_s: float = 3600.0
    vapour_rms_pa: float = 0.0
    vapour_correlation_s: float = 3600.0
    puff_pa: float = 0.0
    puff_rate_per_h: float = 0.0
    puff_rise_s: float = 500.0
    puff_fade_s: float = 2400.0
    orbit_wave_pa: float = 0.0
    orbit_wave_k: float = 0.0
    day_wave_pa: float = 0.0
    day_wave_k: float = 0.0
    consumption_pa_h: float = 0.0
    feed_band_pa: float = 0.0
    feed_rate_pa_h: float = 600.0

    def __post_init__(self) -> None:
        """Refuse sizes that are negative or endless, times that are not positive, feeds and puffs that cannot be."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0.0 <= value < math.inf:
                raise ValueError(f"{field.name} of the weather cannot be {value}")
            if value == 0.0 and field.name.endswith("_s"):
                raise ValueError(f"{field.name} of the weather must be positive")
        if not self.puff_rise_s < self.puff_fade_s:
            raise ValueError(f"puffs that rise in {self.puff_rise_s} s cannot fade in {self.puff_fade_s} s")
        if self.puff_rate_per_h * self.puff_fade_s / S_PER_HOUR > MAX_PUFFS_AT_ONCE:
            raise ValueError(f"more than {MAX_PUFFS_AT_ONCE:g} puffs at once are no puffs: give vapour_rms_pa")
        if self.is_fed and not self.feed_rate_pa_h > self.consumption_pa_h:
            raise ValueError(f"feeding {self.feed_rate_pa_h} Pa/h never makes good {self.consumption_pa_h} Pa/h")

    @property
    def is_fed(self) -> bool:
        """Whether the pressure falls and is fed in turns."""
        return self.consumption_pa_h > 0.0 and self.feed_band_pa > 0.0


# "station": fitted to 19.5 h of an Astro Pi's barometer aboard the International Space Station (Raspberry Pi
# Foundation, raspberrypilearning/astro-pi-flight-data-analysis); benchmarks/accuracy/cabin_weather.py shows how well.
# That log has no feed in it: band and rate of the feed are plausible values, as is the share of the thermal parts.
# "quiet-lab": a closed test chamber without crew. Plausible values, not measured.
PRESETS: Mapping[str, WeatherSettings] = MappingProxyType(
    {
        "still": WeatherSettings(),
        "quiet-lab": WeatherSettings(
            slope_rms_pa_h=2.0,
            slope_correlation_s=1800.0,
            temperature_rms_k=0.01,
            day_wave_k=0.05,
        ),
        "station": WeatherSettings(
            temperature_rms_k=0.02,
            temperature_correlation_s=3600.0,
            vapour_rms_pa=7.0,
            vapour_correlation_s=3600.0,
            puff_pa=25.0,
            puff_rate_per_h=0.25,
            puff_rise_s=500.0,
            puff_fade_s=2400.0,
            orbit_wave_pa=7.0,
            orbit_wave_k=0.01,
            day_wave_pa=25.0,
            day_wave_k=0.05,
            consumption_pa_h=11.0,
            feed_band_pa=600.0,
            feed_rate_pa_h=600.0,
        ),
    }
)


def preset(name: str, **changes: float) -> WeatherSettings:
    """The weather called `name`, with `changes` in place of its own values.

    Raises:
        ValueError: no such preset, or a value that cannot be.
        TypeError: a change of something that weather does not have.
    """
    if name not in PRESETS:
        raise ValueError(f"no weather is called {name!r}; there are {', '.join(PRESETS)}")
    return replace(PRESETS[name], **changes)
