"""What nodes with contact sensors send: bursts with and without microphones beside them, and levels."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_bridge.units import Quantity
from firmware_bridge.wire.commands import Capture, Hello, Levels, TriggerRole
from firmware_bridge.wire.reports import BandLevels, BurstPiece, HelloAck
from sim.node.board import BurstOrder
from sim.plant.leaks import declared_leaks
from sim.plant.levels import REFERENCE_SAMPLES, REFRESH_S, SETTLING_S, LevelMemory, band_mean_squares
from sim.plant.plant import Plant, Render
from sim.scenario.nodes import ArraysTable, ContactsTable, StreamsTable
from sim.scenario.structure import StructureTable
from tests.support.plant_bench import PlantBench
from tests.support.tube import BOTH, OPENS_AT_S, RATE_HZ, SKIN, TIME_S, scenario, site

FloatArray = NDArray[np.float64]

S = 1_000_000_000


class Bench(PlantBench):
    """One whose nodes are asked for bursts."""

    def hello(self, name: str) -> HelloAck:
        (ack,) = [report for report in self.tell(name, 0, Hello(1, 1)) if isinstance(report, HelloAck)]
        return ack

    def burst(self, name: str, samples: int, at_s: float = TIME_S) -> NDArray[np.int16]:
        self.tell(name, round(at_s * S), Capture(1, samples, TriggerRole.AT_TIME, 0))
        self.run(round(at_s * S), round((at_s + 1.0) * S))
        pieces = [report for report in self.said(name) if isinstance(report, BurstPiece)]
        return np.concatenate([piece.counts for piece in pieces], axis=1)


def test_before_the_leak_nothing_shakes_and_a_burst_holds_the_front_end_alone() -> None:
    told = scenario()
    bench = Bench(Plant(told, site(SKIN, BOTH)))
    assert not bench.plant.shaking.capture("skin", OPENS_AT_S - 1.0, 4096, 0.0).any()
    counts = bench.burst("skin", 16_384, 5.0)
    noise = told.contacts.self_noise_m_s_rthz * math.sqrt(RATE_HZ / 2.0) / bench.hello("skin").channels[0].scale
    # A count is 2.9 noises wide, so nearly all counts are 0 or 1 either way, and the mean square is the share of the
    # latter: 0.15 of 16,384, which chance changes by 1.9 %, its root by half of that; four sigmas. Twos: 1e-5.
    ones = math.erfc(0.5 / noise / math.sqrt(2.0))
    assert counts.shape == (2, 16_384)
    assert counts.std(axis=1) == pytest.approx(np.full(2, math.sqrt(ones)), rel=0.04)
    assert bench.burst("skin", 16_384).std() > 1000.0 * math.sqrt(ones)


def test_the_same_seed_gives_the_same_bytes_in_any_order() -> None:
    one, other = (Plant(scenario(), site(SKIN, BOTH)) for _ in range(2))
    jobs = [Render(name, BurstOrder(1, round(TIME_S * S), 2048, False)) for name in ("skin", "both")]
    there, back = [one.render(job)[0] for job in jobs], [other.render(job)[0] for job in reversed(jobs)]
    assert [counts.tobytes() for counts in there] == [counts.tobytes() for counts in reversed(back)]
    others = Plant(scenario(), site(SKIN, BOTH), seed=8).render(jobs[0])[0]
    assert not np.array_equal(others, there[0])


def test_a_node_with_both_puts_them_into_one_burst_at_the_microphones_rate() -> None:
    told = scenario(contacts=ContactsTable(burst_rate_khz=400.0), arrays=ArraysTable(burst_rate_khz=192.0))
    bench = Bench(Plant(told, site(SKIN, BOTH)))
    assert [bench.hello(name).burst_rate_hz for name in ("both", "skin")] == [192_000, 400_000]
    assert [channel.quantity for channel in bench.hello("both").channels] == [
        Quantity.SURFACE_VELOCITY, Quantity.ULTRASOUND, Quantity.ULTRASOUND,
    ]  # fmt: skip
    counts = bench.burst("both", 4096)
    assert counts.shape == (3, 4096)
    assert (counts.std(axis=1) > 2.0).all()
    felt = bench.plant.shaking.capture("both", TIME_S, 16_384, 0.0)
    assert counts[0].std() * bench.hello("both").channels[0].scale == pytest.approx(felt.std(), rel=0.1)


def test_levels_rise_with_the_leak_to_what_the_waveform_has() -> None:
    told = scenario(structure=StructureTable(), streams=StreamsTable(bands_khz=((20.0, 30.0), (45.0, 60.0))))
    bench = Bench(Plant(told, site(SKIN)))
    bench.tell("skin", 8 * S, Levels(500))
    bench.run(8 * S, 15 * S)
    reports = [report.mean_square for report in bench.said("skin") if isinstance(report, BandLevels)]
    before, after = np.mean(reports[:4], axis=0), np.mean(reports[-4:], axis=0)
    assert (after > 1e4 * before).all()
    felt = bench.plant.shaking.capture("skin", TIME_S, 4 * REFERENCE_SAMPLES, 0.0)
    bands_hz = np.array([[20e3, 30e3], [45e3, 60e3]])
    expected = band_mean_squares(felt, bands_hz, RATE_HZ) / bench.hello("skin").channels[0].scale ** 2
    # a band of 10 kHz for 85 ms, windowed, of a reverberant and so uneven spectrum: some 6 %; three sigmas
    assert after == pytest.approx(expected, rel=0.2)


def test_levels_are_looked_at_again_once_a_change_has_settled() -> None:
    memory = LevelMemory(declared_leaks(scenario()))
    listened: list[float] = []

    def capture(start_s: float, samples: int) -> FloatArray:
        listened.append(start_s)
        return np.zeros((1, samples))

    bands_hz = np.array([[20e3, 30e3]])
    for at_s in (0.0, 0.25, 1.0, 5.0, 10.0, 10.25, 11.0, 50.0, 11.0 + REFRESH_S):
        memory.level(("skin", "q"), at_s, bands_hz, RATE_HZ, capture, 0)
    assert SETTLING_S == 0.5
    assert listened == [0.0, 1.0, 10.0, 11.0, 11.0 + REFRESH_S]
