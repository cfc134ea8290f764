"""Band levels as a node computes them: what the field and the front end put into each band, with the scatter of chance.

From spectra, not from waveforms: a day of them costs seconds. What the field holds is up to the plant.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.node.transducer import FrontEnd

FloatArray = NDArray[np.float64]

POINTS_A_BAND = 65  # of the trapezoidal rule over responses and noise, which are smooth


class BandMeter:
    """The bands of one front end."""

    def __init__(self, front_end: FrontEnd, bands_hz: Sequence[tuple[float, float]]) -> None:
        """Integrate responses and noise over bands once; a band beyond half the sample rate is empty there."""
        nyquist_hz = front_end.rate_hz / 2.0
        self.bands_hz = np.array(bands_hz, dtype=np.float64).reshape(-1, 2)
        heard_hz = np.minimum(self.bands_hz, nyquist_hz)
        self._width_hz = heard_hz[:, 1] - heard_hz[:, 0]
        self._scale = front_end.scale
        noise, passed = [], []
        for (low_hz, high_hz), width_hz in zip(heard_hz, self._width_hz, strict=True):
            frequency_hz = np.linspace(low_hz, high_hz, POINTS_A_BAND)
            weight = np.full(POINTS_A_BAND, 1.0 / (POINTS_A_BAND - 1))
            weight[[0, -1]] *= 0.5
            noise.append(float(front_end.noise_power(frequency_hz) @ weight) * width_hz)
            passed.append(front_end.response_power(frequency_hz) @ weight * (width_hz > 0.0))
        self._noise = np.array(noise)
        self._passed = np.array(passed).T
        self._silence = np.broadcast_to(self._noise, self._passed.shape) / self._scale**2

    def expected(self, field: FloatArray | None) -> FloatArray:
        """Mean squares (channels, bands) in counts^2 to be expected of a field's, in SI squared; None is silence.

        The field's spectrum is taken as flat within each band.
        """
        if field is None:
            return self._silence.copy()
        expected: FloatArray = (self._noise + field * self._passed) / self._scale**2
        return expected

    def drawn(self, field: FloatArray | None, window_s: float, random: np.random.Generator) -> FloatArray:
        """What one window gives: a mean square of noise scatters as chi-square with 2 x bandwidth x time freedoms."""
        expected = self.expected(field)
        freedoms = np.maximum(2.0 * self._width_hz * window_s, 2.0)
        return expected * random.chisquare(freedoms, size=expected.shape) / freedoms
