"""Follows barometers while volumes are separate: by how much each one's gas became less since the watch began.

Pressures are taken to the temperature at which the watch began. What the drops mean is told in `falls`.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from controller.isolate.falls import Barometer, Drop
from firmware_bridge.units import NS_PER_S

BLOCK_NS = 5 * NS_PER_S
NOISE_BLOCKS = 13
UNKNOWN_NOISE_PA = 1.0  # of a block mean, until it is known
LEAST_NOISE_PA = 0.05
STALE_NS = 30 * NS_PER_S  # a barometer that has said nothing for so long watches no more
TEMPERATURE_MEMORY_S = 60.0  # thermometers are noisy: 5 mK are 1.7 Pa


@dataclass(slots=True)
class _Follower:
    room: str
    inert: bool
    means_pa: list[float] = field(default_factory=list)  # of the last whole blocks
    newest_ns: int = 0  # start of the newest block, which still fills
    sum_pa: float = 0.0
    count: int = 0
    first_ns: int | None = None  # of the watch: end of the block that it began with
    first_pa: float = 0.0
    last_ns: int = 0
    temperature_k: float | None = None
    first_k: float | None = None
    temperature_ns: int = 0


class Watch:
    """All barometers of a site, by name; those of nitrogen are inert to what people breathe."""

    def __init__(self) -> None:
        """Nothing is known, and nothing is watched from any time on."""
        self._sensors: dict[str, _Follower] = {}
        self._from_ns: int | None = None

    @property
    def watching(self) -> bool:
        """Whether volumes are watched."""
        return self._from_ns is not None

    def begin(self, from_ns: int) -> None:
        """Volumes stand as they do from `from_ns` on; what was before is another watch."""
        self._from_ns = from_ns
        for sensor in self._sensors.values():
            sensor.first_ns = sensor.first_k = None

    def end(self) -> None:
        """Volumes change: nothing is watched."""
        self._from_ns = None

    def take_pressure(self, name: str, room: str, time_ns: int, value_pa: float, *, inert: bool) -> None:
        """One reading; one that is older than those known is left out."""
        sensor = self._sensors.setdefault(name, _Follower(room, inert))
        start_ns = time_ns // BLOCK_NS * BLOCK_NS
        if start_ns < sensor.newest_ns:
            return
        if start_ns > sensor.newest_ns:
            self._close(sensor)
            if sensor.means_pa and start_ns - sensor.newest_ns > STALE_NS:
                sensor.first_ns = None  # it was away: what it did meanwhile nobody can vouch for
            sensor.newest_ns, sensor.sum_pa, sensor.count = start_ns, 0.0, 0
        warm = 1.0
        if sensor.first_k is not None and sensor.temperature_k is not None:
            warm = sensor.first_k / sensor.temperature_k
        sensor.sum_pa += value_pa * warm
        sensor.count += 1

    def take_temperature(self, name: str, room: str, time_ns: int, value_k: float, *, inert: bool) -> None:
        """The temperature beside barometer `name`, smoothed."""
        sensor = self._sensors.setdefault(name, _Follower(room, inert))
        if sensor.temperature_k is None:
            sensor.temperature_k = value_k
        elapsed_s = max(time_ns - sensor.temperature_ns, 0) / NS_PER_S
        sensor.temperature_k += -math.expm1(-elapsed_s / TEMPERATURE_MEMORY_S) * (value_k - sensor.temperature_k)
        sensor.temperature_ns = max(time_ns, sensor.temperature_ns)

    def barometers(self, now_ns: int) -> tuple[Barometer, ...]:
        """Those that speak and move, by name; with what they read last and the noise of a block."""
        return tuple(
            Barometer(name, sensor.room, sensor.means_pa[-1], _noise_pa(sensor), sensor.inert)
            for name, sensor in sorted(self._sensors.items())
            if sensor.means_pa and now_ns - sensor.newest_ns <= STALE_NS and not _stuck(sensor)
        )

    def drops(self, now_ns: int) -> tuple[float, tuple[Drop, ...]]:
        """Seconds watched and the drop of each barometer that was there from the beginning; 0 and none before."""
        if self._from_ns is None:
            return 0.0, ()
        drops, elapsed = [], []
        for barometer in self.barometers(now_ns):
            sensor = self._sensors[barometer.name]
            if sensor.first_ns is not None and sensor.last_ns > sensor.first_ns:
                elapsed.append((sensor.last_ns - sensor.first_ns) / NS_PER_S)
                drops.append(Drop(barometer, sensor.first_pa - sensor.means_pa[-1]))
        if not drops:
            return 0.0, ()
        # One that began late would tell of less time: it is left out rather than stretched.
        longest_s = max(elapsed)
        kept = [drop for drop, s in zip(drops, elapsed, strict=True) if s >= longest_s - 2 * BLOCK_NS / NS_PER_S]
        return longest_s, tuple(kept)

    def _close(self, sensor: _Follower) -> None:
        """A block is whole; the first one of the watch is what all later ones are compared with."""
        if not sensor.count:
            return
        mean_pa = sensor.sum_pa / sensor.count
        sensor.means_pa = [*sensor.means_pa[-(NOISE_BLOCKS - 1) :], mean_pa]
        sensor.last_ns = sensor.newest_ns
        if self._from_ns is not None and sensor.first_ns is None and sensor.newest_ns >= self._from_ns:
            sensor.first_ns, sensor.first_pa, sensor.first_k = sensor.newest_ns, mean_pa, sensor.temperature_k


def _noise_pa(sensor: _Follower) -> float:
    """Of one block mean, from second differences of the last minute: a steady slope cancels."""
    means = np.array(sensor.means_pa)
    if means.size < NOISE_BLOCKS // 2:
        return UNKNOWN_NOISE_PA
    second = means[2:] - 2.0 * means[1:-1] + means[:-2]
    return max(LEAST_NOISE_PA, 1.4826 * float(np.median(np.abs(second))) / math.sqrt(6.0))


def _stuck(sensor: _Follower) -> bool:
    """A minute without the least change: a coarse or a dead sensor sees no fall."""
    return len(sensor.means_pa) == NOISE_BLOCKS and min(sensor.means_pa) == max(sensor.means_pa)
