"""Pressure and temperature as the bridge delivers them, and cabins to put them into."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from controller.detect.pressure import PressureTrend, Settings
from controller.detect.pressure_volume import VolumeWatch
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.units import NS_PER_S, Quantity

START_PA = 99_330.0
ROOM = "cabin"


def scalars(
    time_s: ArrayLike,
    value: ArrayLike,
    *,
    quantity: Quantity = Quantity.PRESSURE,
    node: str = "P1",
    sensor: str = "P1-pressure",
) -> ScalarBlock:
    """Values of one sensor at given times."""
    time_ns = np.rint(np.atleast_1d(np.asarray(time_s, dtype=float)) * NS_PER_S).astype(np.int64)
    values = np.broadcast_to(np.asarray(value, dtype=float), time_ns.shape)
    return ScalarBlock(node, sensor, quantity, time_ns, values, 1000.0)


def temperatures(time_s: ArrayLike, value_k: ArrayLike) -> ScalarBlock:
    return scalars(time_s, value_k, quantity=Quantity.TEMPERATURE, sensor="P1-temperature")


def restless(random: np.random.Generator, minutes: int, settings: Settings | None = None) -> NDArray[np.float64]:
    """A cabin without a leak, minute by minute, drawn from the model that the detector assumes: Pa about zero."""
    quiet = settings or Settings()
    step_s = 60.0
    kept = np.exp(-step_s / quiet.wander_s)
    wander = np.empty(minutes)
    at = quiet.wander_pa * random.standard_normal()
    for minute in range(minutes):
        wander[minute] = at
        at = kept * at + quiet.wander_pa * np.sqrt(1.0 - kept**2) * random.standard_normal()
    walk = np.cumsum(np.sqrt(quiet.walk_pa2_s * step_s) * random.standard_normal(minutes))
    return np.asarray(wander + walk, dtype=np.float64)


def watched(
    time_s: NDArray[np.float64],
    pressures_pa: dict[str, NDArray[np.float64]],
    *,
    temperature_k: NDArray[np.float64] | None = None,
    settings: Settings | None = None,
    volume_m3: float = 916.0,
    until_found: bool = False,
) -> tuple[list[tuple[float, PressureTrend]], VolumeWatch]:
    """A volume that was told all that; when what was believed (a NaN is a value that never came)."""
    watch = VolumeWatch({ROOM: volume_m3}, settings or Settings())
    found = []
    for row, at_ns in enumerate(np.rint(time_s * NS_PER_S).astype(np.int64)):
        stamp = np.array([at_ns])
        if temperature_k is not None and np.isfinite(temperature_k[row]):
            watch.take_temperature("T", ROOM, stamp, temperature_k[row : row + 1])
        for name, values in pressures_pa.items():
            if np.isfinite(values[row]):
                watch.take_pressure(name, stamp, values[row : row + 1])
        watch.step(int(at_ns) + 2 * NS_PER_S)
        trend = watch.trend()
        if trend is not None and trend.significant:
            found.append((float(time_s[row]), trend))
            if until_found:
                break
    return found, watch
