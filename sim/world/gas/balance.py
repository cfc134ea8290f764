"""Mass and energy balance of compartments joined by openings and fans: the rates, and their slopes for Newton.

How time passes is the business of `integrator`; names, events and what people read are in `network`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.world.gas.life_support import Exchange
from sim.world.gas.mixture import ENERGY_J, FIELDS, SPECIES, GasColumns, Slopes, gas_of
from sim.world.gas.orifice import flow_of_square, laminar_flow_kg_s, squared_flow, squared_flow_slopes
from sim.world.gas.species import HEAT_VOLUME_J_KG_K
from sim.world.gas.wiring import Walls, Wiring, outflow_kg_s

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

THIN_KG_M3 = 1e-6  # 0.1 Pa of air: errors are not judged against less than this
NEGATIVE_SHARE = 1e-6  # of the mass: what a step may leave of a species that runs out
COLDEST_K, HOTTEST_K = 1.0, 1e5  # no expansion gets there; an iteration that does has lost its way
# Near vacuum nothing is followed for its own sake: the warmth of walls fades; by 1e-3 at an atmosphere.
THIN_WALLS_KG_M3 = 1e-3
FAN_DENSITY_KG_M3 = 1.2  # for which a fan's stall pressure is told
NUDGE = 1e-4  # relative step of the slopes of vents and exchanges, which are known by value only

# Tallies: species in, species out (kg), energy in by what enters, out by vents, in by walls (ENERGY_J); then each vent
SPECIES_IN = slice(0, SPECIES)
SPECIES_OUT = slice(SPECIES, 2 * SPECIES)
ENERGY_IN, ENERGY_OUT, ENERGY_WALLS = 2 * SPECIES, 2 * SPECIES + 1, 2 * SPECIES + 2
VENTS_FROM = 2 * SPECIES + 3


class CabinBalance:
    """The balance of one wiring; the flows of the openings are unknowns of their own, so that a state is well set.

    dm_i/dt and dU_i/dt are sums of what flows carry in and out (enthalpy of where they come from), of exchanges, vents
    and walls, hA (Tw - T).
    """

    def __init__(self, walls: Walls, wiring: Wiring) -> None:
        """Lay out the arrays."""
        self._walls = walls
        self._wiring = wiring
        self._rooms = len(walls.volume_m3)
        self._first, self._second = _columns(wiring.openings)
        self._area = np.array([opening[2] for opening in wiring.openings], dtype=float)
        self._fan_from, self._fan_to = _columns(wiring.fans)
        self._fan_m3_s = np.array([fan[2] for fan in wiring.fans], dtype=float)
        self._fan_stall_pa = np.array([fan[3] for fan in wiring.fans], dtype=float)
        ways = [*zip(self._first, self._second, strict=True), *zip(self._fan_from, self._fan_to, strict=True)]
        self._incidence = np.zeros((self._rooms, len(ways)))
        for way, (source, target) in enumerate(ways):
            self._incidence[source, way] -= 1.0
            self._incidence[target, way] += 1.0

    def evaluate(self, state: FloatArray, flow: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Rates of state and tallies (a second), and how far the flows are from what the pressures drive (kg2/s2)."""
        walls = self._walls
        gas = gas_of(state, walls.volume_m3)
        result = np.zeros(self._rooms * FIELDS + VENTS_FROM + len(self._wiring.vents))
        rates = result[: self._rooms * FIELDS].reshape(-1, FIELDS)
        tally = result[self._rooms * FIELDS :]
        constraint = flow
        ways = []
        if flow.size:
            source = np.where(flow > 0.0, self._first, self._second)
            ways.append(flow[:, None] * gas.carried[source])
            driven = squared_flow(*self._openings(gas))
            constraint = flow * (np.abs(flow) + self._laminar(gas)) - driven
        if self._fan_m3_s.size:
            ways.append(self._blown(gas)[:, None] * gas.carried[self._fan_from])
        if ways:
            rates += self._incidence @ (ways[0] if len(ways) == 1 else np.concatenate(ways))
        warmed = self._conductance(gas) * (walls.temperature_k - gas.temperature_k) / ENERGY_J
        rates[:, SPECIES] += warmed
        tally[ENERGY_WALLS] = warmed.sum()
        if self._wiring.vents:
            pressures, temperatures = gas.pressure_pa.tolist(), gas.temperature_k.tolist()
            for place, (room, outflow) in enumerate(self._wiring.vents):
                lost_kg_s = outflow_kg_s(outflow, pressures[room], temperatures[room])
                lost = lost_kg_s * gas.carried[room]
                rates[room] -= lost
                tally[SPECIES_OUT] += lost[:SPECIES]
                tally[ENERGY_OUT] += lost[SPECIES]
                tally[VENTS_FROM + place] = lost_kg_s
        for room, exchange in self._wiring.exchanges:
            entering = self._entering(exchange, gas.mass_kg[room].tolist(), float(gas.temperature_k[room]), room)
            rates[room] += entering
            tally[SPECIES_IN] += np.maximum(entering[:SPECIES], 0.0)
            tally[SPECIES_OUT] -= np.minimum(entering[:SPECIES], 0.0)
            tally[ENERGY_IN] += entering[SPECIES]
        return result, constraint

    def jacobian(self, state: FloatArray, flow: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Slopes of rates and constraint by state and flow; in an opening R and heat ratio are held."""
        gas = gas_of(state, self._walls.volume_m3)
        by_mass = Slopes(gas, self._walls.volume_m3)
        n, m = self._rooms * FIELDS, flow.size
        blocks = np.zeros((self._rooms, FIELDS, self._rooms, FIELDS))
        rates_flow = np.zeros((self._rooms, FIELDS, m))
        constraint_state = np.zeros((m, self._rooms, FIELDS))
        constraint_flow = np.zeros((m, m))
        if m:
            slopes = squared_flow_slopes(*self._openings(gas))
            upstream = np.where(
                gas.pressure_pa[self._first] >= gas.pressure_pa[self._second], self._first, self._second
            )
            for k in range(m):
                a, b = int(self._first[k]), int(self._second[k])
                source = a if flow[k] > 0.0 else b
                carried = flow[k] * by_mass.carried[source]
                blocks[a, :, source, :] -= carried
                blocks[b, :, source, :] += carried
                rates_flow[a, :, k] -= gas.carried[source]
                rates_flow[b, :, k] += gas.carried[source]
                constraint_state[k, a] -= slopes.by_first_pa[k] * by_mass.pressure[a]
                constraint_state[k, b] -= slopes.by_second_pa[k] * by_mass.pressure[b]
                constraint_state[k, upstream[k]] -= slopes.by_upstream_k[k] * by_mass.temperature[upstream[k]]
            # |w| is the root of the square in the end; taking the larger of both keeps Newton from overshooting before
            size = np.maximum(np.abs(flow), np.sqrt(np.abs(slopes.value)))
            constraint_flow[np.arange(m), np.arange(m)] = 2.0 * size + self._laminar(gas)
        self._fan_slopes(blocks, gas, by_mass)
        conductance = self._conductance(gas)
        thinning = 1.0 / (gas.total_kg + THIN_WALLS_KG_M3 * self._walls.volume_m3) - 1.0 / gas.total_kg
        for room in range(self._rooms):
            warmed = conductance[room] * (self._walls.temperature_k[room] - gas.temperature_k[room])
            slope = conductance[room] * by_mass.temperature[room] + warmed * thinning[room] * _MASS_ONLY
            blocks[room, SPECIES, room] -= slope / ENERGY_J
        self._vent_slopes(blocks, gas, by_mass)
        self._exchange_slopes(blocks, gas)
        return blocks.reshape(n, n), rates_flow.reshape(n, m), constraint_state.reshape(m, n), constraint_flow

    def driven(self, state: FloatArray) -> FloatArray:
        """Flow of each opening that the pressures of this state drive, kg/s."""
        gas = gas_of(state, self._walls.volume_m3)
        return flow_of_square(squared_flow(*self._openings(gas)), self._laminar(gas)) if self._area.size else self._area

    def scale(self, state: FloatArray) -> FloatArray:
        """Mass of the compartment for each of its species, its energy for its energy."""
        fields = state.reshape(-1, FIELDS)
        floor = THIN_KG_M3 * self._walls.volume_m3
        scale = np.empty_like(fields)
        scale[:, :SPECIES] = np.maximum(fields[:, :SPECIES].sum(axis=1), floor)[:, None]
        scale[:, SPECIES] = np.maximum(fields[:, SPECIES], floor)
        return scale.reshape(-1)

    def flow_scale(self, state: FloatArray) -> FloatArray:
        """Mass of the lighter of the two compartments of each opening, kg."""
        mass = self.scale(state)[::FIELDS]
        smaller: FloatArray = np.minimum(mass[self._first], mass[self._second])
        return smaller

    def feasible(self, state: FloatArray) -> bool:
        """Whether every compartment holds some gas at a temperature that gas can have."""
        fields = state.reshape(-1, FIELDS)
        mass = fields[:, :SPECIES]
        total = mass.sum(axis=1)
        heat_volume = mass @ HEAT_VOLUME_J_KG_K
        energy = fields[:, SPECIES] * ENERGY_J
        return bool(
            (mass >= -NEGATIVE_SHARE * total[:, None]).all()
            and (total > 0.0).all()
            and (energy > COLDEST_K * heat_volume).all()
            and (energy < HOTTEST_K * heat_volume).all()
        )

    def _openings(
        self, gas: GasColumns
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        first, second = gas.pressure_pa[self._first], gas.pressure_pa[self._second]
        upstream = np.where(first >= second, self._first, self._second)
        constant = gas.constant_j_k[upstream] / gas.total_kg[upstream]
        heat_ratio = gas.heat_pressure_j_k[upstream] / gas.heat_volume_j_k[upstream]
        return self._area, first, second, gas.temperature_k[upstream], constant, heat_ratio

    def _laminar(self, gas: GasColumns) -> FloatArray:
        density = gas.total_kg / self._walls.volume_m3
        return laminar_flow_kg_s(self._area, np.maximum(density[self._first], density[self._second]))

    def _blown(self, gas: GasColumns) -> FloatArray:
        """Mass flow of the fans, kg/s: less against a pressure difference, none from where they stall."""
        blown: FloatArray = self._freely_blown(gas) * np.minimum(np.maximum(self._unstalled(gas), 0.0), 1.0)
        return blown

    def _freely_blown(self, gas: GasColumns) -> FloatArray:
        free: FloatArray = self._fan_m3_s * gas.total_kg[self._fan_from] / self._walls.volume_m3[self._fan_from]
        return free

    def _unstalled(self, gas: GasColumns) -> FloatArray:
        """1 with nothing against the fan, 0 at its stall; beyond both where it is pushed or held."""
        against = gas.pressure_pa[self._fan_to] - gas.pressure_pa[self._fan_from]
        unstalled: FloatArray = 1.0 - against / self._stall(gas)
        return unstalled

    def _stall(self, gas: GasColumns) -> FloatArray:
        """Pressure difference at which the fans stall in the gas they blow, Pa: in proportion to its density."""
        density = gas.total_kg[self._fan_from] / self._walls.volume_m3[self._fan_from]
        stall: FloatArray = self._fan_stall_pa * density / FAN_DENSITY_KG_M3
        return stall

    def _conductance(self, gas: GasColumns) -> FloatArray:
        """Conductance between gas and walls, W/K, less where the gas is thin."""
        thin_kg = THIN_WALLS_KG_M3 * self._walls.volume_m3
        conductance: FloatArray = self._walls.conductance_w_k * gas.total_kg / (gas.total_kg + thin_kg)
        return conductance

    def _entering(self, exchange: Exchange, mass_kg: Sequence[float], temperature_k: float, room: int) -> FloatArray:
        entering = np.array(exchange.rates(mass_kg, temperature_k, float(self._walls.volume_m3[room])))
        entering[SPECIES] /= ENERGY_J
        return entering

    def _fan_slopes(self, blocks: FloatArray, gas: GasColumns, by_mass: Slopes) -> None:
        if not self._fan_m3_s.size:
            return
        unstalled = self._unstalled(gas)
        held_back = np.where((unstalled > 0.0) & (unstalled < 1.0), self._freely_blown(gas), 0.0)
        by_pa = -held_back / self._stall(gas)
        by_kg = held_back * (1.0 - unstalled) / gas.total_kg[self._fan_from]
        for k, blown in enumerate(self._blown(gas)):
            a, b = int(self._fan_from[k]), int(self._fan_to[k])
            # Q (m_i, H) / V rather than a flow times shares: what is carried is in proportion to the density
            carried = blown * by_mass.carried[a] + np.outer(
                gas.carried[a], (blown / gas.total_kg[a] + by_kg[k]) * _MASS_ONLY
            )
            held = by_pa[k] * gas.carried[a]
            for room, sign in ((a, -1.0), (b, 1.0)):
                blocks[room, :, a, :] += sign * (carried - np.outer(held, by_mass.pressure[a]))
                blocks[room, :, b, :] += sign * np.outer(held, by_mass.pressure[b])

    def _vent_slopes(self, blocks: FloatArray, gas: GasColumns, by_mass: Slopes) -> None:
        for room, outflow in self._wiring.vents:
            pressure, temperature = float(gas.pressure_pa[room]), float(gas.temperature_k[room])
            now = outflow_kg_s(outflow, pressure, temperature)
            by_pa = (outflow_kg_s(outflow, pressure * (1.0 + NUDGE), temperature) - now) / (pressure * NUDGE)
            by_k = (outflow_kg_s(outflow, pressure, temperature * (1.0 + NUDGE)) - now) / (temperature * NUDGE)
            slope = by_pa * by_mass.pressure[room] + by_k * by_mass.temperature[room]
            blocks[room, :, room, :] -= now * by_mass.carried[room] + np.outer(gas.carried[room], slope)

    def _exchange_slopes(self, blocks: FloatArray, gas: GasColumns) -> None:
        for room, exchange in self._wiring.exchanges:
            mass, temperature = gas.mass_kg[room], float(gas.temperature_k[room])
            now = self._entering(exchange, mass.tolist(), temperature, room)
            warmer = self._entering(exchange, mass.tolist(), temperature * (1.0 + NUDGE), room)
            by_k = (warmer - now) / (temperature * NUDGE)
            to_k = 1.0 / float(gas.heat_volume_j_k[room])
            blocks[room, :, room, SPECIES] += by_k * ENERGY_J * to_k
            step_kg = NUDGE * float(gas.total_kg[room])
            for species in range(SPECIES):
                more = mass.copy()
                more[species] += step_kg
                slope = (self._entering(exchange, more.tolist(), temperature, room) - now) / step_kg
                by_species = -temperature * float(HEAT_VOLUME_J_KG_K[species]) * to_k
                blocks[room, :, room, species] += slope + by_k * by_species


_MASS_ONLY = np.array([1.0] * SPECIES + [0.0])


def _columns(ways: Sequence[tuple[int, int, *tuple[float, ...]]]) -> tuple[IntArray, IntArray]:
    """First and second compartment of each way."""
    return (
        np.array([way[0] for way in ways], dtype=np.int64),
        np.array([way[1] for way in ways], dtype=np.int64),
    )
