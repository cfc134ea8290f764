"""The "station" weather beside the real cabin: slopes by window, spectrum, how far each gas moves.

    python -m benchmarks.accuracy.cabin_weather docs/images/quiet-week-slopes.png

needs tests/vectors/cabin_slopes.toml (made by `cabin_log`) and matplotlib (the extra `report`), not the log. Without a
path it draws nothing.
"""

import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.accuracy.cabin_log import (
    AIR_K,
    AIR_PA,
    INTERVAL_S,
    QUANTILES,
    WINDOWS_MIN,
    ManyCabins,
    Roughness,
    roughness,
    simulated_logs,
)
from firmware_bridge.units import PA_PER_MMHG
from sim.world.gas.species import Species, air, saturation_pa
from sim.world.gas.weather_settings import preset
from sim.world.gas.weather_species import WeatherParts, mixed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TABLE = Path(__file__).parents[2] / "tests" / "vectors" / "cabin_slopes.toml"
LOGS, SEED = 1000, 1
SHADES = ((0.99, "#d6e6f4"), (0.90, "#a6cbe8"), (0.50, "#5b9bd0"))  # share of simulated logs, its fill
REAL, MIDDLE, INK = "#c0392b", "#14507f", "#333333"
LABELS = {0.01: "1 %", 0.05: "5 %", 0.25: "25 %", 0.5: "50 %", 0.75: "75 %", 0.95: "95 %", 0.99: "99 %"}


def table(real: dict[str, Any], logs: Roughness) -> str:
    """Real slopes and the median over simulated logs, Pa/h, by window."""
    lines = ["| window | | rms | " + " | ".join(LABELS.values()) + " |", "|---" * (len(LABELS) + 3) + "|"]
    for at, window in enumerate(real["window"]):
        simulated = [np.median(logs.rms_pa_h[:, at]), *np.median(logs.quantiles_pa_h[:, at], axis=0)]
        for who, row in (("real", [window["rms_pa_h"], *window["quantiles_pa_h"]]), ("simulated", simulated)):
            lines.append(f"| {window['minutes']} min | {who} | " + " | ".join(f"{value:.1f}" for value in row) + " |")
    return "\n".join(lines)


def gases(cabins: int = 60, days: int = 7, humidity: float = 0.45) -> str:
    """How far each gas moves within a day of "station" weather: medians over cabins and days of greatest less least."""
    random = np.random.default_rng(SEED)
    many = ManyCabins(preset("station"), random, cabins)
    still = air(AIR_PA, AIR_K, oxygen_pa=0.21 * AIR_PA, carbon_dioxide_pa=400.0, relative_humidity=humidity).partial_pa
    rows = np.empty((days * 144, len(Species) + 1, cabins))
    for row in rows:
        kelvin, parts = np.asarray(many.temperature_offset_k), np.array(many.parts)
        for cabin in range(cabins):
            here = WeatherParts(*parts[:, cabin].tolist())
            row[:-1, cabin] = mixed(still, 1.0 + float(kelvin[cabin]) / AIR_K, here, 1.0)
        row[-1] = kelvin
        many.step(600.0)
    spread = np.median(np.ptp(rows.reshape(days, 144, len(Species) + 1, cabins), axis=1), axis=(0, 2))
    at_k = 283.15  # dew point of such air
    per_k = saturation_pa(at_k + 0.5) - saturation_pa(at_k - 0.5)
    lines = [f"temperature, as thermometers see it: {spread[-1]:.2f} K within a day"]
    for gas in Species:
        told = f"{gas.name.lower().replace('_', ' ')}: {spread[gas]:.0f} Pa, {spread[gas] / PA_PER_MMHG:.2f} mmHg"
        lines.append(told + (f", {spread[gas] / per_k:.1f} K of dew point" if gas is Species.WATER else ""))
    return "\n".join(lines)


def draw(real: dict[str, Any], logs: Roughness, path: Path) -> None:
    """Write the picture to `path`."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(13, 7), layout="constrained")
    grid = figure.add_gridspec(2, 4, height_ratios=(1, 1))
    slopes = [figure.add_subplot(grid[divmod(at, 3)]) for at in range(len(WINDOWS_MIN))]
    for at, axes in enumerate(slopes):
        _draw_window(axes, real["window"][at], logs.quantiles_pa_h[:, at])
        if at in {0, 3}:
            axes.set_ylabel("least-squares slope, Pa/h")
    spectrum = figure.add_subplot(grid[:, 3])
    _draw_spectrum(spectrum, real["band"], logs)
    key = figure.add_subplot(grid[1, 2])
    key.axis("off")
    key.legend(*slopes[0].get_legend_handles_labels(), loc="center", frameon=False, fontsize=10)
    figure.suptitle('A cabin without a leak: simulated "station" weather beside a real log of 19.5 h', fontsize=13)
    figure.supxlabel(f"Real: {real['source']}. Statistics only. Simulated: {LOGS} logs between feeds.", fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _draw_window(axes: "Axes", window: dict[str, Any], quantiles_pa_h: "np.ndarray[Any, Any]") -> None:
    """Quantile by quantile: fills of the simulated logs, the real log as points."""
    places = np.arange(len(QUANTILES))
    _fill(axes, places, quantiles_pa_h)
    axes.plot(places, window["quantiles_pa_h"], "o", color=REAL, markersize=5, label="real log", zorder=3)
    axes.axhline(0.0, color=INK, linewidth=0.6)
    axes.set_xticks(places, list(LABELS.values()), fontsize=8)
    axes.set_xlabel("quantile of the slopes")
    axes.set_title(f"windows of {window['minutes']} min", fontsize=10, color=INK)
    axes.grid(axis="y", linewidth=0.3)


def _draw_spectrum(axes: "Axes", bands: list[dict[str, float]], logs: Roughness) -> None:
    centres = np.sqrt([band["low_hz"] * band["high_hz"] for band in bands])
    _fill(axes, centres, logs.band_pa2_hz)
    axes.loglog(centres, [band["density_pa2_hz"] for band in bands], "o", color=REAL, markersize=5, zorder=3)
    axes.set_xlabel("frequency, Hz")
    axes.set_ylabel("spectral density of pressure, Pa²/Hz")
    axes.yaxis.set_label_position("right")
    axes.yaxis.tick_right()
    axes.set_title("spectrum, band means", fontsize=10, color=INK)
    axes.grid(which="major", linewidth=0.3)


def _fill(axes: "Axes", places: "np.ndarray[Any, Any]", values: "np.ndarray[Any, Any]") -> None:
    for share, colour in SHADES:
        low, high = np.quantile(values, [0.5 - share / 2, 0.5 + share / 2], axis=0)
        axes.fill_between(places, low, high, color=colour, linewidth=0, label=f"{100 * share:.0f} % of simulated logs")
    axes.plot(places, np.median(values, axis=0), color=MIDDLE, linewidth=1.2, label="median of simulated logs")


if __name__ == "__main__":
    measured = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    simulated = roughness(simulated_logs(preset("station"), LOGS, SEED), INTERVAL_S)
    print(table(measured, simulated))
    print(gases())
    if len(sys.argv) > 1:
        draw(measured, simulated, Path(sys.argv[1]))
