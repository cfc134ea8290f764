"""pyroomacoustics: SRP-PHAT, a bearing a node, and the point of the hull that is nearest to all bearings."""

import numpy as np

from benchmarks.peers.asked import Asked, Floats, wanted

NAME = "pyroomacoustics SRP bearings, intersected"
PACKAGE = "pyroomacoustics"
FFT = 512
BAND_HZ = [12e3, 60e3]  # above, a wave front is not flat over 12 cm
DIRECTIONS = 5000  # 3 degrees apart
GRID_M = 0.02


def fix(asked: Asked) -> Floats:
    """Position (3,) on the hull."""
    acoustics = wanted("pyroomacoustics")
    centres, bearings = [], []
    for node in dict.fromkeys(asked.nodes):
        rows = [row for row, owner in enumerate(asked.nodes) if owner == node]
        centre = asked.microphones_m[rows].mean(axis=0)
        spectra = np.stack([acoustics.transform.stft.analysis(one, FFT, FFT // 2).T for one in asked.signals[rows]])
        finder = acoustics.doa.SRP(
            (asked.microphones_m[rows] - centre).T, asked.rate_hz, FFT, c=asked.speed_m_s, dim=3, n_grid=DIRECTIONS
        )
        finder.locate_sources(spectra, num_src=1, freq_range=BAND_HZ)
        azimuth, colatitude = float(finder.azimuth_recon[0]), float(finder.colatitude_recon[0])
        centres.append(centre)
        bearings.append(
            np.array([np.cos(azimuth) * np.sin(colatitude), np.sin(azimuth) * np.sin(colatitude), np.cos(colatitude)])
        )
    places = asked.hull.grid(GRID_M)
    cosine = np.zeros(len(places))
    for centre, bearing in zip(centres, bearings, strict=True):
        toward = places - centre
        cosine += np.arccos(np.clip(toward @ bearing / np.linalg.norm(toward, axis=1), -1.0, 1.0))
    return np.asarray(places[cosine.argmin()])
