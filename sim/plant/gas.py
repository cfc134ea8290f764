"""The gas of a scenario: the site's compartments and hatches as one network, and what is done to it when.

The physics is `sim/world/gas`; the tables are `sim/scenario/gas.py`; sensors are the nodes' own.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from firmware_bridge.errors import DeclaredFileError
from firmware_bridge.site.survey import Site
from firmware_bridge.units import celsius_to_kelvin
from sim.plant.cabin_equipment import LITRES_PER_M3, air_of, crew_of, feed_of, fill_of, scrubber_of, supply_of
from sim.plant.hatchway import Hatchway
from sim.plant.leaks import PlantLeak
from sim.scenario.gas import (
    CloseEvent,
    DuctTable,
    EventTable,
    IntroduceEvent,
    OpenEvent,
    ScrubberTable,
    SupplyTable,
    SwitchEvent,
    ThrottleEvent,
    VentEvent,
)
from sim.scenario.scenario import ScenarioTable
from sim.world.gas.cabin import CompartmentSpec
from sim.world.gas.network import GasNetwork
from sim.world.gas.weather import CabinWeather
from sim.world.gas.weather_settings import preset
from sim.world.gas.weather_species import mixed
from sim.world.leak.hole import Hole

MOVING_STEP_S = 0.25  # something that opens or closes is followed this finely
LEAK_STEPS = 256  # and a leak in this many steps, so that one that grows for days seldom starts the gas afresh
VALVE_DISCHARGE = 0.85  # of a vent valve
_Equipment: TypeAlias = ScrubberTable | SupplyTable | DuctTable
OnSwitch: TypeAlias = Callable[[str, bool, float], None]


class Gas:
    """Pressure, temperature and mixture of every compartment over time.

    There is one weather for the whole site, which every compartment feels in proportion to its pressure: compartments
    that are joined must not differ by more than flows can bear out, and no hatch may change what the weather did
    before it moved. Closed compartments that drift apart on their own do so by leaks, people and feeds of the tables.
    """

    def __init__(
        self,
        scenario: ScenarioTable,
        site: Site,
        seed: np.random.SeedSequence,
        leaks: Sequence[PlantLeak],
        on_switch: OnSwitch,
    ) -> None:
        """Fill the site; hatches stand as they normally do.

        Args:
            scenario: its tables must fit the site (`sim.scenario.gas.gas_problems`).
            site: its compartments and hatches.
            seed: of the weather.
            leaks: those of the scenario.
            on_switch: gets what the scenario's events switch, whether on, and when, s; for what is not the gas's.
        """
        cabin = scenario.cabin
        usual = air_of(scenario.air)
        fills = {room.name: usual for room in site.compartments}
        fills |= {table.compartment: fill_of(table, usual) for table in cabin.fills}
        self.network = GasNetwork(
            [
                CompartmentSpec(
                    room.name,
                    room.volume_m3,
                    cabin.walls.conductance_w_k_m3 * room.volume_m3,
                    fills[room.name].temperature_k,
                )
                for room in site.compartments
            ],
            fills,
        )
        self._usual_pa = usual.pressure_pa
        try:
            weather = preset(scenario.weather.preset, **scenario.weather.changes())
        except ValueError as error:
            raise DeclaredFileError(f"the scenario's weather cannot be: {error}", remedy="mend [weather]") from error
        self._weather = CabinWeather(weather, np.random.default_rng(seed.spawn(1)[0]))
        self._hatches = {
            hatch.name: Hatchway(hatch.between, hatch.area_m2, share, share)
            for hatch in site.hatches
            for share in (1.0 if hatch.normally_open else 0.0,)
        }
        self.leaks = tuple(leaks)
        self._shares = {leak.name: 0.0 for leak in self.leaks}
        self._equipment: tuple[_Equipment, ...] = (
            *cabin.scrubbers,
            *cabin.supplies,
            *cabin.ducts,
        )
        self._on = {table.name: table.on for table in self._equipment}
        for place, crew in enumerate(cabin.crews):
            self.network.set_source(f"crew {place}", crew.compartment, crew_of(crew))
        for name in self._on:
            self._connect(name)
        self._on_switch = on_switch
        self._events = sorted(scenario.events, key=lambda event: event.at_s)
        self._ends: list[tuple[float, str, str]] = []  # when which compartment's bottle or valve is shut again
        self._edges = sorted({edge for leak in self.leaks for edge in leak.opening.edges})
        self._now_s = 0.0
        self._happen()

    # ------------------------------------------------------------------ time and commands

    def step(self, now_s: float) -> None:
        """Move on to scenario time `now_s`."""
        from_s = self._now_s
        if not now_s > from_s:
            return
        while self._now_s < now_s:
            until_s = min(now_s, self._next_edge_s())
            if self._anything_moves(until_s):
                until_s = min(until_s, self._now_s + MOVING_STEP_S)
            self._set_openings(0.5 * (self._now_s + until_s))
            self.network.advance(until_s)
            self._now_s = until_s
            self._happen()
        self._weather.step(now_s - from_s)

    def switch(self, name: str, on: bool) -> None:
        """Switch the equipment of that name, or behind that switch; nothing happens where there is none."""
        for table in self._equipment:
            if name in {table.name, table.switch}:
                self._on[table.name] = on
                self._connect(table.name)

    def move_hatch(self, name: str, share: float, over_s: float) -> None:
        """Somebody opens a hatch to `share` (0 to 1) within `over_s` from now on; KeyError where there is none."""
        self._hatches[name].move(share, self._now_s, over_s)

    # ------------------------------------------------------------------ reading

    def felt(self, compartment: str) -> tuple[float, float]:
        """Pressure (Pa) and temperature (K) now in `compartment`, weather included."""
        state = self.network.state(compartment)
        factor, temperature_k = self._weathered(state.temperature_k)
        return state.pressure_pa * factor, temperature_k

    def partial_pa(self, compartment: str) -> tuple[float, float, float, float]:
        """Partial pressure of each species (nitrogen, oxygen, carbon dioxide, water) now, Pa, weather included."""
        state = self.network.state(compartment)
        warmth = self._weathered(state.temperature_k)[1] / state.temperature_k
        return mixed(state.partial_pa, warmth, self._weather.parts, state.pressure_pa / self._usual_pa)

    def hatch_share(self, name: str) -> float:
        """How far a hatch is open now, 0 to 1; KeyError where there is none."""
        return self._hatches[name].share(self._now_s)

    @property
    def leak_rates_kg_s(self) -> dict[str, float]:
        """What flows out of each leak now, kg/s, by its name; 0 of one that is shut."""
        rates = {}
        for leak in self.leaks:
            state = self.network.state(leak.compartment)
            rates[leak.name] = leak.at(self._now_s).mass_flow_kg_s(state.pressure_pa, state.temperature_k)
        return rates

    # ------------------------------------------------------------------ parts

    def _weathered(self, temperature_k: float) -> tuple[float, float]:
        """By what the weather multiplies pressures, and the temperature (K) it makes of one."""
        pressure_pa, warmed_k = self._weather.disturbed(self._usual_pa, temperature_k)
        return pressure_pa / self._usual_pa, warmed_k

    def _next_edge_s(self) -> float:
        """The next time at which something begins or ends by itself."""
        place = bisect_right(self._edges, self._now_s)
        return min(
            self._edges[place] if place < len(self._edges) else math.inf,
            self._events[0].at_s if self._events else math.inf,
            *(end_s for end_s, _, _ in self._ends),
            *(hatch.still_from_s for hatch in self._hatches.values() if hatch.still_from_s > self._now_s),
            math.inf,
        )

    def _anything_moves(self, until_s: float) -> bool:
        middle_s = 0.5 * (self._now_s + until_s)
        return any(hatch.still_from_s > self._now_s for hatch in self._hatches.values()) or any(
            leak.opening.share(middle_s) != leak.opening.share(self._now_s) for leak in self.leaks
        )

    def _set_openings(self, at_s: float) -> None:
        for name, hatch in self._hatches.items():
            self.network.set_opening(name, hatch.between, hatch.effective_area_m2(at_s))
        for leak in self.leaks:
            share = leak.opening.share(at_s)
            share = share if share in {0.0, 1.0} else round(share * LEAK_STEPS) / LEAK_STEPS
            if share != self._shares[leak.name]:
                self._shares[leak.name] = share
                opened = leak.leak.opened(share) if share > 0.0 else None
                self.network.set_vent(f"leak {leak.name}", leak.compartment, opened)

    def _happen(self) -> None:
        """What ends and what begins now."""
        for end in [end for end in self._ends if end[0] <= self._now_s]:
            self._ends.remove(end)
            _, name, compartment = end
            self.network.set_source(name, compartment, None)
            self.network.set_vent(name, compartment, None)
        while self._events and self._events[0].at_s <= self._now_s:
            self._do(self._events.pop(0))

    def _do(self, event: EventTable) -> None:
        if isinstance(event, OpenEvent | CloseEvent | ThrottleEvent):
            share = event.share if isinstance(event, ThrottleEvent) else float(isinstance(event, OpenEvent))
            self._hatches[event.hatch].move(share, self._now_s, event.over_s)
        elif isinstance(event, SwitchEvent):
            self.switch(event.equipment, event.on)
            self._on_switch(event.equipment, event.on, event.at_s)
        else:
            name = f"{event.do} {event.at_s:g} {len(self._ends)}"
            if isinstance(event, IntroduceEvent):
                feed = feed_of(event.gas, event.kg / event.over_s, celsius_to_kelvin(event.temperature_c))
                self.network.set_source(name, event.compartment, feed)
            elif isinstance(event, VentEvent):
                diameter_m = math.sqrt(4.0 / math.pi * event.area_mm2 * 1e-6)
                self.network.set_vent(name, event.compartment, Hole(diameter_m, VALVE_DISCHARGE))
            self._ends.append((self._now_s + event.over_s, name, event.compartment))

    def _connect(self, name: str) -> None:
        """Let a piece of equipment work, or not, as it is switched."""
        table = {table.name: table for table in self._equipment}[name]
        on = self._on[name]
        if isinstance(table, ScrubberTable):
            self.network.set_source(name, table.compartment, scrubber_of(table) if on else None)
        elif isinstance(table, SupplyTable):
            self.network.set_source(name, table.compartment, supply_of(table) if on else None)
        else:
            flow_m3_s = table.flow_l_s / LITRES_PER_M3 if on else 0.0
            self.network.set_fan(name, table.source, table.target, flow_m3_s, table.stall_pa)
