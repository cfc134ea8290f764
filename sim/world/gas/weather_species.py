"""Of which gases the weather's pressure is: warmth, which all share; vapour, carbon dioxide and oxygen come and go.

How much weather there is stands in `weather_settings`, how it moves in `weather`. Nitrogen shares in warmth only:
nobody breathes or makes it, and leaks and feeds are no weather.

Only the sum was ever fitted to a log. The shares are judgement, for these reasons:

* Condensers dry all of a station's air in 40 to 60 minutes (its volume over their flow). Nothing else takes anything
  away so fast, and in that time `vapour` and `puff` fade in the log: both are vapour.
* The day's wave is people's. Six of them, for 8 hours of the night at 0.6 of their mean rates (NASA/TP-2015-218570),
  swing 916 m3 by 19 Pa of carbon dioxide, 22 Pa of oxygen the other way and 19 Pa of vapour (derived).
* What people consume and what is fed is oxygen; so is a slope that wanders, for there is enough of it.
* Thermometers lag and stand where they stand: of what they do not know a share is warmth all the same, and so is the
  whole wave with the orbit, for no gas comes and goes with the sun.

`python -m benchmarks.accuracy.cabin_weather` prints how far each gas moves, to be held against published ranges.
"""

from typing import NamedTuple

from sim.world.gas.cabin import Four

HIDDEN_WARMTH = 0.25  # of vapour's wander and the day's wave: 6 Pa of the station's day, 0.02 K
BREATHED_OF_MADE = 1.16  # mol of oxygen for one of carbon dioxide: 0.84 kg and 1.0 kg a person and day


class WeatherParts(NamedTuple):
    """Pressure by what makes it, Pa; their sum is the weather's pressure offset."""

    warmth_pa: float  # that thermometers do not see
    oxygen_pa: float
    carbon_dioxide_pa: float
    water_pa: float


def parts_of(path_pa: float, wander_pa: float, puff_pa: float, orbit_pa: float, day_pa: float) -> WeatherParts:
    """What makes the weather's pressure, Pa: path and feeds, vapour's wander, puffs, waves of orbit and day."""
    made_pa = (1.0 - HIDDEN_WARMTH) * day_pa
    breathed_pa = BREATHED_OF_MADE * made_pa
    return WeatherParts(
        warmth_pa=orbit_pa + HIDDEN_WARMTH * (wander_pa + day_pa),
        oxygen_pa=path_pa - breathed_pa,
        carbon_dioxide_pa=made_pa,
        water_pa=(1.0 - HIDDEN_WARMTH) * wander_pa + puff_pa + breathed_pa,
    )


def mixed(partial_pa: Four, warmth: float, parts: WeatherParts, share: float) -> Four:
    """Partial pressures in the weather, Pa.

    Args:
        partial_pa: what they would be in still weather.
        warmth: by what all gases are warmer.
        parts: of the weather, for the usual pressure.
        share: pressure of the compartment over the usual.

    Their sum is the still one times `warmth` plus `share` times all parts: what a compartment has not got of one gas is
    taken from the others.
    """
    total_pa = sum(partial_pa)
    if not total_pa > 0.0:
        return partial_pa
    nitrogen, oxygen, carbon_dioxide, water = (
        partial * (warmth + share * parts.warmth_pa / total_pa) for partial in partial_pa
    )
    told = (
        nitrogen,
        oxygen + share * parts.oxygen_pa,
        carbon_dioxide + share * parts.carbon_dioxide_pa,
        water + share * parts.water_pa,
    )
    if min(told) >= 0.0:
        return told
    there = sum(max(gas, 0.0) for gas in told)
    left = max(sum(told), 0.0) / there if there > 0.0 else 0.0
    nitrogen, oxygen, carbon_dioxide, water = (left * max(gas, 0.0) for gas in told)
    return nitrogen, oxygen, carbon_dioxide, water
