"""How well leaks at places on the hull could be located: information, expected radius, expected standing.

The measurement models are those of localize.forward (delays with survey and clock errors, hull, thermometer), written
for many places at once. Which places are blind is judged in blindness.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.localize.forward import STATE, SurveyErrors
from controller.localize.region import radius95_m
from controller.measure.coherence import CoherentGroup
from controller.measure.tdoa import SIGMA_FLOOR_S
from controller.plan.hearing import Array, Heard
from controller.plan.standing import expected_square

UNTOLD_M = 1000.0  # sigma of a direction that nothing tells: finite, and beyond every limit
SECOND_US = 1e6  # delays are counted in microseconds here, so that matrices stay well scaled


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What is known beside delays, one standard deviation each."""

    survey: SurveyErrors
    sound_speed_m_s: float
    sound_speed_sigma_m_s: float


@dataclass(frozen=True, slots=True, eq=False)
class GroupBound:
    """What one group tells of leaks at points (p, 3).

    Args:
        precision: of arrival times (p, n, n), 1/us^2; a time that all microphones share is unknown: rows sum to 0.
        information: its part of the state's (p, 4, 4).
        square: its part of the squared standing (p,).
        largest: (p,) microphones in the largest set that hears the same sound.
        rows: (p,) independent delays.
    """

    group: CoherentGroup
    precision: Array
    information: Array
    square: Array
    largest: NDArray[np.intp]
    rows: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """How well leaks at points (p, 3) can be located.

    Args:
        information: of place and speed of sound (p, 4, 4).
        radius95_m: (p,) expected on the hull.
        standing: (p,) expected in the search's map.
        largest: (p,) microphones in the largest set that hears the same sound.
        freedom: (p,) measurements beyond those that a place needs.
    """

    groups: tuple[GroupBound, ...]
    information: Array
    radius95_m: Array
    standing: Array
    largest: NDArray[np.intp]
    freedom: NDArray[np.intp]


def group_bound(group: CoherentGroup, heard: Heard, points_m: Array, known: Surveyed) -> GroupBound:
    """Arrival times known to the pairs' information, less what survey and clock add to their errors.

    With precision L of the arrivals by noise alone and covariance A of survey, clock and the peak's own floor, what is
    left is L - L (L + A^-1)^-1 L: the errors integrated out (Woodbury); L may be singular.
    """
    count = len(group.sensors)
    owner = np.array(group.nodes)
    own = (known.survey.microphone_sigma_m / known.sound_speed_m_s) ** 2 + SIGMA_FLOOR_S**2 / 2.0
    errors = np.eye(count) * own + (owner[:, None] == owner[None, :]) * group.clock_sigma_s**2
    weight = heard.information / SECOND_US**2
    laplacian = np.eye(count) * weight.sum(axis=2)[:, :, None] - weight
    sure = np.linalg.inv(errors * SECOND_US**2)
    precision = laplacian - laplacian @ np.linalg.solve(laplacian + sure, laplacian)
    precision = (precision + precision.swapaxes(1, 2)) / 2.0
    jacobian = arrival_jacobian(group.position_m, points_m, known.sound_speed_m_s)
    sizes = np.maximum(heard.together, 1)
    # each of the m microphones of a connected part counts 1 - 1/m: m - 1 in all
    rows = np.rint(np.sum(1.0 - 1.0 / sizes, axis=1)).astype(np.intp)
    return GroupBound(
        group,
        precision,
        jacobian.swapaxes(1, 2) @ precision @ jacobian,
        expected_square(group, heard.height, known.survey.microphone_sigma_m, known.sound_speed_m_s),
        heard.together.max(axis=1),
        rows,
    )


def arrival_jacobian(position_m: Array, points_m: Array, speed_m_s: float) -> Array:
    """How travel times (us) to microphones change with place (m) and speed of sound (m/s): (points, n, 4)."""
    offset = points_m[:, None, :] - position_m[None, :, :]
    distance = np.maximum(np.linalg.norm(offset, axis=2), 1e-6)
    found = np.empty((*distance.shape, STATE))
    found[:, :, :3] = offset / distance[:, :, None] / speed_m_s * SECOND_US
    found[:, :, 3] = -distance / speed_m_s**2 * SECOND_US
    return found


def known_information(normal: Array, known: Surveyed) -> Array:
    """What hull and thermometer tell of the state (points, 4, 4)."""
    found = np.zeros((len(normal), STATE, STATE))
    found[:, :3, :3] = normal[:, :, None] * normal[:, None, :] / known.survey.hull_sigma_m**2
    found[:, 3, 3] = 1.0 / known.sound_speed_sigma_m_s**2
    return found


def bounds(groups: Sequence[GroupBound], normal: Array, known: Surveyed) -> Bounds:
    """All groups together, at points with hull normals (p, 3)."""
    information = known_information(normal, known)
    square, rows = np.zeros(len(normal)), np.zeros(len(normal), dtype=np.intp)
    largest = np.zeros(len(normal), dtype=np.intp)
    for part in groups:
        information = information + part.information
        square += part.square
        largest = np.maximum(largest, part.largest)
        rows += part.rows
    vague = np.diag([UNTOLD_M**-2] * 3 + [0.0])
    covariance = np.asarray(np.linalg.inv(information + vague), dtype=np.float64)
    return Bounds(
        tuple(groups),
        information,
        radius95_m(covariance[:, :3, :3], normal),
        np.sqrt(square),
        largest,
        rows + 2 - STATE,
    )
