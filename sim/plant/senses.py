"""What the sensors of one node feel in their place, as counts: bursts, slow readings, band levels; with their faults.

The node that sends them is `station`; the physics of transducers is `sim/node`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.survey import Node
from firmware_bridge.units import NS_PER_S, Quantity, ns_to_s
from sim.faults.schedule import Fault, hitting
from sim.faults.sensor_faults import SensorFaults
from sim.node.band_levels import BandMeter
from sim.node.board import BurstOrder
from sim.node.transducer import FrontEnd
from sim.plant.front_ends import PRESSURE_SCALE_PA, SLOW_SCALE, contacts, microphones, slow_sensor
from sim.plant.gas import Gas
from sim.scenario.scenario import ScenarioTable

FloatArray = NDArray[np.float64]

_PARTIAL = {Quantity.PP_NITROGEN: 0, Quantity.PP_OXYGEN: 1, Quantity.PP_CARBON_DIOXIDE: 2, Quantity.PP_WATER: 3}


@dataclass(frozen=True, slots=True)
class NodeSurroundings:
    """What a station is in.

    Args:
        gas: of the whole site.
        capture: (quantity, node, start s, samples, drift) -> field at that node's sensors, (channels, samples):
            sound pressure (Pa) or velocity of the skin (m/s), sample k at start s + k / (rate * (1 + drift)).
        levels: (quantity, node, at s, bands (n, 2) Hz) -> mean squares (channels, n) of that field to be
            expected.
        relay: (equipment, on) switches it.
    """

    gas: Gas
    capture: Callable[[Quantity, str, float, int, float], FloatArray]
    levels: Callable[[Quantity, str, float, FloatArray], FloatArray]
    relay: Callable[[str, bool], None]


@dataclass(frozen=True, slots=True)
class FastChannels:
    """The fast channels of one quantity: a front end, its band meter, the faults of each channel."""

    quantity: Quantity
    front_end: FrontEnd
    meter: BandMeter
    faults: tuple[SensorFaults, ...]


class Senses:
    """All sensors of one node."""

    def __init__(
        self,
        scenario: ScenarioTable,
        node: Node,
        around: NodeSurroundings,
        *,
        random: np.random.Generator,
        seed: np.random.SeedSequence,
        noise_seed: np.random.SeedSequence,
        faults: Sequence[Fault],
    ) -> None:
        """Build them as the scenario describes them.

        Args:
            scenario: its tables of nodes.
            node: as surveyed.
            around: what they feel.
            random: for sensitivities and biases.
            seed: for everything else that is drawn once, and for the noise of slow readings.
            noise_seed: of the bursts, which do not depend on their order.
            faults: those of the whole rig.
        """
        slow_seed, response_seed, contact_seed, level_seed, *sensor_seeds = seed.spawn(4 + len(node.sensors))
        self._node = node
        self._around = around
        self._noise_seed = noise_seed
        self._failing = {sensor.name: hitting(faults, "sensor", sensor.name) for sensor in node.sensors}
        heard, touched = (len(node.of_quantity(q)) for q in (Quantity.ULTRASOUND, Quantity.SURFACE_VELOCITY))
        ear = microphones(scenario.arrays, heard, random, response_seed)
        # All burst channels of a node share its converter's clock.
        rate = {"burst_rate_khz": scenario.arrays.burst_rate_khz} if heard else {}
        contact = contacts(scenario.contacts.model_copy(update=rate), touched, contact_seed)
        self.rate_hz = ear.rate_hz if heard or not touched else contact.rate_hz
        self._jitter_ns = (scenario.arrays if heard else scenario.contacts).trigger_jitter_ns
        ends = {Quantity.ULTRASOUND: ear, Quantity.SURFACE_VELOCITY: contact}
        self.bands_hz = tuple((low_khz * 1000.0, high_khz * 1000.0) for low_khz, high_khz in scenario.streams.bands_khz)
        self.fast = tuple(
            FastChannels(q, ends[q], BandMeter(ends[q], self.bands_hz), self._faults_of(q, ends[q]))
            for q in dict.fromkeys(sensor.quantity for sensor in node.sensors if sensor.quantity.in_bursts)
        )
        self._slow = [
            (
                sensor,
                slow_sensor(sensor.quantity, scenario.barometers, scenario.gas_sensors, random, sensor_seed),
                SensorFaults(self._failing[sensor.name], SLOW_SCALE.get(sensor.quantity, PRESSURE_SCALE_PA)),
            )
            for sensor, sensor_seed in zip(node.sensors, sensor_seeds, strict=True)
            if not sensor.quantity.in_bursts
        ]
        self._slow_random = np.random.default_rng(slow_seed)
        self._level_random = np.random.default_rng(level_seed)

    def scale_of(self, quantity: Quantity) -> float:
        """SI units a count of the channels of one quantity."""
        scales = {fast.quantity: fast.front_end.scale for fast in self.fast}
        return scales.get(quantity) or SLOW_SCALE.get(quantity, PRESSURE_SCALE_PA)

    def air_k(self) -> float:
        """Temperature of the air about them now, K."""
        return self._around.gas.felt(self._node.compartment)[1]

    def render(self, order: BurstOrder, drift: float, temperature_k: float) -> tuple[NDArray[np.int16], bool]:
        """Counts (channels, samples) of a burst, and whether it saturated; the same for the same seed and times.

        `drift` is how fast the node's clock runs, `temperature_k` that of the sensors.
        """
        noise = np.random.default_rng([*self._noise_seed.generate_state(4), order.burst_id])
        jitter_ns = self._jitter_ns * noise.standard_normal() if order.triggered else 0.0
        start_s = (order.start_ns + jitter_ns) / NS_PER_S
        rows, saturated = [], False
        for fast in self.fast:
            front_end = fast.front_end
            samples = order.samples + 2 * front_end.margin
            from_s = start_s - front_end.margin / (front_end.rate_hz * (1.0 + drift))
            field = self._around.capture(fast.quantity, self._node.name, from_s, samples, drift)
            for row, faults in enumerate(fast.faults):
                late_s = faults.delay_s(start_s) if faults else 0.0
                if late_s:
                    past = self._around.capture(fast.quantity, self._node.name, from_s - late_s, samples, drift)
                    field[row] = past[row]
            counts, clipped = front_end.counts(field, noise, temperature_k)
            for row, faults in enumerate(fast.faults):
                if faults:
                    counts[row] = faults.burst(counts[row], start_s, front_end.rate_hz, order.burst_id)
            rows.append(counts)
            saturated |= clipped
        return (rows[0] if len(rows) == 1 else np.concatenate(rows)), saturated

    def read_slow(self, at_ns: int) -> NDArray[np.int32]:
        """Counts (channels,) of the slow channels at true time `at_ns`, with the gas as it is now."""
        gas, room = self._around.gas, self._node.compartment
        pressure_pa, temperature_k = gas.felt(room)
        at_s = ns_to_s(at_ns)
        counts = []
        for sensor, slow, faults in self._slow:
            if sensor.quantity is Quantity.PRESSURE:
                value = pressure_pa
            elif sensor.quantity is Quantity.TEMPERATURE:
                value = temperature_k
            elif sensor.quantity is Quantity.HATCH:
                value = gas.hatch_share(sensor.hatch) if sensor.hatch is not None else 0.0
            else:
                value = gas.partial_pa(room)[_PARTIAL[sensor.quantity]]
            count = slow.count(value, temperature_k, at_s, self._slow_random)
            counts.append(faults.count(count, at_s) if faults else count)
        return np.array(counts, dtype=np.int32)

    def read_levels(self, start_ns: int, window_ns: int) -> FloatArray:
        """Mean squares (channels, bands) of the burst channels in counts^2."""
        start_s, window_s = ns_to_s(start_ns), ns_to_s(window_ns)
        parts = []
        for fast in self.fast:
            asked = (fast.quantity, self._node.name)
            field = self._around.levels(*asked, start_s, fast.meter.bands_hz)
            for row, faults in enumerate(fast.faults):
                late_s = faults.delay_s(start_s) if faults else 0.0
                if late_s:
                    past = self._around.levels(*asked, start_s - late_s, fast.meter.bands_hz)
                    field[row] = past[row]
            drawn = fast.meter.drawn(field, window_s, self._level_random)
            for row, faults in enumerate(fast.faults):
                if faults:
                    drawn[row] = faults.level(drawn[row], fast.meter.bands_hz, start_s, fast.front_end.rate_hz)
            parts.append(drawn)
        return np.concatenate(parts)

    def _faults_of(self, quantity: Quantity, front_end: FrontEnd) -> tuple[SensorFaults, ...]:
        full_scale = (1 << (front_end.bits - 1)) - 1
        return tuple(
            SensorFaults(self._failing[sensor.name], front_end.scale, full_scale)
            for sensor in self._node.of_quantity(quantity)
        )
