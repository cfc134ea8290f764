"""The slow weather of a cabin: changes of pressure and temperature that no leak causes, common to one volume.

How restless a cabin is stands in `weather_settings`; noise and steps of one barometer live with the node.
"""

import math
from dataclasses import dataclass

import numpy as np

from firmware_bridge.units import S_PER_HOUR
from sim.world.gas.weather_settings import DAY_S, ORBIT_S, WeatherSettings
from sim.world.gas.weather_species import WeatherParts, parts_of

SERIES_BELOW = 1e-2  # below this step over correlation time the closed form loses its digits
DRAWS_PER_STEP = 4
STEPS_PER_BLOCK = 256  # drawing normals one by one would cost more than all the rest of a step
FADES_REMEMBERED = 40.0  # a puff older than this many fades is below 1e-17 of its size


@dataclass(frozen=True, slots=True)
class Transition:
    """How every part of the weather moves on by `dt_s`; exact, so that chopping a step changes no statistics.

    The wandering parts are Ornstein-Uhlenbeck processes, the path being the integral of the slope (Gillespie 1996,
    Phys. Rev. E 54, 2084); a puff is a first-order inflow into a first-order sink. Pressures in Pa, slopes in Pa/s;
    `..._keep` is what remains of a value, `..._new` the sigma of what joins it.
    """

    dt_s: float
    slope_keep: float
    slope_new: float
    path_per_slope_s: float
    path_shared: float
    path_rest: float
    warmth_keep: float
    warmth_new: float
    vapour_keep: float
    vapour_new: float
    coming_keep: float
    puff_keep: float
    puff_per_coming: float

    @classmethod
    def over(cls, dt_s: float, settings: WeatherSettings) -> "Transition":
        """The transition over `dt_s` seconds.

        Raises:
            ValueError: a step that is negative or no number.
        """
        if not dt_s >= 0.0:
            raise ValueError(f"weather cannot step by {dt_s} s")
        tau_s = settings.slope_correlation_s
        rms_pa_s = settings.slope_rms_pa_h / S_PER_HOUR
        ratio = dt_s / tau_s
        loss = -math.expm1(-ratio)
        slope_sigma = _joining(ratio)
        shared = loss**2 / slope_sigma if slope_sigma > 0.0 else 0.0
        warmth_ratio = dt_s / settings.temperature_correlation_s
        vapour_ratio = dt_s / settings.vapour_correlation_s
        return cls(
            dt_s=dt_s,
            slope_keep=math.exp(-ratio),
            slope_new=rms_pa_s * slope_sigma,
            path_per_slope_s=tau_s * loss,
            path_shared=tau_s * rms_pa_s * shared,
            path_rest=tau_s * rms_pa_s * math.sqrt(max(integral_variance(ratio) - shared**2, 0.0)),
            warmth_keep=math.exp(-warmth_ratio),
            warmth_new=settings.temperature_rms_k * _joining(warmth_ratio),
            vapour_keep=math.exp(-vapour_ratio),
            vapour_new=settings.vapour_rms_pa * _joining(vapour_ratio),
            coming_keep=math.exp(-dt_s / settings.puff_rise_s),
            puff_keep=math.exp(-dt_s / settings.puff_fade_s),
            puff_per_coming=puff_answer(dt_s, settings),
        )


class CabinWeather:
    """Slow disturbance of pressure and temperature that every sensor of the cabin sees in common.

    The pressure offset is the sum of a wandering slope's path, vapour, puffs, waves and the feed's sawtooth, less their
    sum at the start. Arithmetic only, but for `_kicks` and `_let_puffs_in`: many cabins may be stepped as arrays.
    """

    __slots__ = (
        "_coming_pa",
        "_draws",
        "_feed_cycle_s",
        "_feed_from_s",
        "_generator",
        "_next_draw",
        "_now_s",
        "_path_pa",
        "_puff_generator",
        "_puff_pa",
        "_settings",
        "_slope_pa_s",
        "_sources_pa",
        "_start_pa",
        "_starts_pa",
        "_swings",
        "_transition",
        "_until_puff_s",
        "_vapour_pa",
        "_warmth_k",
        "pressure_offset_pa",
        "temperature_offset_k",
    )
    pressure_offset_pa: float
    temperature_offset_k: float
    _slope_pa_s: float
    _warmth_k: float
    _vapour_pa: float
    _until_puff_s: float
    _feed_from_s: float
    _swings: tuple[tuple[float, float], ...]
    _sources_pa: tuple[float, float, float, float, float]  # as `parts_of` takes them

    def __init__(self, settings: WeatherSettings, generator: np.random.Generator) -> None:
        """Start in the stationary state, drawn from `generator`; the pressure offset starts at zero."""
        self._settings = settings
        self._generator = generator
        self._puff_generator = generator.spawn(1)[0]  # puffs come when they come, however time is chopped
        self._transition = Transition.over(0.0, settings)
        self._draws: list[float] = []
        self._next_draw = 0
        self._now_s = self._path_pa = self._coming_pa = self._puff_pa = 0.0
        self._feed_cycle_s = feed_cycle_s(settings)
        self._draw_start()
        self._start_pa = 0.0
        self._add_up()
        self._start_pa, self._starts_pa = self.pressure_offset_pa, self._sources_pa
        self.pressure_offset_pa = 0.0

    def step(self, dt_s: float) -> None:
        """Move on by `dt_s` seconds.

        Raises:
            ValueError: a step that is negative or no number.
        """
        if dt_s != self._transition.dt_s:
            self._transition = Transition.over(dt_s, self._settings)
        move = self._transition
        slope_kick, path_kick, warmth_kick, vapour_kick = self._kicks()
        slope_pa_s = self._slope_pa_s
        self._path_pa += move.path_per_slope_s * slope_pa_s + move.path_shared * slope_kick + move.path_rest * path_kick
        self._slope_pa_s = move.slope_keep * slope_pa_s + move.slope_new * slope_kick
        self._warmth_k = move.warmth_keep * self._warmth_k + move.warmth_new * warmth_kick
        self._vapour_pa = move.vapour_keep * self._vapour_pa + move.vapour_new * vapour_kick
        self._puff_pa = move.puff_keep * self._puff_pa + move.puff_per_coming * self._coming_pa
        self._coming_pa = move.coming_keep * self._coming_pa
        self._until_puff_s -= dt_s
        self._let_puffs_in()
        self._now_s += dt_s
        self._add_up()

    def disturbed(self, pressure_pa: float, temperature_k: float) -> tuple[float, float]:
        """Pressure (Pa) and temperature (K) in the cabin where still weather would show the given ones.

        The warmer gas of a closed cabin also presses harder, P dT / T: 343 Pa per kelvin at one atmosphere.
        """
        warmth = 1.0 + self.temperature_offset_k / temperature_k
        return pressure_pa * warmth + self.pressure_offset_pa, temperature_k + self.temperature_offset_k

    @property
    def parts(self) -> WeatherParts:
        """Of which gases the pressure offset is; their sum is that offset."""
        path, wander, puff, orbit, day = (
            now - start for now, start in zip(self._sources_pa, self._starts_pa, strict=True)
        )
        return parts_of(path, wander, puff, orbit, day)

    def _draw_start(self) -> None:
        """Draw every part as it stands long after its beginning."""
        settings, random = self._settings, self._generator
        slope, warmth, vapour = random.standard_normal(3).tolist()
        self._slope_pa_s = slope * settings.slope_rms_pa_h / S_PER_HOUR
        self._warmth_k = warmth * settings.temperature_rms_k
        self._vapour_pa = vapour * settings.vapour_rms_pa
        orbit_pa, orbit_k, day_pa, day_k, fed = random.random(5).tolist()
        self._swings = (
            swing(settings.orbit_wave_pa, orbit_pa),
            swing(settings.orbit_wave_k, orbit_k),
            swing(settings.day_wave_pa, day_pa),
            swing(settings.day_wave_k, day_k),
        )
        self._feed_from_s = fed * self._feed_cycle_s
        # As if the last puffs had been waited for since before any that is still felt.
        self._until_puff_s = self._wait_for_puff_s() - FADES_REMEMBERED * settings.puff_fade_s
        self._let_puffs_in()

    def _kicks(self) -> tuple[float, float, float, float]:
        """The standard normal draws of one step."""
        at = self._next_draw
        if at >= len(self._draws):
            self._draws = self._generator.standard_normal(DRAWS_PER_STEP * STEPS_PER_BLOCK).tolist()
            at = 0
        self._next_draw = at + DRAWS_PER_STEP
        draws = self._draws
        return draws[at], draws[at + 1], draws[at + 2], draws[at + 3]

    def _wait_for_puff_s(self) -> float:
        rate_per_s = self._settings.puff_rate_per_h / S_PER_HOUR
        return float(self._puff_generator.exponential(1.0 / rate_per_s)) if rate_per_s > 0.0 else math.inf

    def _let_puffs_in(self) -> None:
        """Add the puffs that came within the last step, each as far as it has got."""
        while self._until_puff_s <= 0.0:
            age_s = -self._until_puff_s
            self._coming_pa += self._settings.puff_pa * math.exp(-age_s / self._settings.puff_rise_s)
            self._puff_pa += self._settings.puff_pa * puff_answer(age_s, self._settings)
            self._until_puff_s += self._wait_for_puff_s()

    def _add_up(self) -> None:
        orbit, day = math.tau / ORBIT_S * self._now_s, math.tau / DAY_S * self._now_s
        orbit_cos, orbit_sin, day_cos, day_sin = math.cos(orbit), math.sin(orbit), math.cos(day), math.sin(day)
        (a, b), (c, d), (e, f), (g, h) = self._swings
        self.temperature_offset_k = self._warmth_k + c * orbit_cos + d * orbit_sin + g * day_cos + h * day_sin
        waves_pa = a * orbit_cos + b * orbit_sin + e * day_cos + f * day_sin
        fed_pa = self._fed_pa()
        self.pressure_offset_pa = self._path_pa + self._vapour_pa + self._puff_pa + waves_pa + fed_pa - self._start_pa
        orbit_pa, day_pa = a * orbit_cos + b * orbit_sin, e * day_cos + f * day_sin
        self._sources_pa = self._path_pa + fed_pa, self._vapour_pa, self._puff_pa, orbit_pa, day_pa

    def _fed_pa(self) -> float:
        """The feed's sawtooth: down by the consumption for the band, then up again until it is made good."""
        if not self._feed_cycle_s > 0.0:
            return 0.0
        settings = self._settings
        since_s = (self._feed_from_s + self._now_s) % self._feed_cycle_s
        beyond_s = since_s - settings.feed_band_pa / settings.consumption_pa_h * S_PER_HOUR
        fed_s: float = 0.5 * (beyond_s + abs(beyond_s))
        return (settings.feed_rate_pa_h * fed_s - settings.consumption_pa_h * since_s) / S_PER_HOUR


def puff_answer(age_s: float, settings: WeatherSettings) -> float:
    """Share of a puff that is in the cabin `age_s` seconds after its valve opened: in by the rise, out by the fade."""
    rise_s, fade_s = settings.puff_rise_s, settings.puff_fade_s
    return fade_s / (fade_s - rise_s) * (math.exp(-age_s / fade_s) - math.exp(-age_s / rise_s))


def integral_variance(ratio: float) -> float:
    """Variance of the integral of an Ornstein-Uhlenbeck process with known start, in units of (rms * tau)^2.

    `ratio` is time over correlation time u: 2u - 3 + 4 exp(-u) - exp(-2u), by its series where that cancels.
    """
    if ratio < SERIES_BELOW:
        return ratio**3 * (2.0 / 3.0 - ratio * (0.5 - ratio * (7.0 / 30.0 - ratio / 12.0)))
    loss = -math.expm1(-ratio)
    return 2.0 * (ratio - loss) - loss**2


def _joining(ratio: float) -> float:
    """Sigma of what joins an Ornstein-Uhlenbeck process of unit rms in `ratio` correlation times."""
    return math.sqrt(-math.expm1(-2.0 * ratio))


def swing(amplitude: float, turn: float) -> tuple[float, float]:
    """Cosine and sine parts of a wave that starts `turn` of a period on."""
    return amplitude * math.cos(math.tau * turn), amplitude * math.sin(math.tau * turn)


def feed_cycle_s(settings: WeatherSettings) -> float:
    """Time from one feed to the next, s; 0 where none is needed."""
    if not settings.is_fed:
        return 0.0
    fall, feed = settings.consumption_pa_h, settings.feed_rate_pa_h
    return settings.feed_band_pa * (1.0 / fall + 1.0 / (feed - fall)) * S_PER_HOUR
