"""A plant without lines and controller, opened so that recordings and pictures see what its nodes would send.

Every count comes from the plant's own rendering and reading; what becomes of them is up to the neighbours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.survey import Node, Sensor, Site
from firmware_bridge.units import Quantity, ns_to_s, s_to_ns
from sim.node.board import BurstOrder
from sim.plant.leaks import PlantLeak
from sim.plant.plant import Plant, Render
from sim.scenario.scenario import ScenarioTable
from sim.world.sound.field import SoundField

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """One slow sensor's value as its node would send it, in SI units and without the site's calibration."""

    node: str
    sensor: Sensor
    value: float

    def row(self, at_s: float) -> tuple[str, ...]:
        """As a line of a table: time, node, sensor, quantity, value, unit; the value as exact as it is."""
        sensor, value = self.sensor, f"{self.value:.10g}"
        quantity = sensor.quantity
        return f"{at_s:.12g}", self.node, sensor.name, quantity.name.lower(), value, quantity.unit


class OpenedPlant(Plant):
    """A plant that is stepped to a time and asked; nothing is ever received or sent."""

    def __init__(self, scenario: ScenarioTable, site: Site, seed: int) -> None:
        """Build the rig of `scenario`."""
        super().__init__(scenario, site, seed)
        self.scenario, self.site, self.seed = scenario, site, seed

    def fast_sensors(self, node: Node) -> tuple[Sensor, ...]:
        """The sensors whose counts a burst of `node` has, row by row."""
        return tuple(s for fast in self.stations[node.name].senses.fast for s in node.of_quantity(fast.quantity))

    def scale_of(self, node: str, quantity: Quantity) -> float:
        """SI units a count of the channels of one quantity."""
        return self.stations[node].senses.scale_of(quantity)

    def self_noise(self, node: str, frequency_hz: FloatArray) -> dict[Quantity, FloatArray]:
        """Power density (n,), unit^2/Hz, that the front ends of a node add, by quantity."""
        return {f.quantity: f.front_end.noise_power(frequency_hz) for f in self.stations[node].senses.fast}

    def true_gain(self, node: str) -> dict[str, float]:
        """True over nominal sensitivity of every fast sensor, by its name."""
        place = self.site.node(node)
        gains: dict[str, float] = {}
        for fast in self.stations[node].senses.fast:
            names = (sensor.name for sensor in place.of_quantity(fast.quantity))
            gains |= dict(zip(names, (float(gain) for gain in fast.front_end.gain), strict=True))
        return gains

    def burst(self, node: str, start_ns: int, samples: int, burst_id: int, *, triggered: bool) -> tuple[
        NDArray[np.int16], bool
    ]:  # fmt: skip
        """Counts (channels, samples) of a burst that begins at true time `start_ns`, and whether it saturated.

        Self-noise is drawn for `burst_id`; sensors have the temperature of the time that was stepped to last.
        """
        order = BurstOrder(burst_id, start_ns, samples, triggered)
        return self.render(Render(node, order, self.stations[node].temperature_k()))

    def rate_error(self, node: str, at_s: float) -> float:
        """How fast the node's clock runs, relative."""
        return self.stations[node].clock.rate_at(s_to_ns(at_s))

    def dark(self, node: str, from_s: float, until_s: float) -> list[tuple[float, float]]:
        """When between two times the node is off or hangs: (start, end), s."""
        faults = self.stations[node].faults
        spans: list[tuple[float, float]] = []
        while faults and from_s < until_s:
            condition = faults.condition(from_s)
            next_s = min(max(faults.next_s(from_s), np.nextafter(from_s, np.inf)), until_s)
            if not condition.powered or condition.hung:
                spans.append((from_s, next_s))
            from_s = next_s
        return spans

    def slow_readings(self, now_ns: int) -> list[Reading]:
        """One reading of every slow sensor of every node that is in order, at the time that was stepped to."""
        found: list[Reading] = []
        now_s = ns_to_s(now_ns)
        for name, station in self.stations.items():
            sensors = [sensor for sensor in station.node.sensors if not sensor.quantity.in_bursts]
            condition = station.faults.condition(now_s)
            if not sensors or not condition.powered or condition.hung:
                continue
            counts = station.senses.read_slow(now_ns)
            found += [
                Reading(name, sensor, int(count) * self.scale_of(name, sensor.quantity))
                for sensor, count in zip(sensors, counts, strict=True)
            ]
        return found

    def true_position_m(self, node: Node, sensor: Sensor) -> tuple[float, float, float] | None:
        """Where a fast sensor really is, site frame, m; None of one that no part of the world has put anywhere."""
        heard = sensor.quantity is Quantity.ULTRASOUND
        placed = self.sound.true_microphones_m if heard else self.shaking.true_contacts_m
        if node.name not in placed:
            return None
        x, y, z = (float(part) for part in placed[node.name][node.of_quantity(sensor.quantity).index(sensor)])
        return x, y, z

    @property
    def leaks(self) -> tuple[PlantLeak, ...]:
        """The leaks with their draws of loudness, in the order of the scenario."""
        return self.gas.leaks

    def hearing(self, node: str) -> tuple[SoundField, tuple[int, ...]]:
        """The sound field that an array node hears, and which of its microphones are the node's."""
        return self.sound.hearing(node)


def plugged_fast_nodes(scenario: ScenarioTable, site: Site) -> list[Node]:
    """The nodes with fast channels that the scenario plugs in, in the site's order."""
    return [
        node
        for node in site.nodes
        if node.name in scenario.links and any(sensor.quantity.in_bursts for sensor in node.sensors)
    ]
