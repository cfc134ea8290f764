"""The "station" weather against 19.5 h of a barometer aboard the station: neither calmer nor rougher."""

import os
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.accuracy.cabin_log import (
    INTERVAL_S,
    SAMPLES,
    Roughness,
    as_toml,
    read_log,
    roughness,
    simulated_logs,
)
from sim.world.gas.weather_settings import WeatherSettings, preset

TABLE = Path(__file__).parents[1] / "vectors" / "cabin_slopes.toml"
LOG = os.environ.get("LEAKLOC_CABIN_LOG", "")
LOGS = 400  # two logs lie beyond either end of the central 99 %
CENTRAL_99 = (0.005, 0.995)
# Half of all simulated logs have an rms within 6 % (10 min) to 19 % (360 min) of their median, 99 % within 20 to 50 %:
# one log cannot say more than this.
RMS_FACTOR = 1.3
DENSITY_FACTOR = 2.0  # below 0.7 mHz 99 % of simulated logs lie within 0.21 and 2.5 of their median


def real() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def real_roughness() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quantiles and rms of slopes, Pa/h, and spectral densities, Pa2/Hz."""
    table = real()
    return (
        np.array([window["quantiles_pa_h"] for window in table["window"]]),
        np.array([window["rms_pa_h"] for window in table["window"]]),
        np.array([band["density_pa2_hz"] for band in table["band"]]),
    )


def scaled(weather: WeatherSettings, factor: float) -> WeatherSettings:
    """`weather` with every size of what disturbs times `factor`."""
    sizes = ["temperature_rms_k", "vapour_rms_pa", "puff_pa", "consumption_pa_h"]
    sizes += ["orbit_wave_pa", "orbit_wave_k", "day_wave_pa", "day_wave_k"]
    return replace(weather, **{size: factor * getattr(weather, size) for size in sizes})


def wrong(logs: Roughness) -> list[str]:
    """Which of the criteria the simulated logs miss."""
    quantiles, rms, density = real_roughness()
    low, high = np.quantile(logs.quantiles_pa_h, CENTRAL_99, axis=0)
    least, most = np.quantile(logs.band_pa2_hz, CENTRAL_99, axis=0)
    rms_ratio = np.median(logs.rms_pa_h, axis=0) / rms
    density_ratio = np.median(logs.band_pa2_hz, axis=0) / density
    checks = {
        "quantiles": (quantiles >= low) & (quantiles <= high),
        "rms": np.abs(np.log(rms_ratio)) <= np.log(RMS_FACTOR),
        "bands": (density >= least) & (density <= most),
        "density": np.abs(np.log(density_ratio)) <= np.log(DENSITY_FACTOR),
    }
    return [name for name, holds in checks.items() if not holds.all()]


@pytest.mark.parametrize("seed", [1, 2])
def test_station_weather_is_as_rough_as_the_station(seed: int) -> None:
    logs = roughness(simulated_logs(preset("station"), LOGS, seed), INTERVAL_S)
    assert wrong(logs) == []
    # the barometer that the logs go through is the log's: sigma from sample to sample, a tenth for either
    assert np.median(logs.difference_pa) == pytest.approx(real()["difference_pa"], rel=0.1)


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.4, 2.0])
def test_weather_that_is_calmer_or_rougher_is_told(factor: float) -> None:
    assert "rms" in wrong(roughness(simulated_logs(scaled(preset("station"), factor), 100, 1), INTERVAL_S))


def test_the_table_is_of_the_log_that_is_simulated() -> None:
    assert (real()["samples"], real()["interval_s"]) == (SAMPLES, INTERVAL_S)


@pytest.mark.skipif(not LOG, reason="LEAKLOC_CABIN_LOG does not name the Astro Pi's log, whose licence keeps it out")
def test_the_log_gives_the_table() -> None:
    assert as_toml(*read_log(Path(LOG))) == TABLE.read_text(encoding="utf-8")
