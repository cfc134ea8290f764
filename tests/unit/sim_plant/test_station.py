"""Nodes in their places: what a plant lets them feel, switch and send."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from firmware_bridge.declared import load_declared
from firmware_bridge.site.schema import SensorTable, SiteTable, SwitchTable
from firmware_bridge.site.survey import Site, build_site
from firmware_bridge.units import Quantity
from firmware_bridge.wire.commands import Capture, Hello, Levels, Ping, Start, Switch, TriggerRole
from firmware_bridge.wire.reports import (
    Ack,
    AckResult,
    BandLevels,
    BurstPiece,
    Feature,
    HelloAck,
    Pong,
    Report,
    Samples,
)
from sim.node.board import BurstOrder
from sim.plant.levels import band_mean_squares
from sim.plant.plant import Plant, Render
from sim.scenario.faults import FaultTable, TargetTable
from sim.scenario.nodes import ArraysTable, ContactsTable
from sim.scenario.scenario import ScenarioTable
from sim.scenario.weather import WeatherTable
from tests.support.plant_bench import PlantBench
from tests.support.shipped import CONFIGS, shipped

S = 1_000_000_000
ON_THE_SKIN_M = (1.0, 1.1, 0.0)


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


def bench_of(**changes: Any) -> PlantBench:
    return PlantBench(Plant(scenario(**changes), fitted()))


def sine_m_s(node: str, start_s: float, samples: int, drift: float) -> np.ndarray:
    """What is felt of a skin whose velocity is a sine."""
    time_s = start_s + np.arange(samples) / (192e3 * (1 + drift))
    return 1e-6 * np.sin(2 * np.pi * 30e3 * time_s)[None, :]


def test_gas_and_hatch_sensors_read_the_gas() -> None:
    bench = bench_of()
    bench.tell("P1", 0, Start(1000))
    bench.run(0, 0)
    samples = [report for report in bench.said("P1") if isinstance(report, Samples)]
    nitrogen, water, door = samples[-1].counts[0, -3:]
    partial = bench.plant.gas.partial_pa("orbital-module")
    # 5 Pa of noise each, five sigmas.
    assert nitrogen * 0.01 == pytest.approx(partial[0], abs=25.0)
    assert water * 0.01 == pytest.approx(partial[3], abs=25.0)
    assert door == round(1000 * bench.plant.gas.hatch_share(fitted().hatches[0].name))


def test_a_relay_reaches_the_equipment_and_is_logged() -> None:
    bench = bench_of()
    (hello,) = [r for r in bench.tell("P1", 0, Hello(1, 1)) if isinstance(r, HelloAck)]
    assert hello.features & Feature.SWITCH
    bench.tell("P1", 2 * S, Switch(2, False))
    assert bench.plant.switch_log == [(2.0, "cabin-fan", False)]
    bench.plant.reboot("P1")
    assert bench.plant.switch_log[-1][1:] == ("cabin-fan", True)


def test_one_burst_holds_air_and_skin_on_one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = bench_of(contacts=ContactsTable(full_scale_m_s=1e-5), leaks=())
    monkeypatch.setattr(bench.plant.shaking, "capture", sine_m_s)
    (hello,) = [r for r in bench.tell("A", 0, Hello(1, 1)) if isinstance(r, HelloAck)]
    assert [channel.quantity for channel in hello.channels] == [Quantity.ULTRASOUND] * 4 + [Quantity.SURFACE_VELOCITY]
    assert hello.features & Feature.SIMULTANEOUS
    bench.tell("A", S, Capture(1, 2048, TriggerRole.AT_TIME, 0))
    bench.run(S, 2 * S)
    pieces = [report for report in bench.said("A") if isinstance(report, BurstPiece)]
    counts = np.concatenate([piece.counts for piece in pieces], axis=1)
    assert counts.shape == (5, 2048)
    assert np.abs(counts[4]).max() * hello.channels[4].scale == pytest.approx(1e-6, rel=0.01)


def test_a_multiplexed_converter_does_not_claim_to_be_simultaneous() -> None:
    bench = bench_of(arrays=ArraysTable(skew_us=2.0))
    (hello,) = [r for r in bench.tell("A", 0, Hello(1, 1)) if isinstance(r, HelloAck)]
    assert not hello.features & Feature.SIMULTANEOUS


def test_levels_are_those_of_the_waveforms_and_rise_with_a_leak() -> None:
    bench = bench_of()
    bench.tell("A", 85 * S, Levels(1000))
    bench.run(85 * S, 95 * S)
    reports = [report.mean_square for report in bench.said("A") if isinstance(report, BandLevels)]
    before, after = np.mean(reports[:5], axis=0)[:4], np.mean(reports[-4:], axis=0)[:4]
    assert (after[:, 0] > 2 * before[:, 0]).all()
    bands_hz = np.array(scenario().streams.bands_khz) * 1000.0
    for start_s, reported in ((80.0, before), (200.0, after)):
        counts, _ = bench.plant.render(Render("A", BurstOrder(9, round(start_s * S), 16_384, triggered=False)))
        measured = band_mean_squares(counts[:4].astype(np.float64), bands_hz, 192e3)
        # Each stretch of 85 ms knows a band of 10 kHz to 1 / sqrt(850) = 3.4 %, the memory's own included; five sigmas.
        assert reported == pytest.approx(measured, rel=0.25)


def test_a_second_capture_while_one_records_is_refused_as_busy() -> None:
    bench = bench_of()
    assert_acked(bench.tell("A", 1000, Capture(1, 19_200, TriggerRole.AT_TIME, 0)), AckResult.DONE)
    bench.run(1000, 50_000_000)  # it takes 100 ms
    assert_acked(bench.tell("A", 50_000_000, Capture(2, 64, TriggerRole.AT_TIME, 0)), AckResult.BUSY)
    bench.run(50_000_000, 101_000_000)
    bench.said("A")
    assert_acked(bench.tell("A", 101_000_000, Capture(3, 64, TriggerRole.AT_TIME, 0)), AckResult.DONE)


def assert_acked(said: list[Report], result: AckResult) -> None:
    assert [report.result for report in said if isinstance(report, Ack)] == [result]


def test_a_clock_that_is_set_back_by_a_day_still_speaks() -> None:
    set_back = FaultTable(target=TargetTable(node="P1"), kind="wrong", from_s=1.0, until_s=5.0, step_s=-86_400.0)
    bench = bench_of(faults=(set_back,))
    bench.run(0, 2 * S)
    assert any(isinstance(report, Pong) for report in bench.tell("P1", 2 * S, Ping(7)))


def test_a_burst_rendered_over_a_reboot_is_dropped() -> None:
    bench = bench_of()
    bench.tell("B", 0, Capture(1, 1024, TriggerRole.AT_TIME, 0))
    bench.plant.step(0)
    (job,) = bench.plant.step(S)
    counts, saturated = bench.plant.render(job)
    bench.plant.reboot("B")
    bench.plant.finish(job, S, counts, saturated=saturated)
    assert not [report for report in bench.said("B") if isinstance(report, BurstPiece)]


def test_nobody_is_woken_for_nothing() -> None:
    plant = bench_of().plant
    plant.step(0)
    assert plant.next_ns(0) == 10 * S
