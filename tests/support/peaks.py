"""Correlation functions with peaks where they are told to be, as `correlate` would hand them on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from controller.measure.correlation import Correlations
from tests.support.delays import SPEED
from tests.support.hearing import group_of

STEP_S = 1 / 768e3
ZERO = 7000  # 9 ms: farther than across the rooms of the tests
LOW_HZ, HIGH_HZ = 12e3, 90e3


def peaked(
    places: NDArray[np.float64],
    source_m: Sequence[float] | NDArray[np.float64],
    nodes: Sequence[str],
    random: np.random.Generator,
    *,
    height: float = 12.0,
    error_s: NDArray[np.float64] | float = 0.0,
) -> Correlations:
    """Unit noise, and at each pair's delay a peak as narrow as its band makes it; `error_s` is added to arrivals."""
    group = group_of(places.tolist(), nodes)
    first, second = group.pairs
    arrival = np.linalg.norm(places - np.asarray(source_m), axis=1) / SPEED + error_s
    lags_s = (np.arange(2 * ZERO + 1) - ZERO) * STEP_S - (arrival[first] - arrival[second])[:, None]
    band = HIGH_HZ * np.sinc(2 * HIGH_HZ * lags_s) - LOW_HZ * np.sinc(2 * LOW_HZ * lags_s)
    value = random.standard_normal(band.shape) + height * band / (HIGH_HZ - LOW_HZ)
    rms_hz = np.sqrt((HIGH_HZ**3 - LOW_HZ**3) / 3 / (HIGH_HZ - LOW_HZ))
    nothing = np.zeros(len(places))
    return Correlations(group, value.astype(np.float32), STEP_S, np.full(len(first), rms_hz), nothing, nothing)
