"""A simple station for trials of searches by hatches: isothermal volumes, one leak, weather, crew, barometers.

Written apart from what searches think: parts exchange gas at once through open hatches and lose it by choked outflow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from controller.isolate.falls import Barometer, Drop
from controller.isolate.station import Part, Station

PRESSURE_PA = 97_330.0  # 730 mmHg
GAS_J_KG_K, TEMPERATURE_K = 287.05, 295.15
PA_PER_KG_M3 = GAS_J_KG_K * TEMPERATURE_K
S_PER_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Climate:
    """How restless the air is: random walks (Pa2/s) felt by all volumes and by each alone; what people use unseen."""

    common_pa2_s: float = 0.08
    own_pa2_s: float = 0.009
    used_sigma_kg_day: float = 0.3
    noise_pa: float = 0.2
    drift_pa2_s: float = 2e-4


@dataclass
class World:
    """One leak of `loss_kg_day` (at the starting pressure) in `room`; everything moves only by `advance`."""

    station: Station
    room: str
    loss_kg_day: float
    sensors: tuple[tuple[str, str], ...]  # (name, compartment)
    random: np.random.Generator
    climate: Climate = field(default_factory=Climate)

    def __post_init__(self) -> None:
        """All hatches as they normally stand, all pressures alike."""
        self.now_s = 0.0
        self.shut = self.station.normally_shut
        self.conductance_m3_s = self.loss_kg_day / S_PER_DAY * PA_PER_KG_M3 / PRESSURE_PA
        self._pressure_pa = dict.fromkeys(self.station.rooms, PRESSURE_PA)
        self._common_pa = 0.0
        self._drift_pa = dict.fromkeys((name for name, _ in self.sensors), 0.0)
        self._used_kg_s = self.climate.used_sigma_kg_day / S_PER_DAY * float(self.random.standard_normal())
        self.moves = 0
        self.shut_s = 0.0  # summed over the hatches that stand shut and normally do not
        self._begin()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Separate volumes as hatches stand."""
        return self.station.parts(self.shut)

    def move(self, hatch: str, *, opens: bool) -> None:
        """Open or shut a hatch now; what it joins levels out at once."""
        self.shut = self.shut - {hatch} if opens else self.shut | {hatch}
        self.moves += 1
        for part in self.parts:
            volume = self.station.volume_m3(part)
            level = sum(self._pressure_pa[r] * self.station.volume_m3([r]) for r in part) / volume
            self._pressure_pa |= dict.fromkeys(part, level)
        self._begin()

    def advance(self, seconds: float) -> None:
        """Time passes."""
        for part in self.parts:
            volume = self.station.volume_m3(part)
            level = self._pressure_pa[next(iter(part))]
            if self.room in part:
                level *= math.exp(-self.conductance_m3_s * seconds / volume)
            if part & self.station.lifeboats:
                level -= self._used_kg_s * seconds * PA_PER_KG_M3 / volume
            level += math.sqrt(self.climate.own_pa2_s * seconds) * float(self.random.standard_normal())
            self._pressure_pa |= dict.fromkeys(part, level)
        self._common_pa += math.sqrt(self.climate.common_pa2_s * seconds) * float(self.random.standard_normal())
        for name in self._drift_pa:
            self._drift_pa[name] += math.sqrt(self.climate.drift_pa2_s * seconds) * float(self.random.standard_normal())
        self.now_s += seconds
        self.shut_s += seconds * len(self.shut - self.station.normally_shut)

    @property
    def watched_s(self) -> float:
        """Since a hatch moved last."""
        return self.now_s - self._from_s

    def barometers(self) -> tuple[Barometer, ...]:
        """What can be read."""
        return tuple(Barometer(name, room, PRESSURE_PA, self.climate.noise_pa) for name, room in self.sensors)

    def drops(self) -> tuple[Drop, ...]:
        """What each barometer reads less than when a hatch moved last, Pa."""
        now = self._readings()
        return tuple(Drop(b, self._first_pa[b.name] - now[b.name]) for b in self.barometers())

    def difference_pa(self) -> dict[str, float]:
        """What truly stands across each shut hatch."""
        ends = {passage.name: passage.between for passage in self.station.passages}
        return {h: self._pressure_pa[ends[h][0]] - self._pressure_pa[ends[h][1]] for h in self.shut}

    def _begin(self) -> None:
        self._from_s = self.now_s
        self._first_pa = self._readings()

    def _readings(self) -> dict[str, float]:
        noise = self.climate.noise_pa * self.random.standard_normal(len(self.sensors))
        return {
            name: self._pressure_pa[room] * (1.0 + self._common_pa / PRESSURE_PA) + self._drift_pa[name] + float(off)
            for (name, room), off in zip(self.sensors, noise, strict=True)
        }


def suspects(parts: Sequence[Part], left: Part) -> list[Part]:
    """The suspects `left`, divided as the parts are."""
    return [part & left for part in parts if part & left]
