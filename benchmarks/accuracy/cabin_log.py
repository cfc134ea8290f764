"""Slopes and spectrum of a cabin's pressure log, measured or simulated; the picture of both is `cabin_weather`.

    python -m benchmarks.accuracy.cabin_log astro_pi_flight_unit.csv > tests/vectors/cabin_slopes.toml

makes the table that tests and picture compare with. The log itself (CC BY-SA 4.0, see SOURCE) is not shipped.
"""

import csv
import math
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.units import S_PER_HOUR
from sim.world.gas.weather import FADES_REMEMBERED, CabinWeather, feed_cycle_s, puff_answer, swing
from sim.world.gas.weather_settings import WeatherSettings

FloatArray = NDArray[np.float64]

SOURCE = "Raspberry Pi Foundation, raspberrypilearning/astro-pi-flight-data-analysis, commit dbf74aff3a48, CC BY-SA 4.0"
WINDOWS_MIN = (10, 30, 60, 120, 360)
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BAND_EDGES_HZ = (6e-5, 1.7e-4, 3.3e-4, 7e-4, 1.5e-3, 3e-3, 6e-3, 1.2e-2, 2.5e-2, 5e-2, 9e-2)
STRIDE = 12  # samples between the windows that are looked at: a minute
SEGMENT = 4096  # samples of one periodogram, 5.8 h

SAMPLES = 13_723
INTERVAL_S = 5.116  # mean; the log's rows are 5 or 6 s apart
COUNT_PA = 10.0  # the log gives 0.1 hPa
# White noise before rounding: with it sample-to-sample differences have the log's sigma of 4.1 Pa.
NOISE_PA = 1.4
AIR_PA, AIR_K = 101_360.0, 295.15


@dataclass(frozen=True, slots=True)
class Roughness:
    """Statistics of logs, each with one leading axis for the logs: sizes in Pa/h, Pa and Pa2/Hz."""

    quantiles_pa_h: FloatArray  # (logs, windows, quantiles)
    rms_pa_h: FloatArray  # (logs, windows), about zero
    band_pa2_hz: FloatArray  # (logs, bands)
    difference_pa: FloatArray  # (logs,) sigma of sample-to-sample differences


def roughness(pressure_pa: FloatArray, interval_s: float) -> Roughness:
    """Statistics of logs (logs, samples), Pa, sampled evenly."""
    slopes = [window_slopes(pressure_pa, interval_s, minutes) for minutes in WINDOWS_MIN]
    return Roughness(
        np.stack([np.quantile(slope, QUANTILES, axis=1).T for slope in slopes], axis=1),
        np.stack([np.sqrt(np.mean(slope**2, axis=1)) for slope in slopes], axis=1),
        band_powers(pressure_pa, interval_s),
        np.std(np.diff(pressure_pa, axis=1), axis=1),
    )


def window_slopes(pressure_pa: FloatArray, interval_s: float, minutes: float) -> FloatArray:
    """Least-squares slope, Pa/h, in every window of `minutes`, one a `STRIDE`: (logs, windows)."""
    count = round(minutes * 60.0 / interval_s)
    level_pa = pressure_pa - pressure_pa[:, :1]
    place = np.arange(pressure_pa.shape[1], dtype=float)
    plain, weighted = (np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0))) for values in (level_pa, level_pa * place))
    first = np.arange(0, pressure_pa.shape[1] - count + 1, STRIDE)
    area = plain[:, first + count] - plain[:, first]
    moment = weighted[:, first + count] - weighted[:, first] - (first + 0.5 * (count - 1)) * area
    slopes: FloatArray = moment / (count * (count**2 - 1) / 12.0) / interval_s * S_PER_HOUR
    return slopes


def band_powers(pressure_pa: FloatArray, interval_s: float) -> FloatArray:
    """Mean one-sided spectral density in each band, Pa2/Hz: detrended segments, Hann, half overlapping (Welch 1967)."""
    window = np.hanning(SEGMENT)
    place = np.arange(SEGMENT) - 0.5 * (SEGMENT - 1)
    frequency_hz = np.fft.rfftfreq(SEGMENT, interval_s)
    starts = range(0, pressure_pa.shape[1] - SEGMENT + 1, SEGMENT // 2)
    total = np.zeros((pressure_pa.shape[0], frequency_hz.size))
    for start in starts:
        piece = pressure_pa[:, start : start + SEGMENT]
        piece = piece - piece.mean(axis=1, keepdims=True)
        piece -= (piece @ place / (place @ place))[:, None] * place
        total += np.abs(np.fft.rfft(piece * window)) ** 2
    density = total / len(starts) * 2.0 * interval_s / (window @ window)
    bands = pairwise(BAND_EDGES_HZ)
    return np.stack([density[:, (frequency_hz >= low) & (frequency_hz < high)].mean(axis=1) for low, high in bands], 1)


class ManyCabins(CabinWeather):
    """Cabins stepped side by side: the same step on arrays; only drawing and the coming of puffs are written anew."""

    __slots__ = ("_cabins",)

    def __init__(self, settings: WeatherSettings, generator: np.random.Generator, cabins: int) -> None:
        """Start `cabins` independent cabins."""
        self._cabins = cabins
        super().__init__(settings, generator)

    def _draw_start(self) -> None:
        settings, random, cabins = self._settings, self._generator, self._cabins
        slope, warmth, vapour = random.standard_normal((3, cabins))
        self._slope_pa_s = slope * settings.slope_rms_pa_h / S_PER_HOUR
        self._warmth_k = warmth * settings.temperature_rms_k
        self._vapour_pa = vapour * settings.vapour_rms_pa
        sizes = (settings.orbit_wave_pa, settings.orbit_wave_k, settings.day_wave_pa, settings.day_wave_k)
        turns = random.random((len(sizes), cabins))
        swings = [[swing(size, turn) for turn in turns[row]] for row, size in enumerate(sizes)]
        self._swings = tuple(tuple(np.array(parts) for parts in zip(*pairs, strict=True)) for pairs in swings)  # type: ignore[misc]
        self._feed_from_s = random.random(cabins) * feed_cycle_s(settings)  # type: ignore[assignment]
        since_s = FADES_REMEMBERED * settings.puff_fade_s
        self._until_puff_s = np.array([self._wait_for_puff_s() for _ in range(cabins)]) - since_s  # type: ignore[assignment]
        self._coming_pa, self._puff_pa = np.zeros(cabins), np.zeros(cabins)  # type: ignore[assignment]
        self._let_puffs_in()

    def _kicks(self) -> tuple[float, float, float, float]:
        first, second, third, fourth = self._generator.standard_normal((4, self._cabins))
        return first, second, third, fourth

    def _let_puffs_in(self) -> None:
        waits_s: FloatArray = self._until_puff_s  # type: ignore[assignment]
        coming_pa: FloatArray = self._coming_pa  # type: ignore[assignment]
        puff_pa: FloatArray = self._puff_pa  # type: ignore[assignment]
        settings = self._settings
        for cabin in np.flatnonzero(waits_s <= 0.0):
            while waits_s[cabin] <= 0.0:
                age_s = -float(waits_s[cabin])
                coming_pa[cabin] += settings.puff_pa * math.exp(-age_s / settings.puff_rise_s)
                puff_pa[cabin] += settings.puff_pa * puff_answer(age_s, settings)
                waits_s[cabin] += self._wait_for_puff_s()


def simulated_logs(settings: WeatherSettings, logs: int, seed: int) -> FloatArray:
    """What the log's barometer shows of `logs` simulated cabins, Pa, (logs, SAMPLES): noise, then rounding.

    The real log has no feed in it, so these are cabins between feeds: the next one is put off and takes no time.
    """
    if settings.is_fed:
        settings = replace(settings, feed_band_pa=1e9, feed_rate_pa_h=1e15)
    random = np.random.default_rng(seed)
    cabins = ManyCabins(settings, random, logs)
    pressure_pa = np.empty((SAMPLES, logs))
    for row in pressure_pa:
        row[:] = cabins.disturbed(AIR_PA, AIR_K)[0]
        cabins.step(INTERVAL_S)
    pressure_pa += COUNT_PA * random.random(logs) + NOISE_PA * random.standard_normal(pressure_pa.shape)
    return np.ascontiguousarray((np.rint(pressure_pa / COUNT_PA) * COUNT_PA).T)


def read_log(path: Path) -> tuple[FloatArray, float]:
    """Pressure (1, samples), Pa, and the mean interval, s, of an Astro Pi's log."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first, last = (datetime.fromisoformat(rows[at]["Date/Time"]) for at in (0, -1))
    pressure_pa = 100.0 * np.array([[float(row["Pressure"]) for row in rows]])
    return pressure_pa, (last - first).total_seconds() / (len(rows) - 1)


def as_toml(pressure_pa: FloatArray, interval_s: float) -> str:
    """The table of one log (1, samples)."""
    log = roughness(pressure_pa, interval_s)
    lines = [
        f"# Statistics of {pressure_pa.size} samples of cabin pressure aboard the International Space Station, no leak",
        "# among them, made by: python -m benchmarks.accuracy.cabin_log astro_pi_flight_unit.csv",
        f'source = "{SOURCE}"',
        f"samples = {pressure_pa.size}",
        f"interval_s = {interval_s:.4f}",
        f"mean_slope_pa_h = {window_slopes(pressure_pa, interval_s, pressure_pa.size * interval_s / 60.0).item():.2f}",
        f"difference_pa = {log.difference_pa[0]:.3f} # sigma from sample to sample",
        f"quantiles = {list(QUANTILES)}",
    ]
    for minutes, rms, quantiles in zip(WINDOWS_MIN, log.rms_pa_h[0], log.quantiles_pa_h[0], strict=True):
        values = ", ".join(f"{value:.2f}" for value in quantiles)
        lines += ["", "[[window]]", f"minutes = {minutes}", f"rms_pa_h = {rms:.2f}", f"quantiles_pa_h = [{values}]"]
    for (low, high), power in zip(pairwise(BAND_EDGES_HZ), log.band_pa2_hz[0], strict=True):
        lines += ["", "[[band]]", f"low_hz = {low:g}", f"high_hz = {high:g}", f"density_pa2_hz = {power:.4g}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_toml(*read_log(Path(sys.argv[1]))))
