"""What each pair of microphones is expected to hear of a leak: signal to noise, correlation heights, delay information.

How well that tells a place is bound's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.localize.hearing import FORGETTING
from controller.measure.air import absorption_db_m
from controller.measure.coherence import CoherentGroup
from controller.measure.spectra import BAND_HZ, HIGHEST_SHARE, layout_for, tapered
from controller.measure.tdoa import LEAST_TOGETHER
from controller.plan.source import Leak

BANDS = 13  # of 6 kHz at most: absorption changes by less than 0.4 dB/m within one
NEAREST_M = 0.02  # a microphone nearer than this is in the jet's own field, where spreading is another

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Listening:
    """How long is listened, and with what.

    Args:
        bursts: that are averaged.
        samples: of a burst.
        rate_hz: of the converters.

    Raises:
        ValueError: nothing to listen with, or a rate without room for the band.
    """

    bursts: float
    samples: int = 16_384
    rate_hz: float = 192_000.0

    def __post_init__(self) -> None:
        """Refuse what cannot listen."""
        if self.bursts <= 0.0 or self.samples < 2:
            raise ValueError("at least one burst of two samples is needed")
        if HIGHEST_SHARE * self.rate_hz <= 1.1 * BAND_HZ[0]:
            raise ValueError(f"a rate of {self.rate_hz:g} Hz has no room for the band that leaks are sought in")

    @property
    def edges_hz(self) -> Array:
        """Edges (BANDS + 1,) of equally wide bands."""
        return np.linspace(BAND_HZ[0], min(BAND_HZ[1], HIGHEST_SHARE * self.rate_hz), BANDS + 1)

    @property
    def middle_hz(self) -> Array:
        """Middles (BANDS,) of the bands."""
        edges = self.edges_hz
        return np.asarray((edges[1:] + edges[:-1]) / 2.0)

    def independent(self, widest_m: float) -> float:
        """Independent values of a spectrum a band, in all bursts together: band x time, less what fading takes."""
        layout = layout_for(self.samples, self.rate_hz, widest_m)
        if layout is None:
            return 0.0
        square = tapered(layout.samples, layout.taper).astype(float) ** 2
        time_s = float(square.sum() ** 2 / np.sum(square**2)) / self.rate_hz
        return self.bursts * time_s * float(self.edges_hz[1] - self.edges_hz[0])

    @property
    def burst_s(self) -> float:
        """Length of a burst."""
        return self.samples / self.rate_hz


def remembered(bursts: int) -> float:
    """How many equal bursts that many are worth when the older ones are forgotten by and by."""
    weights = FORGETTING ** np.arange(bursts)
    return float(weights.sum() ** 2 / np.sum(weights**2))


@dataclass(frozen=True, slots=True)
class Noise:
    """White noise at every microphone, `level_db` re 20 uPa in 20 to 100 kHz: its own and that of machines."""

    level_db: float

    def in_band(self, width_hz: float) -> float:
        """Mean square in a band, in squares of 20 uPa."""
        return float(10.0 ** (self.level_db / 10.0) * width_hz / 80e3)


@dataclass(frozen=True, slots=True)
class Air:
    """What the sound goes through."""

    temperature_k: float
    pressure_pa: float
    relative_humidity: float


def signal_to_noise(leak: Leak, noise: Noise, air: Air, listening: Listening, distance_m: Array) -> Array:
    """Ratio of powers (..., BANDS) at distances (...): inverse square spreading and absorption; nothing in the way."""
    edges = listening.edges_hz
    source = 10.0 ** (leak.level_db / 10.0) * leak.band_share(edges)
    lost_db_m = absorption_db_m(listening.middle_hz, air.temperature_k, air.pressure_pa, air.relative_humidity)
    way_m = np.maximum(distance_m, NEAREST_M)[..., None]
    return np.asarray(source / way_m**2 * 10.0 ** (-0.1 * lost_db_m * way_m) / noise.in_band(edges[1] - edges[0]))


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What one group hears of leaks at `points`.

    Args:
        height: (points, n, n) of the pairs' correlation functions in sigmas of noise; 0 on the diagonal.
        information: (points, n, n) of the pairs' delays, 1/s^2; 0 where a pair hears nothing.
        together: (points, n) microphones that hang together with this one by pairs that hear, itself counted; 0: deaf.
    """

    height: Array
    information: Array
    together: NDArray[np.intp]


def heard(group: CoherentGroup, snr: Array, delay_s: Array, listening: Listening) -> Heard:
    """What pairs tell, given ratios of powers `snr` (points, n, BANDS) and travel times `delay_s` (points, n).

    Heights are those of smoothed-coherence weights (Carter, Nuttall & Cable 1973): of N values a band, with ratios r,
    each adds sqrt(r_i r_j / ((1 + r_i) (1 + r_j))). What delays can be told to is Hahn & Tretter's bound for several
    receivers (1973): information 2 N (2 pi f)^2 r_i r_j / (1 + sum r), which for faint sound is that of
    1 / (2 pi f_rms height) a pair. Sound that comes late by a part of the burst is shared by the rest of it only.
    """
    values = listening.independent(group.widest_m)
    omega = 2.0 * np.pi * listening.middle_hz
    shared = np.clip(1.0 - np.abs(delay_s[:, :, None] - delay_s[:, None, :]) / listening.burst_s, 0.0, 1.0)
    root = np.sqrt(snr / (1.0 + snr))
    off = 1.0 - np.eye(snr.shape[1])
    height = np.sqrt(2.0 * values / len(omega) * shared) * (root @ root.swapaxes(1, 2)) * off
    block = _blocks(group)
    pairs = block.T @ off @ block
    sums = block.T @ height @ block
    mean = np.divide(sums, pairs, out=np.zeros_like(sums), where=pairs > 0)
    count = pairs / np.where(np.eye(len(pairs)) > 0, 2.0, 1.0)
    hears = ((mean * np.sqrt(count)) > LEAST_TOGETHER).astype(float)
    heard_pairs = (block @ hears @ block.T) * off
    hearing = snr * (heard_pairs.max(axis=2) > 0.0)[:, :, None]
    share = 2.0 * values * omega**2 / (1.0 + hearing.sum(axis=1))
    information = shared * ((hearing * share[:, None, :]) @ hearing.swapaxes(1, 2)) * heard_pairs
    return Heard(height, information, _together(heard_pairs))


def _blocks(group: CoherentGroup) -> Array:
    """Which microphone is of which node (n, nodes)."""
    owner = np.unique(group.nodes, return_inverse=True)[1]
    return np.asarray(owner[:, None] == np.arange(owner.max() + 1), dtype=float)


def _together(joined: Array) -> NDArray[np.intp]:
    """Sizes (points, n) of the connected parts; 0 for microphones that hear nothing."""
    count = joined.shape[1]
    reach = (joined > 0.0) | np.eye(count, dtype=bool)
    for _ in range(max(1, int(np.ceil(np.log2(max(count, 2)))))):
        reach = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0.5
    sizes = reach.sum(axis=2)
    return np.where(sizes > 1, sizes, 0).astype(np.intp)
