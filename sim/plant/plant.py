"""World and nodes together: bytes in, bytes out, stepped by an outside clock in true ns since the scenario's start."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.survey import Node, Site
from firmware_bridge.units import NS_PER_S, Quantity, ns_to_s
from firmware_bridge.wire.commands import SirenPattern
from firmware_bridge.wire.reports import Channel, Feature
from sim.node.firmware import Board, Firmware, Recording
from sim.node.oscillator import Oscillator
from sim.node.transducer import Barometer, MicrophoneArray, self_noise_density
from sim.plant.gas import Gas
from sim.plant.sound import Sound
from sim.scenario.scenario import ScenarioTable

LONGEST_BURST = 65_536
LONGEST_STEP_NS = NS_PER_S // 4  # the gas is followed at least this finely


@dataclass(frozen=True, slots=True)
class Render:
    """A burst whose last sample has passed: heavy to compute, so whoever drives the plant chooses the thread."""

    node: str
    recording: Recording


class _Station:
    """One node in its place."""

    def __init__(self, scenario: ScenarioTable, node: Node, gas: Gas, seed: np.random.SeedSequence) -> None:
        build_seed, self.noise_seed = seed.spawn(2)
        random = np.random.default_rng(build_seed)
        self.node = node
        self.drift = scenario.clocks.drift_spread_ppm * 1e-6 * float(random.standard_normal())
        arrays, slow = scenario.arrays, scenario.barometers
        channels = len(node.of_quantity(Quantity.ULTRASOUND))
        self.microphones = MicrophoneArray(
            gain=10 ** (arrays.sensitivity_spread_db * random.standard_normal(channels) / 20),
            self_noise_pa_rtHz=self_noise_density(arrays.self_noise_db),
            full_scale_pa=arrays.full_scale_pa,
            bits=arrays.bits,
            rate_hz=arrays.burst_rate_khz * 1000.0,
        )
        self.trigger_jitter_ns = arrays.trigger_jitter_ns
        self._barometer = Barometer(
            bias_pa=slow.bias_spread_pa * float(random.standard_normal()),
            noise_pa=slow.noise_pa,
            bias_k=slow.temperature_bias_spread_k * float(random.standard_normal()),
            noise_k=slow.temperature_noise_k,
        )
        self._gas = gas
        self._slow_random = np.random.default_rng(seed.spawn(1)[0])
        self.firmware = Firmware(
            board=self._board(scenario),
            oscillator=Oscillator(int(random.integers(0, 1 << 40)), self.drift),
            read_slow=self._read_slow,
            boot_id=int(random.integers(0, 256)),
        )
        self.recording: list[Recording] = []

    def _board(self, scenario: ScenarioTable) -> Board:
        rows = {
            Quantity.ULTRASOUND: Channel(Quantity.ULTRASOUND, self.microphones.scale_pa, 0.0),
            Quantity.PRESSURE: Channel(Quantity.PRESSURE, Barometer.PRESSURE_SCALE_PA, 0.0),
            Quantity.TEMPERATURE: Channel(Quantity.TEMPERATURE, Barometer.TEMPERATURE_SCALE_K, 0.0),
        }
        features = Feature.NONE
        if self.node.of_quantity(Quantity.ULTRASOUND):
            features |= Feature.BURSTS | Feature.SIMULTANEOUS
        if self.node.trigger_line is not None:
            features |= Feature.TRIGGER_LINE
        if self.node.siren:
            features |= Feature.SIREN
        return Board(
            uid=self.node.uid,
            channels=tuple(rows[sensor.quantity] for sensor in self.node.sensors),
            features=features,
            burst_rate_hz=round(scenario.arrays.burst_rate_khz * 1000.0),
            longest_burst=LONGEST_BURST,
        )

    def _read_slow(self) -> NDArray[np.int32]:
        pressure_pa, temperature_k = self._gas.felt(self.node.compartment)
        counts = [
            self._barometer.pressure_counts(pressure_pa, self._slow_random)
            if sensor.quantity is Quantity.PRESSURE
            else self._barometer.temperature_counts(temperature_k, self._slow_random)
            for sensor in self.node.sensors
            if sensor.quantity is not Quantity.ULTRASOUND
        ]
        return np.array(counts, dtype=np.int32)


class Plant:
    """The whole rig. Only `render` may run in another thread."""

    def __init__(self, scenario: ScenarioTable, site: Site, seed: int | None = None) -> None:
        """Build the rig of `scenario`; `seed` replaces the scenario's own."""
        root = np.random.SeedSequence(scenario.seed if seed is None else seed)
        sound_seed, gas_seed, node_seed = root.spawn(3)
        self.sound = Sound(scenario, site, sound_seed)
        self.gas = Gas(scenario, site, gas_seed)
        self._stations = {
            node.name: _Station(scenario, node, self.gas, station_seed)
            for node, station_seed in zip(site.nodes, node_seed.spawn(len(site.nodes)), strict=True)
        }
        self.siren_log: list[tuple[float, str, SirenPattern]] = []

    def receive(self, node: str, now_ns: int, data: bytes) -> None:
        """Bytes from a node's line."""
        firmware = self._stations[node].firmware
        before = firmware.siren
        firmware.receive(now_ns, data)
        if firmware.siren is not before:
            self.siren_log.append((ns_to_s(now_ns), node, firmware.siren))

    def step(self, now_ns: int) -> list[Render]:
        """Move everything on to `now_ns`; returns the bursts that ended and wait to be rendered."""
        self.gas.step(ns_to_s(now_ns))
        for station in self._stations.values():
            for recording in station.firmware.step(now_ns):
                station.recording.append(recording)
                if recording.drives_line:
                    self._pulse(station, recording.start_ns)
        return [
            Render(name, recording)
            for name, station in self._stations.items()
            for recording in self._take_ended(station, now_ns)
        ]

    def render(self, job: Render) -> tuple[NDArray[np.int16], bool]:
        """Counts (channels, samples) of a burst, and whether it saturated; the same for the same seed and times."""
        station, recording = self._stations[job.node], job.recording
        noise = np.random.default_rng([*station.noise_seed.generate_state(4), recording.burst_id])
        jitter_ns = station.trigger_jitter_ns * noise.standard_normal() if recording.triggered else 0.0
        start_s = (recording.start_ns + jitter_ns) / NS_PER_S
        heard = self.sound.capture(job.node, start_s, recording.samples, station.drift)
        return station.microphones.counts(heard, noise)

    def finish(self, job: Render, now_ns: int, counts: NDArray[np.int16], *, saturated: bool) -> None:
        """Hand a rendered burst to its node, which sends it."""
        self._stations[job.node].firmware.recorded(now_ns, job.recording, counts, saturated=saturated)

    def next_frame(self, node: str) -> bytes | None:
        """The next frame that `node` has for its line."""
        return self._stations[node].firmware.outgoing.pop()

    def reboot(self, node: str) -> None:
        """Power-cycle a node."""
        self._stations[node].recording.clear()
        self._stations[node].firmware.reboot()

    def next_ns(self, now_ns: int) -> int:
        """True time at which `step` has something to do."""
        due = [now_ns + LONGEST_STEP_NS]
        for station in self._stations.values():
            firmware_ns = station.firmware.next_ns
            due += [] if firmware_ns is None else [firmware_ns]
            due += [_end_ns(station, recording) for recording in station.recording]
        return min(due)

    def _pulse(self, driver: _Station, at_ns: int) -> None:
        for station in self._stations.values():
            if station is not driver and station.node.trigger_line == driver.node.trigger_line:
                recording = station.firmware.edge(at_ns)
                station.recording += [recording] if recording else []

    def _take_ended(self, station: _Station, now_ns: int) -> list[Recording]:
        ended = [recording for recording in station.recording if _end_ns(station, recording) <= now_ns]
        station.recording = [recording for recording in station.recording if recording not in ended]
        return ended


def _end_ns(station: _Station, recording: Recording) -> int:
    return recording.start_ns + round(recording.samples / station.microphones.rate_hz * NS_PER_S)
