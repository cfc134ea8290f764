"""Bursts of contact sensors -> how alike each pair feels, by difference of path: dispersion taken out.

Each frequency of a Lamb wave has a wavenumber of its own, so correlation over time smears. Correlated over path, by
that wavenumber, all frequencies peak at the same difference (Wilcox 2003). Which ways lead where is localize's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from controller.measure.plate import Mode, Skin
from firmware_bridge.samples import VibrationBlock
from firmware_bridge.site.survey import Sensor

LOWEST_HZ = 15e3  # below, machines shake the hull
HIGHEST_SHARE = 0.43  # of the sample rate
STEP_M = 0.004
GATHERED_RAD = 0.15  # by which phases may turn over bins that are added up: a hundredth is lost
EDGE_SHARE = 0.05
MAX_SENSORS = 32

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PathFunctions:
    """Squared correlations (pairs, lags) of one mode at differences of path of `step_m`, symmetric about zero.

    Of pure noise every value has the exponential distribution of mean 1. `spread_rad_m` is the standard deviation of
    the wavenumbers over the band: a peak is about its inverse wide.
    """

    sensors: tuple[str, ...]
    nodes: tuple[str, ...]
    position_m: Floats
    mode: Mode
    value: NDArray[np.float32]
    step_m: float
    spread_rad_m: float

    @property
    def zero(self) -> int:
        """Index of difference zero."""
        return int(self.value.shape[1] // 2)

    @property
    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Indices of all pairs (first < second)."""
        return np.triu_indices(len(self.sensors), k=1)


def path_functions(
    captures: Sequence[Sequence[VibrationBlock]], sensors: Sequence[Sensor], skin: Skin, mode: Mode, reach_m: float
) -> PathFunctions | None:
    """Of the sensors that are in every capture; None where fewer than three are, or the band has no room.

    Args:
        captures: bursts that are coherent with each other, begun together, one of each node.
        sensors: where they sit and how late each is sampled.
        skin: of the hull.
        mode: which wave.
        reach_m: largest difference of path that matters.
    """
    heard = [{name: (b, row) for b in blocks for row, name in enumerate(b.sensors)} for blocks in captures]
    known = [s for s in sensors if s.position_m is not None and heard and all(s.name in one for one in heard)]
    blocks = [block for capture in captures for block in capture]
    shapes = {(block.velocity_m_s.shape[1], block.nominal_hz) for block in blocks}
    if not 3 <= len(known) <= MAX_SENSORS or len(shapes) != 1:
        return None
    samples, rate_hz = shapes.pop()
    frequency_hz = fft.rfftfreq(samples, 1.0 / rate_hz)
    inside = np.flatnonzero((frequency_hz >= LOWEST_HZ) & (frequency_hz <= min(HIGHEST_SHARE * rate_hz,
                                                                              skin.highest_hz)))  # fmt: skip
    if len(inside) < 100:
        return None
    wavenumber = skin.wavenumber_rad_m(frequency_hz[inside], mode)
    first, second = np.triu_indices(len(known), k=1)
    cross = np.zeros((len(first), len(inside)), dtype=np.complex64)
    window = _faded(samples)
    late_s = np.array([sensor.late_s for sensor in known])
    early = np.exp(-2j * np.pi * late_s[:, None] * frequency_hz[inside]).astype(np.complex64)
    for one in heard:
        wave = np.stack([one[s.name][0].velocity_m_s[one[s.name][1]] for s in known]) * window
        spectrum = fft.rfft(wave, axis=1)[:, inside] * early
        phase = spectrum / np.maximum(np.abs(spectrum), 1e-30)
        cross += phase[first] * phase[second].conj()
    turn = float(np.diff(wavenumber).max()) * reach_m
    step = max(1, int(GATHERED_RAD / max(turn, 1e-12)))
    groups = len(inside) // step
    gathered = cross[:, : groups * step].reshape(len(first), groups, step).sum(axis=2)
    middle = wavenumber[: groups * step].reshape(groups, step).mean(axis=1)
    lags = np.arange(-int(np.ceil(reach_m / STEP_M)), int(np.ceil(reach_m / STEP_M)) + 1)
    steering = np.exp(1j * np.outer(middle, lags * STEP_M)).astype(np.complex64)
    value = np.abs(gathered @ steering) ** 2 / (groups * step * len(captures))
    return PathFunctions(
        sensors=tuple(sensor.name for sensor in known),
        nodes=tuple(sensor.node for sensor in known),
        position_m=np.array([sensor.position_m for sensor in known], dtype=float),
        mode=mode,
        value=value.astype(np.float32),
        step_m=STEP_M,
        spread_rad_m=float(np.std(wavenumber)),
    )


def _faded(samples: int) -> NDArray[np.float32]:
    window = np.ones(samples, dtype=np.float32)
    edge = max(1, round(EDGE_SHARE * samples))
    window[:edge] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    window[-edge:] = window[:edge][::-1]
    return window
