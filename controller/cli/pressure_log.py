"""A log of cabin pressure -> what it says of a leak. It is read by `pressure_columns`; the command is `pressure`.

A leak only falls; what a cabin does by itself, warmed and cooled without a thermometer that sees it, rises as it falls.
So a log that seems to leak is read once more upside down: a fall is believed where it stands out of the rises.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.cli.pressure_columns import Log
from controller.detect.pressure import Fall, PressureTrend, Settings
from controller.detect.pressure_volume import VolumeWatch
from controller.measure.leak_size import TWO_SIDED_95, Interval, LeakSize, leak_size
from controller.measure.leak_size import Settings as SizeSettings
from firmware_bridge.units import NS_PER_S, PA_PER_MMHG, S_PER_DAY, S_PER_HOUR

FloatArray = NDArray[np.float64]

LONGEST_FALL_S = 60 * S_PER_DAY  # a compartment behind a shut hatch is read once a week
TOLD_EVERY = 10_000  # rows, to who shows how far it is
ROOM_K = 295.15
OUT_OF_RISES = 1.5  # times as significant as the log's rises must a fall be: no two halves of a swing are quite alike
AS_LONG = 0.25  # of a fall's time must a rise have taken to be of its kind: gas that is let in rises for minutes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the log says. `fall` is the leak's, or without one that of the whole log."""

    leak: bool
    fall: Fall
    size: LeakSize
    reason: str
    detected_s: float | None  # from the start of the log
    over_s: float | None
    complaints: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Spell:
    """A time in which a leak was believed."""

    detected_s: float
    last: PressureTrend
    sharpest: PressureTrend
    over_s: float | None = None

    def take(self, trend: PressureTrend) -> None:
        self.last = trend
        if trend.fall.sigmas > self.sharpest.fall.sigmas:
            self.sharpest = trend


@dataclass(slots=True)
class _Pass:
    """What was said while the log was read once."""

    watch: VolumeWatch
    spells: list[_Spell] = field(default_factory=list)

    def take(self, now_s: float) -> None:
        now = self.watch.trend()
        spell = self.spells[-1] if self.spells and self.spells[-1].over_s is None else None
        if now is not None and now.significant:
            if spell is None:
                self.spells.append(_Spell(now_s, now, now))
            else:
                spell.take(now)
        elif spell is not None:
            spell.over_s = now_s


def judge_log(
    log: Log,
    volume_m3: float,
    settings: Settings,
    size: SizeSettings,
    progress: Callable[[int], object] | None = None,
) -> Answer:
    """Run the log through what watches a cabin, value by value, and tell what it said.

    Of several falls the one that lasts to the end is told, else the most significant. `progress` is told of so
    many rows at a time, of each twice: a log that seems to leak is read twice.
    """
    told = _read(log, volume_m3, settings, progress)
    watch = told.watch
    kelvin = watch.temperature_k or ROOM_K
    rises: list[_Spell] = []
    if told.spells:
        rises = _read(_upside_down(log), volume_m3, settings, progress).spells
    elif progress is not None:
        progress(log.time_s.size)
    restless = max((rise.sharpest.fall.sigmas for rise in rises), default=0.0) / settings.threshold_sigmas
    standing = [spell for spell in told.spells if _stands_out(spell, rises)]
    spell = max(standing, key=lambda one: (one.over_s is None, one.sharpest.fall.sigmas), default=None)
    if spell is not None:
        lasts = spell.over_s is None
        fall = _wider(spell.last.fall if lasts else spell.sharpest.fall, restless)
        sized = leak_size(fall, volume_m3, kelvin, size)
        reason = _why(fall, spell, watch, log)
        return Answer(True, fall, sized, reason, spell.detected_s, spell.over_s, watch.complaints)
    fall, reason = _without(watch, log, restless, swings=bool(told.spells))
    return Answer(False, fall, leak_size(fall, volume_m3, kelvin, size), reason, None, None, watch.complaints)


def _upside_down(log: Log) -> Log:
    """The log with every rise a fall, in logarithms; temperatures too, so that what they explain they explain still."""

    def mirrored(columns: dict[str, FloatArray]) -> dict[str, FloatArray]:
        said = {name: values for name, values in columns.items() if np.isfinite(values).any()}
        return {name: np.nanmedian(values) ** 2 / values for name, values in said.items()}

    return Log(log.time_s, mirrored(log.pressure_pa), mirrored(log.temperature_k))


def _stands_out(spell: _Spell, rises: list[_Spell]) -> bool:
    """Whether a fall is more than the rises of its kind."""
    fall = spell.sharpest.fall
    alike = (rise.sharpest.fall for rise in rises)
    most = max((rise.sigmas for rise in alike if rise.window_s >= AS_LONG * fall.window_s), default=0.0)
    return fall.sigmas > OUT_OF_RISES * most


def _wider(fall: Fall, restless: float) -> Fall:
    """The fall, no better known than a cabin lets it be that is so many times as restless as expected."""
    return replace(fall, sigma_pa_s=fall.sigma_pa_s * max(1.0, restless))


def _read(log: Log, volume_m3: float, settings: Settings, progress: Callable[[int], object] | None) -> _Pass:
    room = "cabin"
    watch = VolumeWatch({room: volume_m3}, settings, longest_s=LONGEST_FALL_S)
    told = _Pass(watch)
    at_ns = np.round(log.time_s * NS_PER_S).astype(np.int64)
    for row, now_ns in enumerate(at_ns.tolist()):
        stamp = at_ns[row : row + 1]
        for name, values in log.temperature_k.items():
            if math.isfinite(values[row]):
                watch.take_temperature(name, room, stamp, values[row : row + 1])
        for name, values in log.pressure_pa.items():
            if math.isfinite(values[row]):
                watch.take_pressure(name, stamp, values[row : row + 1])
        last = row + 1 == len(at_ns)
        if last or at_ns[row + 1] // NS_PER_S != now_ns // NS_PER_S:
            watch.step(now_ns + 2 * NS_PER_S)
            if last:
                watch.flush()
            told.take(now_ns / NS_PER_S)
        if progress is not None and (last or row % TOLD_EVERY == TOLD_EVERY - 1):
            progress(row % TOLD_EVERY + 1)
    return told


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer as one JSON object; null in an interval stands for infinity."""
    rate, sigma = answer.fall.rate_pa_s, answer.fall.sigma_pa_s
    slope = Interval(rate, rate - TWO_SIDED_95 * sigma, rate + TWO_SIDED_95 * sigma)
    spans = {
        "slope_pa_s": slope,
        "mass_rate_kg_s": answer.size.mass_rate_kg_s,
        "diameter_m": answer.size.hole_diameter_m,
        "reserve_time_s": answer.size.reserve_s,
    }
    return {
        "leak": answer.leak,
        **{name: _span(interval) for name, interval in spans.items()},
        "reason": answer.reason,
        "detected_t_s": answer.detected_s,
        "over_t_s": answer.over_s,
        "not_used": [{"sensor": name, "why": why} for name, why in answer.complaints],
    }


def _span(interval: Interval) -> dict[str, float | None]:
    values = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {key: value if math.isfinite(value) else None for key, value in values.items()}


def _why(fall: Fall, spell: _Spell, watch: VolumeWatch, log: Log) -> str:
    ended = "" if spell.over_s is None else f"; it was over {spell.over_s / S_PER_HOUR:.1f} h into the log"
    rough = f", on a cabin {watch.roughness:.1f} times as restless as expected" if watch.roughness > 1.2 else ""
    alone = "" if len(log.pressure_pa) > 1 else "; one barometer alone cannot prove itself right"
    return (
        f"pressure falls by {-fall.rate_pa_s * S_PER_HOUR:.3g} Pa/h and has for {_age(fall.window_s)}, "
        f"up to {spell.sharpest.fall.sigmas:.1f} standard deviations beyond what a cabin does by itself"
        f"{rough}{ended}{alone}"
    )


def _without(watch: VolumeWatch, log: Log, restless: float, *, swings: bool) -> tuple[Fall, str]:
    pressure_pa = watch.pressure_pa or float("nan")
    since = watch.rate_since_held()
    if since is None:
        return Fall(0.0, 0.0, math.inf, pressure_pa), "too few values to say: give more than a few minutes"
    fall = _wider(Fall(float(log.time_s[-1]), -since[0], since[1], pressure_pa), restless)
    could = max(since[0], 0.0) + TWO_SIDED_95 * fall.sigma_pa_s
    what = "nothing falls that a cabin does not do by itself"
    if swings:
        seen = "" if log.temperature_k else "; temperatures might tell them apart"
        what = f"it falls as it rises, by swings of its own{seen}"
    return fall, (
        f"{what}; a steady leak of up to {could * S_PER_HOUR:.3g} Pa/h "
        f"({could * S_PER_HOUR / PA_PER_MMHG:.2g} mmHg/h) could hide in it"
    )


def _age(seconds: float) -> str:
    return f"{seconds / S_PER_HOUR:.1f} h" if seconds >= S_PER_HOUR else f"{seconds / 60.0:.0f} min"
