"""The regulators of a cabin: which of them feeds, and exactly when the next one turns over.

What a regulator is lives in `life_support`; that the gas starts afresh when one turns over is up to `network`.
"""

import numpy as np
from numpy.typing import NDArray

from sim.world.gas.integrator import Interval
from sim.world.gas.life_support import Feed, Regulator
from sim.world.gas.mixture import ENERGY_J, FIELDS, SPECIES
from sim.world.gas.species import GAS_CONSTANT_J_KG_K, HEAT_VOLUME_J_KG_K

FloatArray = NDArray[np.float64]

BISECTIONS = 40  # place the switching within 300 s / 2^40


class Regulation:
    """All regulators of a network, by name."""

    def __init__(self, volume_m3: FloatArray) -> None:
        """None yet; `volume_m3` of every compartment."""
        self._volume_m3 = volume_m3
        self._at: dict[str, tuple[int, Regulator]] = {}
        self._feeding: set[str] = set()

    def __contains__(self, name: str) -> bool:
        """Whether there is a regulator of that name."""
        return name in self._at

    def holds(self, name: str, room: int, regulator: Regulator) -> bool:
        """Whether exactly this one is in place."""
        return self._at.get(name) == (room, regulator)

    def put(self, name: str, room: int, regulator: Regulator, state: FloatArray) -> None:
        """Put a regulator into a compartment; it feeds where the state asks for it."""
        self.remove(name)
        self._at[name] = (room, regulator)
        if self._partial_pa(room, regulator, state) < regulator.opens_pa:
            self._feeding.add(name)

    def remove(self, name: str) -> None:
        """Take a regulator away, if there is one of that name."""
        self._at.pop(name, None)
        self._feeding.discard(name)

    def turn_over(self, name: str) -> None:
        """Open the valve, or shut it."""
        self._feeding ^= {name}

    def feeding(self, name: str) -> bool:
        """Whether the valve is open."""
        return name in self._feeding

    @property
    def feeds(self) -> tuple[tuple[int, Feed], ...]:
        """What comes in now, and into which compartment."""
        return tuple((room, regulator.feed) for name, (room, regulator) in self._at.items() if name in self._feeding)

    def next_switch(self, interval: Interval) -> tuple[float, str] | None:
        """Time (s) and name of the first regulator that turns over in `interval`, placed by bisection."""
        found: tuple[float, str] | None = None
        for name in self._at:
            feeding = name in self._feeding
            if self._satisfied(name, interval.value(interval.end_s)) != feeding:
                continue
            early, late = interval.start_s, interval.end_s
            for _ in range(BISECTIONS):
                middle = 0.5 * (early + late)
                if self._satisfied(name, interval.value(middle)) == feeding:
                    late = middle
                else:
                    early = middle
            if found is None or late < found[0]:
                found = (late, name)
        return found

    def _satisfied(self, name: str, state: FloatArray) -> bool:
        """Whether there is as much as the valve closes at, while it is open, or opens at, while it is shut."""
        room, regulator = self._at[name]
        limit_pa = regulator.closes_pa if name in self._feeding else regulator.opens_pa
        return self._partial_pa(room, regulator, state) >= limit_pa

    def _partial_pa(self, room: int, regulator: Regulator, state: FloatArray) -> float:
        fields = state[room * FIELDS : (room + 1) * FIELDS]
        temperature = float(fields[SPECIES]) * ENERGY_J / float(fields[:SPECIES] @ HEAT_VOLUME_J_KG_K)
        constant = float(GAS_CONSTANT_J_KG_K[regulator.species])
        return float(fields[regulator.species]) * constant * temperature / float(self._volume_m3[room])
