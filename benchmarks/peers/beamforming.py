"""acoular: conventional beamforming without the diagonal, on the wall, over all third octaves' bins of a band.

A peak of all bins is as narrow as ours, 5 mm, which a grid that can be paid for steps over. So the wall is looked at
from 12 to 24 kHz, and around the highest places once more, finer, in the whole band.
"""

import numpy as np

from benchmarks.peers.asked import Asked, Floats, wanted

NAME = "acoular beamforming on a wall grid"
PACKAGE = "acoular"
BLOCK = 1024
COARSE_M, FINE_M = 0.025, 0.005
COARSE_HZ, FINE_HZ = (12e3, 24e3), (12e3, 60e3)
TRIED = 12


def fix(asked: Asked) -> Floats:
    """Position (3,) on the hull."""
    acoular = wanted("acoular")
    acoular.config.global_caching = "none"
    samples = acoular.TimeSamples(data=asked.signals.T.copy(), sample_freq=asked.rate_hz)
    microphones = acoular.MicGeom(pos_total=asked.microphones_m.T)
    air = acoular.Environment(c=asked.speed_m_s)
    spectra = acoular.PowerSpectra(source=samples, block_size=BLOCK, window="Hanning", overlap="50%", cached=False)

    def standing(places: Floats, band_hz: tuple[float, float]) -> Floats:
        step_hz = asked.rate_hz / BLOCK
        spectra.ind_low, spectra.ind_high = round(band_hz[0] / step_hz), round(band_hz[1] / step_hz)
        grid = acoular.ImportGrid()
        grid.pos = places.T
        vector = acoular.SteeringVector(grid=grid, mics=microphones, env=air, steer_type="true location")
        beam = acoular.BeamformerBase(freq_data=spectra, steer=vector, r_diag=True, cached=False)
        return np.asarray(beam.result[spectra.ind_low : spectra.ind_high]).sum(axis=0)

    places = asked.hull.grid(COARSE_M)
    top = places[np.argsort(-standing(places, COARSE_HZ))[:TRIED]]
    steps = np.arange(-COARSE_M, COARSE_M + FINE_M, FINE_M)
    around = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    near = asked.hull.project((top[:, None] + around[None]).reshape(-1, 3))
    near = np.unique(np.round(near, 4), axis=0)
    return np.asarray(near[standing(near, FINE_HZ).argmax()])
