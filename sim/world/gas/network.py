"""The gas of a whole cabin under the names of its parts: open a hatch, start a fan, let a leak out, read the state.

The physics is in `balance`, the way through time in `integrator`; who opens what and when is decided outside.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.world.gas.balance import (
    ENERGY_IN,
    ENERGY_OUT,
    ENERGY_WALLS,
    SPECIES_IN,
    SPECIES_OUT,
    VENTS_FROM,
    CabinBalance,
)
from sim.world.gas.cabin import CompartmentSpec, Four, GasState, Ledger
from sim.world.gas.integrator import Interval, Node, Stepper
from sim.world.gas.life_support import Exchange, Regulator
from sim.world.gas.mixture import ENERGY_J, FIELDS, SPECIES, GasColumns, gas_of
from sim.world.gas.regulation import Regulation
from sim.world.gas.species import GAS_CONSTANT_J_KG_K, HEAT_VOLUME_J_KG_K, Fill
from sim.world.gas.wiring import Outflow, Walls, Wiring, outflow_kg_s

FloatArray = NDArray[np.float64]
Way = TypeVar("Way")

FIRST_GUESS_S = 1.0
FAN_STALL_PA = 500.0  # an axial duct fan of this size gives a few hundred pascals at most, in air of 1.2 kg/m3


class GasNetwork:
    """Compartments, what joins them and what crosses the hull; a change takes effect at the time of the last step."""

    def __init__(self, compartments: Sequence[CompartmentSpec], fills: Mapping[str, Fill]) -> None:
        """Fill every compartment, all hatches shut.

        Raises:
            ValueError: no compartments, a name used twice, or a compartment without its fill.
        """
        self._place = {room.name: place for place, room in enumerate(compartments)}
        if not compartments or len(self._place) < len(compartments) or set(fills) != set(self._place):
            raise ValueError(f"fills {sorted(fills)} do not fit compartments {[room.name for room in compartments]}")
        self._walls = Walls(
            np.array([room.volume_m3 for room in compartments]),
            np.array([room.wall_conductance_w_k for room in compartments]),
            np.array([room.wall_temperature_k for room in compartments]),
        )
        self._states = len(compartments) * FIELDS
        fields = np.empty((len(compartments), FIELDS))
        for room in compartments:
            mass = fills[room.name].mass_kg(room.volume_m3)
            place = self._place[room.name]
            fields[place, :SPECIES] = mass
            fields[place, SPECIES] = float(mass @ HEAT_VOLUME_J_KG_K) * fills[room.name].temperature_k / ENERGY_J
        self.now_s = 0.0
        self._openings: dict[str, tuple[int, int, float]] = {}
        self._fans: dict[str, tuple[int, int, float, float]] = {}
        self._vents: dict[str, tuple[int, Outflow]] = {}
        self._sources: dict[str, tuple[int, Exchange]] = {}
        self._regulation = Regulation(self._walls.volume_m3)
        self._flow_of: dict[str, float] = {}
        self._tally = np.zeros(VENTS_FROM)
        self._lost_kg: dict[str, float] = {}
        self._at_rest: FloatArray = fields.reshape(-1)  # the state while no interval covers now
        self._interval: Interval | None = None
        self._stepper: Stepper | None = None
        self._guess_s = FIRST_GUESS_S
        self._switch: tuple[float, str] | None = None  # when in the interval which regulator turns over
        self._seen: GasColumns | None = None

    # ------------------------------------------------------------------ changes

    def set_opening(self, name: str, between: tuple[str, str], effective_area_m2: float) -> None:
        """Set the discharge coefficient times the free area of an opening, m2; 0 shuts it.

        Raises:
            ValueError: a negative area, an unknown compartment, or one joined to itself.
        """
        self._take_area(name, effective_area_m2)
        first, second = self._ends(name, between)
        wanted = (first, second, effective_area_m2) if effective_area_m2 > 0.0 else None
        self._change(self._openings, name, wanted)

    def set_vent(self, name: str, compartment: str, outflow: Outflow | None) -> None:
        """Let gas out of `compartment` through `outflow`; None shuts the vent."""
        self._change(self._vents, name, None if outflow is None else (self._room(compartment), outflow))

    def set_fan(self, name: str, source: str, target: str, flow_m3_s: float, stall_pa: float = FAN_STALL_PA) -> None:
        """Blow `flow_m3_s` (m3/s at the density of `source`) into `target`; 0 stops the fan.

        The flow falls in line with the pressure that it works against and is zero from `stall_pa` on (in air of
        1.2 kg/m3; in proportion to the density of `source`); a duct has a
        flap, so nothing flows back. What it blows over returns through an open hatch.

        Raises:
            ValueError: a negative flow, a stall pressure that is not positive, or ends that cannot be.
        """
        self._take_area(name, flow_m3_s)
        if not stall_pa > 0.0:
            raise ValueError(f"fan {name!r} cannot stall at {stall_pa} Pa")
        first, second = self._ends(name, (source, target))
        self._change(self._fans, name, (first, second, flow_m3_s, stall_pa) if flow_m3_s > 0.0 else None)

    def set_source(self, name: str, compartment: str, source: Exchange | Regulator | None) -> None:
        """Put people, a feed, a scrubber, a condenser or a regulator into `compartment`; None takes it away."""
        room = self._room(compartment)
        if isinstance(source, Regulator):
            if not self._regulation.holds(name, room, source):
                self._restart()
                self._sources.pop(name, None)
                self._regulation.put(name, room, source, self._at_rest)
            return
        if name in self._regulation:
            self._restart()
            self._regulation.remove(name)
        self._change(self._sources, name, None if source is None else (room, source))

    # ------------------------------------------------------------------ time

    def step(self, dt_s: float) -> None:
        """Move on by `dt_s` seconds."""
        self.advance(self.now_s + dt_s)

    def advance(self, until_s: float) -> None:
        """Move on to `until_s`, s since the start.

        Raises:
            ValueError: a time before now.
        """
        if not until_s >= self.now_s:
            raise ValueError(f"gas cannot go back from {self.now_s} s to {until_s} s")
        while until_s > self._known_until_s():
            if self._switch is not None:
                self.now_s, name = self._switch
                self._restart()
                self._regulation.turn_over(name)
            self._seen = None
            self._take_interval()
        if until_s > self.now_s:
            self.now_s = until_s
            self._seen = None

    def _known_until_s(self) -> float:
        if self._interval is None:
            return self.now_s
        return self._interval.end_s if self._switch is None else self._switch[0]

    def _take_interval(self) -> None:
        if self._stepper is None:
            wiring = Wiring(
                tuple(self._openings.values()),
                tuple(self._fans.values()),
                tuple(self._vents.values()),
                (*self._sources.values(), *self._regulation.feeds),
            )
            tally = np.concatenate((self._tally, [self._lost_kg.get(name, 0.0) for name in self._vents]))
            value = np.concatenate((self._at_rest, tally))
            flow = np.array([self._flow_of.get(name, 0.0) for name in self._openings])
            node = Node(value, np.zeros_like(value), flow)
            balance = CabinBalance(self._walls, wiring)
            self._stepper = Stepper(balance, self._states, self.now_s, node, self._guess_s)
        self._interval = self._stepper.step()
        self._guess_s = self._stepper.guess_s
        self._switch = self._regulation.next_switch(self._interval)

    def _restart(self) -> None:
        """Forget what was computed beyond now; the next step starts afresh from exactly here."""
        if self._interval is not None:
            value = self._interval.value(self.now_s)
            self._at_rest = value[: self._states]
            self._tally = value[self._states : self._states + VENTS_FROM]
            lost = value[self._states + VENTS_FROM :].tolist()
            self._lost_kg |= dict(zip(self._vents, lost, strict=True))
            self._flow_of |= dict(zip(self._openings, self._interval.end.flow.tolist(), strict=True))
        self._interval = self._stepper = self._switch = None
        self._seen = None

    # ------------------------------------------------------------------ reading

    @property
    def compartments(self) -> tuple[str, ...]:
        """Names, in their order."""
        return tuple(self._place)

    def state(self, compartment: str) -> GasState:
        """What is in `compartment` now."""
        room = self._room(compartment)
        gas = self._gas()
        # a species that ran out may be left a millionth of a share below zero by the last step
        mass = np.maximum(gas.mass_kg[room], 0.0)
        partial = mass * GAS_CONSTANT_J_KG_K * (gas.temperature_k[room] / self._walls.volume_m3[room])
        return GasState(float(gas.pressure_pa[room]), float(gas.temperature_k[room]), _four(partial), _four(mass))

    def vent_flow_kg_s(self, name: str) -> float:
        """Outflow of a vent now, kg/s; 0 of one that is shut."""
        if name not in self._vents:
            return 0.0
        room, outflow = self._vents[name]
        gas = self._gas()
        return outflow_kg_s(outflow, float(gas.pressure_pa[room]), float(gas.temperature_k[room]))

    def feeding(self, regulator: str) -> bool:
        """Whether a regulator's valve is open."""
        return self._regulation.feeding(regulator)

    @property
    def mass_kg(self) -> Four:
        """Mass of each species in all compartments now, kg."""
        return _four(self._value()[: self._states].reshape(-1, FIELDS)[:, :SPECIES].sum(axis=0))

    @property
    def ledger(self) -> Ledger:
        """What crossed the hull up to now; it closes the balance of mass and energy to rounding."""
        tally, lost = self._tally, dict(self._lost_kg)
        if self._interval is not None:
            value = self._interval.value(self.now_s)[self._states :]
            tally = value[:VENTS_FROM]
            lost |= dict(zip(self._vents, value[VENTS_FROM:].tolist(), strict=True))
        return Ledger(
            _four(tally[SPECIES_IN]),
            _four(tally[SPECIES_OUT]),
            float(tally[ENERGY_IN]) * ENERGY_J,
            float(tally[ENERGY_OUT]) * ENERGY_J,
            float(tally[ENERGY_WALLS]) * ENERGY_J,
            lost,
        )

    def _value(self) -> FloatArray:
        return self._at_rest if self._interval is None else self._interval.value(self.now_s)

    def _gas(self) -> GasColumns:
        if self._seen is None:
            self._seen = gas_of(self._value(), self._walls.volume_m3)
        return self._seen

    # ------------------------------------------------------------------ checks

    def _change(self, ways: dict[str, Way], name: str, wanted: Way | None) -> None:
        if ways.get(name) == wanted:
            return
        self._restart()
        if wanted is None:
            del ways[name]
        else:
            ways[name] = wanted

    def _room(self, compartment: str) -> int:
        if compartment not in self._place:
            raise ValueError(f"no compartment {compartment!r}; there are {', '.join(self._place)}")
        return self._place[compartment]

    def _ends(self, name: str, between: tuple[str, str]) -> tuple[int, int]:
        first, second = (self._room(end) for end in between)
        if first == second:
            raise ValueError(f"{name!r} joins {between[0]!r} to itself")
        return first, second

    def _take_area(self, name: str, size: float) -> None:
        if not 0.0 <= size < float("inf"):
            raise ValueError(f"{name!r} cannot have the size {size}")


def _four(values: FloatArray) -> Four:
    first, second, third, fourth = values.tolist()
    return first, second, third, fourth
