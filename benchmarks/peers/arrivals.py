"""sidereon: a source from arrival times, Cauchy loss, on the highest PHAT peaks against one microphone.

Its own way with one reference (`SourceSolveMode.tdoa`) does worse on the same delays than arrival times with an unknown
start (`toa`), so it is asked the latter.
"""

import numpy as np

from benchmarks.peers.asked import Asked, Floats, wanted

NAME = "sidereon on PHAT delays against one microphone"
PACKAGE = "sidereon"
SIGMA_S = 5e-6
UPSAMPLING = 4


def fix(asked: Asked) -> Floats:
    """Position (3,), free in space."""
    return from_arrivals(asked.microphones_m, _phat(asked), asked.speed_m_s)


def from_arrivals(sensors_m: Floats, arrival_s: Floats, speed_m_s: float, sigma_s: float = SIGMA_S) -> Floats:
    """Position of the source from arrival times (n,) after sensor 0; NaN where it finds none."""
    sidereon = wanted("sidereon")
    options = sidereon.SourceLocateOptions(
        mode=sidereon.SourceSolveMode.toa(),
        timing_sigma_s=sigma_s,
        loss=sidereon.Loss.CAUCHY,
        f_scale_s=2.0 * sigma_s,
        include_influence=False,
    )
    sensors = [sidereon.Sensor(np.asarray(place, dtype=float)) for place in sensors_m]
    try:
        found = sidereon.locate_source(sensors, np.asarray(arrival_s, dtype=float), speed_m_s, options)
    except sidereon.SourceLocalizationError:
        return np.full(3, np.nan)
    return np.asarray(found.position_m, dtype=np.float64)


def _phat(asked: Asked) -> Floats:
    """Arrival (microphones,) after the first microphone: the highest PHAT value within the baseline's delays."""
    length = asked.signals.shape[1]
    spectra = np.fft.rfft(asked.signals, axis=1)
    cross = spectra[1:] * spectra[0].conj()
    cross /= np.maximum(np.abs(cross), 1e-20)
    value = np.fft.irfft(cross, n=UPSAMPLING * length, axis=1)
    step_s = 1.0 / (asked.rate_hz * UPSAMPLING)
    later = [0.0]
    for row, place in enumerate(asked.microphones_m[1:]):
        reach = int(np.linalg.norm(place - asked.microphones_m[0]) / asked.speed_m_s / step_s) + 2
        lags = np.arange(-reach, reach + 1)
        later.append(float(lags[value[row, lags].argmax()] * step_s))
    return np.array(later)
