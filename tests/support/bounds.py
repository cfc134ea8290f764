"""How well any unbiased estimator can do: the Cramér-Rao bound of a place on a wall, derived here afresh.

A source of unknown white Gaussian sound is heard by microphone k with power `q_k` over white noise. The spectrum at one
frequency has the covariance R = v v^H + I (in units of noise), v_k = sqrt(q_k) exp(-i w tau_k), and Slepian-Bangs'
formula tr(R^-1 dR R^-1 dR) with R^-1 = I - v v^H / (1 + q), q = sum q_k, gives the information about the arrival times

    J_kl = 2 sum_f w^2 / (1 + q) (q_k q delta_kl - q_k q_l),

singular along equal shifts of all, as it must. (With two microphones it is Knapp & Carter's 1976 bound.) Powers and
arrival times are independent: one is in the modulus of R's elements, the other in their phase.

Arrival times are tau_k = (|p - m_k| + e_k) / c: place p, speed of sound c, the survey's error e_k along the way. The
priors of c, e_k and of p across the wall are Gaussian and add to the information (Van Trees & Bell 2007, hybrid bound).
"""

import numpy as np

from tests.support.box_room import RATE_HZ, Floats
from tests.support.tally import tangents
from tests.support.trials import TEMPERATURE_K, BoxTrial, Setting, speed_of_sound


def arrival_information(snr: Floats, samples: int, bursts: int) -> Floats:
    """Information (n, n), 1/s2, about arrival times from power ratios (n,) in the whole band."""
    omega = 2 * np.pi * np.arange(1, samples // 2) * RATE_HZ / samples
    total = float(snr.sum())
    shape = np.diag(snr) * total - np.outer(snr, snr)
    return np.asarray(2.0 * bursts * float(np.sum(omega**2)) / (1.0 + total) * shape)


def bound_m2(trial: BoxTrial, setting: Setting) -> Floats:
    """Least covariance (2, 2), m2, of a place in the wall's plane."""
    doubt = setting.doubt
    speed = speed_of_sound(TEMPERATURE_K)
    offset = trial.leak_m - trial.microphones_m
    distance = np.linalg.norm(offset, axis=1)
    count = len(distance)
    # Parameters: place (3), speed, survey error along each way (n).
    jacobian = np.zeros((count, 4 + count))
    jacobian[:, :3] = offset / distance[:, None] / speed
    jacobian[:, 3] = -distance / speed**2
    jacobian[:, 4:] = np.eye(count) / speed
    information = jacobian.T @ arrival_information(trial.snr, setting.samples, setting.bursts) @ jacobian
    information[:3, :3] += np.outer(trial.normal, trial.normal) / max(doubt.hull_m, 1e-5) ** 2
    information[3, 3] += 1.0 / (0.5 * speed / TEMPERATURE_K * max(doubt.temperature_k, 1e-3)) ** 2
    information[4:, 4:] += np.eye(count) / max(doubt.microphone_m, 1e-7) ** 2
    scale = 1.0 / np.sqrt(np.diag(information))
    covariance = np.linalg.inv(information * np.outer(scale, scale)) * np.outer(scale, scale)
    plane = tangents(trial.normal)
    return np.asarray(plane.T @ covariance[:3, :3] @ plane)
