"""How far a leak is expected to stand out of the search's map, given what pairs hear and how well the site is surveyed.

The map itself is localize.steered's: where the survey is poor it takes the best lag within a tolerance, which noise
gains from as well.
"""

import numpy as np
from scipy.special import ndtr, ndtri

from controller.measure.coherence import CoherentGroup
from controller.measure.spectra import BAND_HZ
from controller.plan.hearing import Array

ALLOWED_SIGMAS = 1.5  # of the survey: what the search allows for


def expected_square(group: CoherentGroup, height: Array, microphone_sigma_m: float, sound_speed_m_s: float) -> Array:
    """Squared standing (points,) by one group's pairs, for heights (points, n, n); those of groups add up.

    The root of the sum of squares is a matched filter's; the search weighs pairs alike, which is the same where they
    hear alike. Allowing for the survey or taking it at its word, whichever stands higher, as the search does.
    """
    apart_s = np.sqrt(2.0) * microphone_sigma_m / sound_speed_m_s
    owner = np.array(group.nodes)
    across = (owner[:, None] != owner[None, :]) * np.sqrt(2.0) * group.clock_sigma_s
    width_s = 2.0 * ALLOWED_SIGMAS * (apart_s + across)
    chances = 1.0 + 2.0 * (BAND_HZ[1] - BAND_HZ[0]) * width_s
    band = np.linspace(*BAND_HZ, 40)
    kept = np.exp(-0.5 * (2.0 * np.pi * band * np.hypot(apart_s, across)[:, :, None]) ** 2).mean(axis=2)
    allowing = 0.5 * np.sum(pooled(height, chances) ** 2 * (height > 0.0), axis=(1, 2))
    exact = 0.5 * np.sum((height * kept) ** 2, axis=(1, 2))
    return np.asarray(np.maximum(allowing, exact))


def pooled(height: Array, chances: Array | float) -> Array:
    """What is left of a height, in sigmas, where the highest of `chances` independent values counts.

    The expected maximum of a normal variable that is `height` up and of the others (Clark 1961), less that of noise
    alone (Blom 1958), over the maximum's own sigma: n^(-1/4) within 5 % up to ten of them. Nothing for chances of 1.
    """
    noise = ndtri((chances - 0.375) / (chances + 0.25))
    spread = chances**-0.25
    rest = np.maximum(chances - 1.0, 1e-9)
    others = np.where(rest >= 1.0, ndtri((np.maximum(rest, 1.0) - 0.375) / (np.maximum(rest, 1.0) + 0.25)), 0.0)
    width = np.sqrt(1.0 + np.maximum(rest, 1.0) ** -0.5)
    a = (height - others) / width
    best = height * ndtr(a) + others * ndtr(-a) + width * np.exp(-(a**2) / 2.0) / np.sqrt(2.0 * np.pi)
    # between one value and two the others come in by and by
    share = np.minimum(rest, 1.0)
    level = (1.0 - share) * height + share * best
    floor = (1.0 - share) * 0.0 + share * np.maximum(noise, 0.0)
    return np.asarray(np.maximum(level - floor, 0.0) / spread)
