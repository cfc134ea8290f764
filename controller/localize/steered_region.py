"""How well a place is known that no single pair tells and only all pairs together found. Finding it is the search's."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from controller.localize.forward import STATE, SurveyErrors
from controller.localize.hull_search import predicted_delays
from controller.measure.correlation import Correlations
from controller.measure.tdoa import heights, value_at
from firmware_bridge.site.hull import Hull

GRID_M = 0.001  # of the search's last step


def steered_covariance(
    functions: Sequence[Correlations],
    at_m: NDArray[np.float64],
    hull: Hull,
    survey: SurveyErrors,
    sound_speed_m_s: float,
    sound_speed_sigma_m_s: float,
) -> NDArray[np.float64]:
    """Covariance (4, 4) of place and speed of sound where the map of all pairs' sum peaks, at `at_m` (3,) on the hull.

    The peak of a sum of cosines of weights h omega^2: noise of one sigma a pair, survey, speed and hull move it through
    the sum's own weights, not those that would be best, so the covariance is a sandwich, H^-1 M H^-1 (Huber 1967).
    """
    normal = hull.outward(at_m[None, :])[0]
    plane = np.linalg.svd(normal[None, :])[2][1:].T
    curvature, middle = np.zeros((2, 2)), np.zeros((2, 2))
    by_speed, by_hull = np.zeros(2), np.zeros(2)
    for each in functions:
        first, second = each.group.pairs
        offset = at_m - each.group.position_m
        distance = np.linalg.norm(offset, axis=1)
        unit = offset / distance[:, None]
        height = heights(each, value_at(each, predicted_delays(each, at_m, sound_speed_m_s)))
        omega2 = (2 * np.pi * each.rms_frequency_hz) ** 2
        weight = height * omega2
        slope = (unit[first] - unit[second]) / sound_speed_m_s
        across, along = slope @ plane, slope @ normal
        curvature += (across * weight[:, None]).T @ across
        middle += (across * (each.value.any(axis=1) * omega2)[:, None]).T @ across
        delay = (distance[first] - distance[second]) / sound_speed_m_s
        by_speed += across.T @ (weight * delay / sound_speed_m_s)
        by_hull += across.T @ (weight * along)
        middle += _by_arrivals(across * weight[:, None], each, survey.microphone_sigma_m / sound_speed_m_s)
    middle += np.outer(by_speed, by_speed) * sound_speed_sigma_m_s**2
    middle += np.outer(by_hull, by_hull) * survey.hull_sigma_m**2
    inverse = np.linalg.inv(curvature + np.eye(2) * (1e-12 * np.trace(curvature)))  # a ridge is a long region, no error
    flat = inverse @ middle @ inverse + np.eye(2) * GRID_M**2 / 12
    covariance = np.zeros((STATE, STATE))
    covariance[:3, :3] = plane @ flat @ plane.T + np.outer(normal, normal) * survey.hull_sigma_m**2
    covariance[3, 3] = sound_speed_sigma_m_s**2
    return covariance


def _by_arrivals(pull: NDArray[np.float64], functions: Correlations, microphone_s: float) -> NDArray[np.float64]:
    """What errors of the microphones' places (s, each by itself) and of the nodes' clocks do to the map's slope (2, 2).

    `pull` (pairs, 2) is how much the slope changes for a second more of a pair's delay.
    """
    group = functions.group
    first, second = group.pairs
    of_sensor = np.zeros((len(group.sensors), 2))
    np.add.at(of_sensor, first, pull)
    np.add.at(of_sensor, second, -pull)
    node = np.unique(group.nodes, return_inverse=True)[1]
    of_node = np.zeros((int(node.max()) + 1, 2))
    np.add.at(of_node, node, of_sensor)
    clock_s = np.hypot(group.clock_sigma_s, functions.mid_sigma_s)
    of_clock = np.zeros(len(of_node))
    np.maximum.at(of_clock, node, clock_s)
    return np.asarray(of_sensor.T @ of_sensor * microphone_s**2 + (of_node * of_clock[:, None] ** 2).T @ of_node)
