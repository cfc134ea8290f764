"""Ultrasonic onset: a node whose bands stand above its learned noise floor for several bursts in a row."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from controller.detect.bands import EDGES_HZ, band_levels
from firmware_bridge.samples import WaveBlock
from firmware_bridge.units import NS_PER_S, s_to_ns

CREPT_DB = 1.0  # what steady machines do not wander: twice the least rise that is an onset
MOST_TILT_DB = 40.0  # where one of the bands did not rise at all
RISEN_SIGMAS = 3.0  # a band that rose by less may as well not have
REACHED = 0.5  # of the rate: beyond it there are no bins
LEAST_WIDTH = 0.6  # of a band must lie below that
MOST_WAITING = 1024  # bursts a node that are too new for the floor; beyond it, the oldest are left out


@dataclass(frozen=True, slots=True)
class Settings:
    """How an onset is told from noise."""

    learning_bursts: int = 10
    threshold_sigmas: float = 6.0
    threshold_db: float = 0.5  # a steady machine's level wanders by tenths of a decibel however long one averages
    bursts_in_a_row: int = 2
    follow_s: float = 1800.0  # the floor comes so slowly (by 63 %) to what is heard; a leak that tears open is faster
    guard_s: float = 120.0  # bursts so shortly before an onset do not move it: they may hold the leak's beginning
    most_followed_db: float = 3.0  # above what was learned at first, however slowly: a leak may grow for days


@dataclass(frozen=True, slots=True)
class Loudness:
    """How one burst of one node compares with that node's floor: rises in dB and in sigmas, median of microphones.

    With `creeping` the floor itself had come up: what is heard may have been there, fainter, for long. `level_db` is
    that of the burst itself in all bands together, dB re 20 µPa. `tilt_db` is how much more of what came on top of the
    floor lies in a hertz of the highest band than in one of the lowest, gone on so where the rate does not reach that
    high; None of a burst at the floor, or of one band alone.
    """

    node: str
    time_ns: int
    learned: bool
    rise_db: float
    rise_sigmas: float
    above_floor: bool
    creeping: bool = False
    level_db: float | None = None
    tilt_db: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class NoiseFloor:
    """What one node hears while nothing leaks: mean levels (microphones, bands), and the spread (bands,) of a rise.

    `learned_db` is the mean that was learned at first.
    """

    bursts: int
    mean_db: NDArray[np.float64]
    sigma_db: NDArray[np.float64]
    learned_db: NDArray[np.float64]

    @staticmethod
    def of(learned: Sequence[NDArray[np.float64]]) -> "NoiseFloor":
        """The floor that quiet bursts (microphones, bands) show; at least two."""
        levels_db = np.stack(learned)
        mean_db = levels_db.mean(axis=0)
        sigma_db = np.std(np.median(levels_db - mean_db, axis=1), axis=0, ddof=1)
        return NoiseFloor(len(learned), mean_db, sigma_db, mean_db)

    def rise_db(self, level_db: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far a burst stands above the floor (bands,); one microphone of three or more that dies has no say."""
        return np.asarray(np.median(level_db - self.mean_db, axis=0))

    @property
    def crept_db(self) -> NDArray[np.float64]:
        """How far the floor has followed upward from what was learned at first (bands,)."""
        return np.asarray(np.median(self.mean_db - self.learned_db, axis=0))

    def followed(self, level_db: NDArray[np.float64], share: float, most_db: float) -> "NoiseFloor":
        """The floor moved by `share` of the way to a quiet burst, never more than `most_db` above the first.

        The spread stays as learned: while a machine stops, bursts are far from the mean that still comes after them.
        """
        mean_db = self.mean_db + share * (level_db - self.mean_db)
        return replace(self, mean_db=np.minimum(mean_db, self.learned_db + most_db))


class OnsetDetector:
    """Follows the loudness of every array node."""

    def __init__(self, settings: Settings) -> None:
        """Start without any floor."""
        self._settings = settings
        self._learning: dict[str, list[NDArray[np.float64]]] = {}
        self._floors: dict[str, NoiseFloor] = {}
        self._in_a_row: dict[str, int] = {}
        self._waiting: dict[str, deque[tuple[int, NDArray[np.float64]]]] = {}
        self._followed_ns: dict[str, int] = {}

    def hear(self, block: WaveBlock, *, usual: bool = True) -> Loudness | None:
        """Judge one complete burst; None for one that is too short to judge, or not of the microphones known.

        What is not of the `usual` room (machines are off for a while) is judged, and no floor learns from it.
        """
        try:
            level_db = band_levels(block.pressure_pa, block.rate_hz).level_db
        except ValueError:
            return None
        floor = self._floors.get(block.node)
        whole_db = _whole_db(level_db)
        if floor is None:
            if usual:
                self._learn(block.node, level_db)
            return Loudness(block.node, block.start_ns, False, 0.0, 0.0, above_floor=False, level_db=whole_db)
        if level_db.shape != floor.mean_db.shape:
            return None
        rise_db = floor.rise_db(level_db)
        # The floor itself is known to sigma / sqrt(bursts) only; a spread from few bursts is not trusted to be small.
        sigma_db = np.hypot(floor.sigma_db * np.sqrt(1 + 1 / floor.bursts), 0.05)
        sigmas = rise_db / sigma_db
        enough = (sigmas > self._settings.threshold_sigmas) & (rise_db > self._settings.threshold_db)
        creeping = bool(np.any(enough & (floor.crept_db > CREPT_DB)))
        above = bool(np.any(enough))
        self._in_a_row[block.node] = self._in_a_row.get(block.node, 0) + 1 if above else 0
        band = int(np.argmax(sigmas))
        self._wait(block, level_db, quiet=usual and not above)
        rise, rise_sigmas = float(rise_db[band]), float(sigmas[band])
        tilt_db = _tilt_db(level_db, floor.mean_db, sigmas, block.rate_hz) if above else None
        return Loudness(block.node, block.start_ns, True, rise, rise_sigmas, above, creeping, whole_db, tilt_db)

    def follow(self, now_ns: int) -> None:
        """Let the floors come toward what was heard until `guard_s` ago; call only while nothing sounds."""
        ready_ns = now_ns - s_to_ns(self._settings.guard_s)
        for node, waiting in self._waiting.items():
            while waiting and waiting[0][0] <= ready_ns:
                at_ns, level_db = waiting.popleft()
                apart_s = max(at_ns - self._followed_ns.get(node, at_ns), 0) / NS_PER_S
                self._followed_ns[node] = at_ns
                share = 1.0 - float(np.exp(-apart_s / self._settings.follow_s))
                self._floors[node] = self._floors[node].followed(level_db, share, self._settings.most_followed_db)

    def sound_began(self) -> None:
        """What waits to move the floors is too near to an onset."""
        self._waiting.clear()
        self._followed_ns.clear()

    def learned(self, node: str) -> bool:
        """Whether `node`'s floor is known."""
        return node in self._floors

    @property
    def floors_db(self) -> dict[str, float]:
        """Level of every floor that is known, in all bands together, dB re 20 µPa."""
        return {node: _whole_db(floor.mean_db) for node, floor in self._floors.items()}

    @property
    def nodes_above(self) -> tuple[str, ...]:
        """Nodes that have stood above their floor for long enough."""
        needed = self._settings.bursts_in_a_row
        return tuple(node for node, count in self._in_a_row.items() if count >= needed)

    def forget(self, node: str) -> None:
        """A node that went away says nothing until it is heard again; its floor stays."""
        self._in_a_row.pop(node, None)

    def _wait(self, block: WaveBlock, level_db: NDArray[np.float64], *, quiet: bool) -> None:
        """Keep a quiet burst until it is known that no onset followed it."""
        if quiet:
            self._waiting.setdefault(block.node, deque(maxlen=MOST_WAITING)).append((block.start_ns, level_db))

    def _learn(self, node: str, level_db: NDArray[np.float64]) -> None:
        learned = self._learning.setdefault(node, [])
        if learned and learned[0].shape != level_db.shape:
            learned.clear()
        learned.append(level_db)
        if len(learned) >= self._settings.learning_bursts:
            self._floors[node] = NoiseFloor.of(self._learning.pop(node))


def _whole_db(level_db: NDArray[np.float64]) -> float:
    """Of band levels (microphones, bands): all bands together at the typical microphone."""
    return float(np.median(10.0 * np.log10(np.sum(10.0 ** (level_db / 10.0), axis=1))))


def _tilt_db(
    level_db: NDArray[np.float64], floor_db: NDArray[np.float64], sigmas: NDArray[np.float64], rate_hz: float
) -> float | None:
    """Density of what stands on top of the floor, highest band over lowest, at the typical microphone."""
    low_hz, high_hz = np.array(EDGES_HZ[:-1]), np.minimum(EDGES_HZ[1:], REACHED * rate_hz)
    reached = np.flatnonzero(high_hz - low_hz > LEAST_WIDTH * np.diff(EDGES_HZ))
    top = min(int(reached[-1]) if len(reached) else 0, len(sigmas) - 1)
    if top == 0:
        return None
    above = 10.0 ** (level_db / 10.0) - 10.0 ** (floor_db / 10.0)
    power = np.median(above, axis=0)[[0, top]] / (high_hz - low_hz)[[0, top]]
    low, high = (
        float(each) if sigmas[band] > RISEN_SIGMAS else 0.0 for each, band in zip(power, (0, top), strict=True)
    )
    if high <= 0.0:
        return -MOST_TILT_DB
    gone_on = (len(EDGES_HZ) - 2) / top  # bands are octaves
    tilt_db = MOST_TILT_DB if low <= 0.0 else 10.0 * float(np.log10(high / low)) * gone_on
    return float(np.clip(tilt_db, -MOST_TILT_DB, MOST_TILT_DB))
