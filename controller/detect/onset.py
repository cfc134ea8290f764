"""Ultrasonic onset: a node whose bands stand above its learned noise floor for several bursts in a row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.detect.bands import band_levels
from firmware_bridge.samples import WaveBlock


@dataclass(frozen=True, slots=True)
class Settings:
    """How an onset is told from noise."""

    learning_bursts: int = 10
    threshold_sigmas: float = 6.0
    threshold_db: float = 0.5  # a steady machine's level wanders by tenths of a decibel however long one averages
    bursts_in_a_row: int = 2


@dataclass(frozen=True, slots=True)
class Loudness:
    """How one burst of one node compares with that node's floor: rises in dB and in sigmas, median of microphones."""

    node: str
    time_ns: int
    learned: bool
    rise_db: float
    rise_sigmas: float
    above_floor: bool


@dataclass(frozen=True, slots=True, eq=False)
class NoiseFloor:
    """What one node hears while nothing leaks: mean levels (microphones, bands), and the spread (bands,) of a rise."""

    bursts: int
    mean_db: NDArray[np.float64]
    sigma_db: NDArray[np.float64]

    @staticmethod
    def of(learned: Sequence[NDArray[np.float64]]) -> "NoiseFloor":
        """The floor that quiet bursts (microphones, bands) show; at least two."""
        levels_db = np.stack(learned)
        mean_db = levels_db.mean(axis=0)
        return NoiseFloor(len(learned), mean_db, np.std(np.median(levels_db - mean_db, axis=1), axis=0, ddof=1))

    def rise_db(self, level_db: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far a burst stands above the floor (bands,); one microphone of three or more that dies has no say."""
        return np.asarray(np.median(level_db - self.mean_db, axis=0))


class OnsetDetector:
    """Follows the loudness of every array node."""

    def __init__(self, settings: Settings) -> None:
        """Start without any floor."""
        self._settings = settings
        self._learning: dict[str, list[NDArray[np.float64]]] = {}
        self._floors: dict[str, NoiseFloor] = {}
        self._in_a_row: dict[str, int] = {}

    def hear(self, block: WaveBlock) -> Loudness | None:
        """Judge one complete burst; None for one that is too short to judge, or not of the microphones known."""
        try:
            level_db = band_levels(block.pressure_pa, block.rate_hz).level_db
        except ValueError:
            return None
        floor = self._floors.get(block.node)
        if floor is None:
            self._learn(block.node, level_db)
            return Loudness(block.node, block.start_ns, learned=False, rise_db=0.0, rise_sigmas=0.0, above_floor=False)
        if level_db.shape != floor.mean_db.shape:
            return None
        rise_db = floor.rise_db(level_db)
        # The floor itself is known to sigma / sqrt(bursts) only; a spread from few bursts is not trusted to be small.
        sigma_db = np.hypot(floor.sigma_db * np.sqrt(1 + 1 / floor.bursts), 0.05)
        sigmas = rise_db / sigma_db
        above = bool(np.any((sigmas > self._settings.threshold_sigmas) & (rise_db > self._settings.threshold_db)))
        self._in_a_row[block.node] = self._in_a_row.get(block.node, 0) + 1 if above else 0
        band = int(np.argmax(sigmas))
        return Loudness(block.node, block.start_ns, True, float(rise_db[band]), float(sigmas[band]), above_floor=above)

    def learned(self, node: str) -> bool:
        """Whether `node`'s floor is known."""
        return node in self._floors

    @property
    def nodes_above(self) -> tuple[str, ...]:
        """Nodes that have stood above their floor for long enough."""
        needed = self._settings.bursts_in_a_row
        return tuple(node for node, count in self._in_a_row.items() if count >= needed)

    def forget(self, node: str) -> None:
        """A node that went away says nothing until it is heard again; its floor stays."""
        self._in_a_row.pop(node, None)

    def _learn(self, node: str, level_db: NDArray[np.float64]) -> None:
        learned = self._learning.setdefault(node, [])
        if learned and learned[0].shape != level_db.shape:
            learned.clear()
        learned.append(level_db)
        if len(learned) >= self._settings.learning_bursts:
            self._floors[node] = NoiseFloor.of(self._learning.pop(node))
