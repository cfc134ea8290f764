"""Ultrasonic onset: a node whose bands stand above its learned noise floor for several bursts in a row."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from controller.detect.bands import BandLevels, band_levels
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
    """How one burst of one node compares with that node's floor: rises in dB and in sigmas, mean over microphones."""

    node: str
    time_ns: int
    learned: bool
    rise_db: float
    rise_sigmas: float
    above_floor: bool


@dataclass(slots=True)
class NoiseFloor:
    """Mean and spread of the band levels of one node while nothing leaks (Welford's recurrence)."""

    bursts: int = 0
    mean_db: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    _squares: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def learn(self, level_db: NDArray[np.float64]) -> None:
        """Take one quiet burst (bands,) into account."""
        if self.bursts == 0:
            self.mean_db = np.zeros_like(level_db)
            self._squares = np.zeros_like(level_db)
        self.bursts += 1
        away = level_db - self.mean_db
        self.mean_db = self.mean_db + away / self.bursts
        self._squares = self._squares + away * (level_db - self.mean_db)

    @property
    def sigma_db(self) -> NDArray[np.float64]:
        """Spread of single bursts (bands,)."""
        return np.sqrt(self._squares / max(self.bursts - 1, 1))


class OnsetDetector:
    """Follows the loudness of every array node."""

    def __init__(self, settings: Settings) -> None:
        """Start without any floor."""
        self._settings = settings
        self._floors: dict[str, NoiseFloor] = {}
        self._in_a_row: dict[str, int] = {}

    def hear(self, block: WaveBlock) -> Loudness | None:
        """Judge one complete burst; None for one that is too short to judge."""
        try:
            levels: BandLevels = band_levels(block.pressure_pa, block.rate_hz)
        except ValueError:
            return None
        level_db = levels.level_db.mean(axis=0)
        floor = self._floors.setdefault(block.node, NoiseFloor())
        if floor.bursts < self._settings.learning_bursts:
            floor.learn(level_db)
            return Loudness(block.node, block.start_ns, learned=False, rise_db=0.0, rise_sigmas=0.0, above_floor=False)
        rise_db = level_db - floor.mean_db
        # The floor itself is known to sigma / sqrt(bursts) only; a spread from few bursts is not trusted to be small.
        sigma_db = np.hypot(floor.sigma_db * np.sqrt(1 + 1 / floor.bursts), 0.05)
        sigmas = rise_db / sigma_db
        above = bool(np.any((sigmas > self._settings.threshold_sigmas) & (rise_db > self._settings.threshold_db)))
        self._in_a_row[block.node] = self._in_a_row.get(block.node, 0) + 1 if above else 0
        band = int(np.argmax(sigmas))
        return Loudness(block.node, block.start_ns, True, float(rise_db[band]), float(sigmas[band]), above_floor=above)

    def learned(self, node: str) -> bool:
        """Whether `node`'s floor is known."""
        floor = self._floors.get(node)
        return floor is not None and floor.bursts >= self._settings.learning_bursts

    @property
    def nodes_above(self) -> tuple[str, ...]:
        """Nodes that have stood above their floor for long enough."""
        needed = self._settings.bursts_in_a_row
        return tuple(node for node, count in self._in_a_row.items() if count >= needed)

    def forget(self, node: str) -> None:
        """A node that went away says nothing until it is heard again; its floor stays."""
        self._in_a_row.pop(node, None)
