"""Delays as `measure` would hand them on, made from distances; no sound."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from controller.localize.forward import SurveyErrors
from controller.measure.tdoa import Tdoa
from tests.support.hearing import group_of

SPEED = 344.0
SURVEY = SurveyErrors(microphone_sigma_m=0.002, hull_sigma_m=0.005)


def tdoa_of(
    positions_m: NDArray[np.float64],
    source_m: Sequence[float] | NDArray[np.float64],
    nodes: Sequence[str],
    *,
    error_s: NDArray[np.float64] | float = 0.0,
    covariance_s2: NDArray[np.float64] | None = None,
    clock_s: float = 0.0,
) -> Tdoa:
    """Delays of a source between microphones (n, 3); `error_s` (n,) is added to the arrivals."""
    count = len(positions_m)
    arrival = np.linalg.norm(positions_m - np.asarray(source_m), axis=1) / SPEED + error_s
    group = replace(group_of(positions_m.tolist(), nodes), clock_sigma_s=clock_s)
    return Tdoa(
        group=group,
        sensors=group.sensors,
        nodes=tuple(nodes),
        position_m=positions_m,
        delay_s=arrival[1:] - arrival[0],
        covariance_s2=1e-13 * (1 + np.eye(count - 1)) if covariance_s2 is None else covariance_s2,
        clock_sigma_s=np.full(count, clock_s),
        pairs_used=count * (count - 1) // 2,
        pairs_rejected=0,
    )
