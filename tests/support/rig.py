"""Bursts that the simulated rig would send, straight from its plant: no wire, no session, no clock to learn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from controller.localize.locate import LocateJob
from controller.measure.captures import Capture
from firmware_bridge.samples import WaveBlock
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.survey import Site
from firmware_bridge.units import Quantity, s_to_ns
from sim.node.board import BurstOrder
from sim.plant.plant import Plant, Render
from sim.scenario.leaks import LeakTable
from sim.scenario.scenario import ScenarioTable
from tests.support.hearing import wave_block

COMPARTMENT = "orbital-module"
SAMPLES = 16_384  # what the controller asks for
BASELINE_CAPTURES, LEAK_CAPTURES = 8, 2
OPENS_AT_S = 50.0  # after the last capture of the baseline
Position = tuple[float, float, float]


def leaking_at(scenario: ScenarioTable, position_m: Position, **changes: object) -> ScenarioTable:
    """The scenario with its leak elsewhere, opening between baseline and leak captures."""
    changes = {"opens_at_s": OPENS_AT_S, **changes}
    leak: LeakTable = scenario.leaks[0].model_copy(update={"position_m": position_m, **changes})
    return scenario.model_copy(update={"leaks": (leak,)})


def without_leak(scenario: ScenarioTable) -> ScenarioTable:
    return scenario.model_copy(update={"leaks": ()})


def tube(site: Site) -> CylinderHull:
    hull = site.compartment(COMPARTMENT).hull
    assert isinstance(hull, CylinderHull)
    return hull


def anywhere_on(hull: CylinderHull, random: np.random.Generator) -> Position:
    """A point of side or ends, uniform over their area."""
    side, end = 2 * np.pi * hull.radius_m * hull.length_m, np.pi * hull.radius_m**2
    where, angle = random.uniform(0.0, side + 2 * end), random.uniform(-np.pi, np.pi)
    along, radius = random.uniform(0.0, hull.length_m), hull.radius_m
    if where > side:
        along = 0.0 if where < side + end else hull.length_m
        radius *= float(np.sqrt(random.uniform()))
    return float(along), float(radius * np.cos(angle)), float(radius * np.sin(angle))


class RigEar:
    """Listens to a plant with all its array nodes, or with some."""

    def __init__(self, scenario: ScenarioTable, site: Site, seed: int, nodes: Sequence[str] | None = None) -> None:
        self._plant = Plant(scenario, site, seed=seed)
        self._scenario, self._site = scenario, site
        arrays = [node for node in site.nodes if node.of_quantity(Quantity.ULTRASOUND)]
        self._nodes = [node for node in arrays if nodes is None or node.name in nodes]

    def job(self, baseline: int = BASELINE_CAPTURES, captures: int = LEAK_CAPTURES) -> LocateJob:
        """What was heard before and after the leak opened, as the controller would have gathered it."""
        quiet, heard = self.quiet(baseline), self.leaking(captures)
        return LocateJob(heard, quiet, self._scenario.air.temperature_k)

    def quiet(self, captures: int) -> tuple[Capture, ...]:
        """Captures before the leak opened."""
        return tuple(self.capture(k + 1, 4.0 * (k + 1)) for k in range(captures))

    def leaking(self, captures: int) -> tuple[Capture, ...]:
        """Captures after it opened."""
        return tuple(self.capture(100 + k, OPENS_AT_S + 10.0 + 2.0 * k) for k in range(captures))

    def capture(self, burst_id: int, start_s: float, samples: int = SAMPLES) -> Capture:
        """One burst of every node, begun at the same instant."""
        return Capture(burst_id, {n.name: self._burst(n.name, burst_id, start_s, samples) for n in self._nodes})

    def true_microphones_m(self, node: str) -> NDArray[np.float64]:
        return self._plant.sound.true_microphones_m[node]

    def _burst(self, name: str, burst_id: int, start_s: float, samples: int) -> WaveBlock:
        station = self._plant.stations[name]
        node = self._site.node(name)
        triggered = node.trigger_line is not None
        order = BurstOrder(burst_id, s_to_ns(start_s), samples, triggered)
        counts, _ = self._plant.render(Render(name, order))
        sensors = tuple(sensor.name for sensor in node.of_quantity(Quantity.ULTRASOUND))
        return wave_block(
            name,
            sensors,
            np.asarray(counts * station.senses.scale_of(Quantity.ULTRASOUND), dtype=np.float64),
            burst_id=burst_id,
            start_ns=order.start_ns,
            rate_hz=station.rate_hz * (1.0 + station.drift),
            nominal_hz=station.rate_hz,
            triggered=triggered,
        )
