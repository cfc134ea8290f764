"""Pressure and temperature as the bridge delivers them."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from controller.detect.pressure import BLOCK_NS, MIN_NOISE_PA, WINDOWS_S, PressureHistory, Settings, judge
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.units import NS_PER_S, Quantity

BLOCK_S = BLOCK_NS / NS_PER_S
START_PA = 99_330.0


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


def block_times(blocks: int) -> NDArray[np.float64]:
    """The middle of so many blocks, the first at the epoch."""
    return np.asarray(BLOCK_S * (np.arange(blocks) + 0.5), dtype=np.float64)


def history(block_means_pa: Sequence[float] | NDArray[np.float64], settings: Settings | None = None) -> PressureHistory:
    """A sensor that delivered one value a block; the last block is still filling."""
    sensor = PressureHistory(settings or Settings())
    sensor.take_pressure(scalars(block_times(len(block_means_pa)), block_means_pa))
    return sensor


def histories(means_pa: Mapping[str, NDArray[np.float64]]) -> dict[str, PressureHistory]:
    return {name: history(means) for name, means in means_pa.items()}


def random_walk(random: np.random.Generator, blocks: int, pa2_s: float) -> NDArray[np.float64]:
    """Block means of a cabin that wanders: steps of variance D x 5 s."""
    return START_PA + np.cumsum(np.sqrt(pa2_s * BLOCK_S) * random.standard_normal(blocks))


def episodes_of_false_falls(means_pa: NDArray[np.float64], settings: Settings) -> int:
    """How often `judge` would report a significant fall of these block means, asked after every block.

    Asking it six million times a year would take an hour. Its significance is overstated here by leaving out all but
    the least sensor noise, and it is asked only where that alone would do. Reports within an hour are one episode.
    """
    suspects: set[int] = set()
    for window_s in WINDOWS_S:
        blocks = round(window_s / BLOCK_S)
        most_pa = math.sqrt(settings.random_walk_pa2_s * window_s + 2 * MIN_NOISE_PA**2)
        fallen = (means_pa[:-blocks] - means_pa[blocks:]) / most_pa > settings.threshold_sigmas
        suspects |= set((np.flatnonzero(fallen) + blocks).tolist())
    longest = round(max(WINDOWS_S) / BLOCK_S)
    episodes, last = 0, -math.inf
    for newest in sorted(suspects):
        known = means_pa[max(0, newest - longest - 1) : newest + 2]  # one more block, still filling
        trend = judge({"P1": history(known, settings)}, settings)
        if trend is not None and trend.significant:
            episodes += (newest - last) * BLOCK_S > 3600.0
            last = newest
    return episodes
