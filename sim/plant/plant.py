"""World and nodes together: bytes in, bytes out, stepped by an outside clock in true ns since the scenario's start."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, Quantity, ns_to_s
from firmware_bridge.wire.commands import SirenPattern
from sim.faults.line_faults import LineFaults
from sim.faults.schedule import hitting, schedule
from sim.node.board import BurstOrder
from sim.node.firmware import Firmware
from sim.node.program import ProgramMaker
from sim.node.transducer import SENSITIVITY_K
from sim.plant.gas import Gas
from sim.plant.leaks import drawn_leaks
from sim.plant.levels import LevelMemory
from sim.plant.seeds import FieldSeeds
from sim.plant.senses import NodeSurroundings
from sim.plant.shaking import Shaking
from sim.plant.sound import Sound
from sim.plant.station import NEVER_NS, Station
from sim.scenario.scenario import ScenarioTable

FloatArray = NDArray[np.float64]

LONGEST_STEP_NS = 10 * NS_PER_S  # whoever looks at the gas between two readings finds it no older than that


@dataclass(frozen=True, slots=True)
class Render:
    """A burst whose last sample has passed: heavy to compute, so whoever drives the plant chooses the thread."""

    node: str
    order: BurstOrder
    temperature_k: float = SENSITIVITY_K


class Plant:
    """The whole rig. Only `render` may run in another thread."""

    def __init__(
        self, scenario: ScenarioTable, site: Site, seed: int | None = None, program: ProgramMaker = Firmware
    ) -> None:
        """Build the rig of `scenario`; `seed` replaces the scenario's own, `program` runs on its nodes."""
        root = np.random.SeedSequence(scenario.seed if seed is None else seed)
        sound_seed, gas_seed, node_seed, fault_seed = root.spawn(4)
        leaks = drawn_leaks(scenario, np.random.default_rng(FieldSeeds(sound_seed).levels))
        self.switch_log: list[tuple[float, str, bool]] = []
        self.sound = Sound(scenario, site, sound_seed, leaks)
        self.gas = Gas(scenario, site, gas_seed, leaks, self._switch_machines)
        around = NodeSurroundings(self.gas, self._capture, self._levels, self.switch)
        faults = schedule(scenario.faults, fault_seed)
        self.line_faults = {node.name: LineFaults(hitting(faults, "link", node.name)) for node in site.nodes}
        self.stations = {
            node.name: Station(scenario, node, around, station_seed, faults, program)
            for node, station_seed in zip(site.nodes, node_seed.spawn(len(site.nodes)), strict=True)
        }
        rates_hz = {name: station.rate_hz for name, station in self.stations.items()}
        self.shaking = Shaking(scenario, site, sound_seed, leaks=leaks, rates_hz=rates_hz)
        self._now_ns = 0
        self._due_ns = dict.fromkeys(self.stations, 0)
        self._level_memory = LevelMemory(leaks)
        self._talking = set(self.stations)
        self._siren = {name: station.firmware.siren for name, station in self.stations.items()}
        self.siren_log: list[tuple[float, str, SirenPattern]] = []

    def receive(self, node: str, now_ns: int, data: bytes) -> None:
        """Bytes from a node's line."""
        self._now_ns = max(now_ns, self._now_ns)
        self.stations[node].receive(now_ns, data)
        self._touched(node)

    def step(self, now_ns: int) -> list[Render]:
        """Move everything on to `now_ns`; returns the bursts that ended and wait to be rendered."""
        self._now_ns = max(now_ns, self._now_ns)
        self.gas.step(ns_to_s(self._now_ns))
        ended: list[Render] = []
        due = [name for name, due_ns in self._due_ns.items() if due_ns <= now_ns]
        for name in due:
            for order in self.stations[name].step(now_ns):
                if order.drives_line:
                    self._pulse(self.stations[name], order.start_ns)
        for name in due:
            station = self.stations[name]
            ended += [Render(name, order, station.temperature_k()) for order in station.take_ended(now_ns)]
            self._touched(name)
        return ended

    def render(self, job: Render) -> tuple[NDArray[np.int16], bool]:
        """Counts (channels, samples) of a burst, and whether it saturated; the same for the same seed and times."""
        return self.stations[job.node].render(job.order, job.temperature_k)

    def finish(self, job: Render, now_ns: int, counts: NDArray[np.int16], *, saturated: bool) -> None:
        """Hand a rendered burst to its node, which sends it; one from before a reboot is dropped."""
        self._now_ns = max(now_ns, self._now_ns)
        self.stations[job.node].finish(job.order, now_ns, counts, saturated=saturated)
        self._touched(job.node)

    def next_frame(self, node: str) -> bytes | None:
        """The next frame that `node` has for its line by the time that the plant was told last."""
        if node not in self._talking:
            return None
        frame = self.stations[node].next_frame(self._now_ns)
        if frame is None:
            self._talking.discard(node)  # until something happens to it: it says nothing by itself
        elif self.stations[node].line_takes_time:
            self._touched(node)
        return frame

    def reboot(self, node: str) -> None:
        """Power-cycle a node."""
        self.stations[node].reboot(self._now_ns)
        self._touched(node)

    def powered(self, node: str) -> bool:
        """Whether a node is there at all; one that is not hangs on no line."""
        return self.stations[node].powered

    def switch(self, equipment: str, on: bool) -> None:
        """Switch equipment, wherever in the world it is, from now on."""
        self.gas.step(ns_to_s(self._now_ns))
        self.gas.switch(equipment, on)
        self._switch_machines(equipment, on, ns_to_s(self._now_ns))

    def next_ns(self, now_ns: int) -> int:
        """True time at which `step` has something to do."""
        return min(now_ns + LONGEST_STEP_NS, min(self._due_ns.values(), default=NEVER_NS))

    def _switch_machines(self, equipment: str, on: bool, at_s: float) -> None:
        self.switch_log.append((at_s, equipment, on))
        self.sound.switch_at(equipment, on, at_s)

    def _touched(self, name: str) -> None:
        """Something happened to a node: look anew when it wants to be stepped, and whether its siren changed."""
        station = self.stations[name]
        due_ns = station.next_ns(self._now_ns)
        self._talking.add(name)
        self._due_ns[name] = NEVER_NS if due_ns is None else due_ns
        if station.firmware.siren is not self._siren[name]:
            self._siren[name] = station.firmware.siren
            self.siren_log.append((ns_to_s(self._now_ns), name, station.firmware.siren))

    def _pulse(self, driver: Station, at_ns: int) -> None:
        for name, station in self.stations.items():
            if station is not driver and station.node.trigger_line == driver.node.trigger_line:
                station.edge(at_ns)
                self._touched(name)

    def _capture(self, quantity: Quantity, node: str, start_s: float, samples: int, drift: float) -> FloatArray:
        felt = self.sound.capture if quantity is Quantity.ULTRASOUND else self.shaking.capture
        return felt(node, start_s, samples, drift)

    def _levels(self, quantity: Quantity, node: str, at_s: float, bands_hz: FloatArray) -> FloatArray:
        """Mean squares (channels, bands) of what a node's sensors feel from `at_s` on, by listening now and then."""
        return self._level_memory.level(
            (node, quantity.name),
            at_s,
            bands_hz,
            self.stations[node].rate_hz,
            lambda start_s, samples: self._capture(quantity, node, start_s, samples, 0.0),
            len(self.switch_log),
        )
