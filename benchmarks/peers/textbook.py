"""The textbook's way: PHAT of all pairs, steered response on a 5 cm grid, least squares on the nearest peaks."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.optimize import least_squares

from firmware_bridge.site.hull import Hull

GRID_M = 0.05
UPSAMPLING = 4
WINDOW_S = 3e-4


def textbook_fix(
    signals: NDArray[np.float64], rate_hz: float, microphones_m: NDArray[np.float64], hull: Hull, speed_m_s: float
) -> NDArray[np.float64]:
    """Position (3,) of one source from signals (channels, samples), all coherent."""
    length = signals.shape[1]
    spectra = fft.rfft(signals, axis=1)
    first, second = np.triu_indices(len(signals), k=1)
    cross = spectra[first] * spectra[second].conj()
    cross /= np.maximum(np.abs(cross), 1e-20)
    correlation = fft.irfft(cross, n=UPSAMPLING * length, axis=1)
    step_s = 1.0 / (rate_hz * UPSAMPLING)
    grid = hull.grid(GRID_M)
    arrival = np.linalg.norm(grid[:, None] - microphones_m[None], axis=2) / speed_m_s
    score = np.zeros(len(grid))
    for row, (i, j) in enumerate(zip(first, second, strict=True)):
        score += correlation[row, np.rint((arrival[:, i] - arrival[:, j]) / step_s).astype(int)]
    start = grid[score.argmax()]
    predicted = np.linalg.norm(start - microphones_m, axis=1) / speed_m_s
    reach = round(WINDOW_S / step_s)
    lags = np.rint((predicted[first] - predicted[second]) / step_s).astype(int)[:, None] + np.arange(-reach, reach + 1)
    rows = np.arange(len(first))[:, None]
    delays = lags[rows[:, 0], correlation[rows, lags].argmax(axis=1)] * step_s

    def residual(point: NDArray[np.float64]) -> NDArray[np.float64]:
        arrivals = np.linalg.norm(point - microphones_m, axis=1) / speed_m_s
        return np.asarray((arrivals[first] - arrivals[second] - delays) * 1e6)

    return np.asarray(least_squares(residual, start, loss="soft_l1", f_scale=10.0).x)
