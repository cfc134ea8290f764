"""Nodes in their places: what a plant lets them feel, switch and send."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firmware_bridge.declared import load_declared
from firmware_bridge.site.schema import SensorTable, SiteTable, SwitchTable
from firmware_bridge.site.survey import Site, build_site
from firmware_bridge.units import Quantity
from firmware_bridge.wire.codec import decode, encode
from firmware_bridge.wire.commands import Capture, Command, Hello, Levels, Start, Switch, TriggerRole
from firmware_bridge.wire.framing import Deframer, Packet, encode_packet
from firmware_bridge.wire.reports import BandLevels, BurstPiece, Feature, HelloAck, Report, Samples
from sim.node.firmware import Recording
from sim.plant.levels import band_mean_squares
from sim.plant.plant import Plant, Render
from sim.scenario.nodes import ArraysTable, ContactsTable
from sim.scenario.scenario import ScenarioTable
from sim.scenario.weather import WeatherTable
from tests.support.rig import shipped

S = 1_000_000_000
ON_THE_SKIN_M = (1.0, 1.1, 0.0)
CONFIGS = Path(__file__).parents[3] / "configs"


@cache
def fitted() -> Site:
    """The shipped site; P1 has gas and hatch sensors and relays, A a contact sensor behind its microphones."""
    table = load_declared(CONFIGS / "sites" / "soyuz-orbital-module.toml", SiteTable)
    more = {
        "P1": (
            SensorTable(name="n2", quantity="nitrogen", channel=2),
            SensorTable(name="h2o", quantity="water", channel=3),
            SensorTable(name="door", quantity="hatch", channel=4, hatch=table.hatches[0].name),
        ),
        "A": (SensorTable(name="A-skin", quantity="surface_velocity", channel=4, position_m=ON_THE_SKIN_M),),
    }
    switches = {"P1": (SwitchTable(name="cabin-fan", output=2),)}
    nodes = tuple(
        node.model_copy(
            update={"sensors": (*node.sensors, *more.get(node.name, ())), "switches": switches.get(node.name, ())}
        )
        for node in table.nodes
    )
    return build_site(table.model_copy(update={"nodes": nodes}), "test")


def scenario(**changes: Any) -> ScenarioTable:
    return shipped()[0].model_copy(update={"weather": WeatherTable(), **changes})


class Bench:
    """A plant and who asks it."""

    def __init__(self, **changes: Any) -> None:
        self.plant = Plant(scenario(**changes), fitted())
        self.sequence = 0

    def tell(self, node: str, now_ns: int, command: Command) -> list[Report]:
        self.sequence += 1
        self.plant.receive(node, now_ns, encode_packet(encode(command, sequence=self.sequence)))
        return self.said(node)

    def run(self, until_ns: int, since_ns: int = 0) -> None:
        now_ns = since_ns
        while now_ns <= until_ns:
            for job in self.plant.step(now_ns):
                counts, saturated = self.plant.render(job)
                self.plant.finish(job, now_ns, counts, saturated=saturated)
            now_ns = max(self.plant.next_ns(now_ns), now_ns + 1)

    def said(self, node: str) -> list[Report]:
        data = b"".join(iter(lambda: self.plant.next_frame(node), None))
        read = [decode(packet) for packet in Deframer().feed(data) if isinstance(packet, Packet)]
        return [report for report in read if isinstance(report, Report)]


class Shaking:
    """A skin whose velocity is a sine."""

    def capture(self, node: str, start_s: float, samples: int, drift: float) -> np.ndarray:
        time_s = start_s + np.arange(samples) / (192e3 * (1 + drift))
        return 1e-6 * np.sin(2 * np.pi * 30e3 * time_s)[None, :]


def test_gas_and_hatch_sensors_read_the_gas() -> None:
    bench = Bench()
    bench.tell("P1", 0, Start(1000))
    bench.run(0)
    samples = [report for report in bench.said("P1") if isinstance(report, Samples)]
    nitrogen, water, door = samples[-1].counts[0, -3:]
    partial = bench.plant.gas.partial_pa("orbital-module")
    # 5 Pa of noise each, five sigmas.
    assert nitrogen * 0.01 == pytest.approx(partial[0], abs=25.0)
    assert water * 0.01 == pytest.approx(partial[3], abs=25.0)
    assert door == round(1000 * bench.plant.gas.hatch_share(fitted().hatches[0].name))


def test_a_relay_reaches_the_equipment_and_is_logged() -> None:
    bench = Bench()
    (hello,) = [r for r in bench.tell("P1", 0, Hello(1, 1)) if isinstance(r, HelloAck)]
    assert hello.features & Feature.SWITCH
    bench.tell("P1", 2 * S, Switch(2, False))
    assert bench.plant.switch_log == [(2.0, "cabin-fan", False)]
    bench.plant.reboot("P1")
    assert bench.plant.switch_log[-1][1:] == ("cabin-fan", True)


def test_one_burst_holds_air_and_skin_on_one_clock() -> None:
    bench = Bench(contacts=ContactsTable(full_scale_m_s=1e-5), leaks=())
    bench.plant.structure = Shaking()
    (hello,) = [r for r in bench.tell("A", 0, Hello(1, 1)) if isinstance(r, HelloAck)]
    assert [channel.quantity for channel in hello.channels] == [Quantity.ULTRASOUND] * 4 + [Quantity.SURFACE_VELOCITY]
    assert hello.features & Feature.SIMULTANEOUS
    bench.tell("A", S, Capture(1, 2048, TriggerRole.AT_TIME, 0))
    bench.run(2 * S, S)
    pieces = [report for report in bench.said("A") if isinstance(report, BurstPiece)]
    counts = np.concatenate([piece.counts for piece in pieces], axis=1)
    assert counts.shape == (5, 2048)
    assert np.abs(counts[4]).max() * hello.channels[4].scale == pytest.approx(1e-6, rel=0.01)


def test_a_multiplexed_converter_does_not_claim_to_be_simultaneous() -> None:
    bench = Bench(arrays=ArraysTable(skew_us=2.0))
    (hello,) = [r for r in bench.tell("A", 0, Hello(1, 1)) if isinstance(r, HelloAck)]
    assert not hello.features & Feature.SIMULTANEOUS


def test_levels_are_those_of_the_waveforms_and_rise_with_a_leak() -> None:
    bench = Bench()
    bench.tell("A", 85 * S, Levels(1000))
    bench.run(95 * S, 85 * S)
    reports = [report.mean_square for report in bench.said("A") if isinstance(report, BandLevels)]
    before, after = np.mean(reports[:5], axis=0)[:4], np.mean(reports[-4:], axis=0)[:4]
    assert (after[:, 0] > 2 * before[:, 0]).all()
    bands_hz = np.array(scenario().streams.bands_khz) * 1000.0
    for start_s, reported in ((80.0, before), (200.0, after)):
        counts, _ = bench.plant.render(Render("A", Recording(9, round(start_s * S), 16_384, triggered=False)))
        measured = band_mean_squares(counts[:4].astype(np.float64), bands_hz, 192e3)
        # Each stretch of 85 ms knows a band of 10 kHz to 1 / sqrt(850) = 3.4 %, the memory's own included; five sigmas.
        assert reported == pytest.approx(measured, rel=0.25)


def test_a_burst_rendered_over_a_reboot_is_dropped() -> None:
    bench = Bench()
    bench.tell("B", 0, Capture(1, 1024, TriggerRole.AT_TIME, 0))
    bench.plant.step(0)
    (job,) = bench.plant.step(S)
    counts, saturated = bench.plant.render(job)
    bench.plant.reboot("B")
    bench.plant.finish(job, S, counts, saturated=saturated)
    assert not [report for report in bench.said("B") if isinstance(report, BurstPiece)]


def test_nobody_is_woken_for_nothing() -> None:
    plant = Bench().plant
    plant.step(0)
    assert plant.next_ns(0) == 10 * S
