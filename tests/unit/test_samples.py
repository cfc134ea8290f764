"""Reports to SI blocks: scaling, naming, dating, gaps, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.samples import (
    MAX_BURST_SAMPLES,
    MAX_OPEN_BURSTS,
    STALE_SWEEPS,
    Assembler,
    BurstBlock,
    LevelBlock,
    ScalarBlock,
    VibrationBlock,
    WaveBlock,
)
from firmware_bridge.timebase import RoundTrip, TimeBase
from firmware_bridge.units import NS_PER_S, Quantity
from firmware_bridge.wire.framing import Flags
from firmware_bridge.wire.reports import BandLevels, BurstPiece, Channel, Samples
from tests.support.sites import A_CHANNELS, parsed, site_tables, small_site

OFFSET_NS = 3_000_000_000  # the node's clock is ahead by this
RATE_HZ = 192_000
PATH_NS = 100_000
T0 = 60 * NS_PER_S  # node time


def known_timebase(drift_ppm: int = 0) -> TimeBase:
    base = TimeBase()
    for second in range(30):
        at_ns = 30 * NS_PER_S + second * NS_PER_S
        node_ns = OFFSET_NS + at_ns + at_ns * drift_ppm // 1_000_000
        base.observe(RoundTrip(at_ns - PATH_NS, node_ns, node_ns, at_ns + PATH_NS))
    return base


def assembler(base: TimeBase | None = None, channels: tuple[Channel, ...] = A_CHANNELS) -> Assembler:
    return Assembler(small_site().node("A"), channels, base or known_timebase())


def slow(*rows: tuple[int, ...], first_channel: int = 2, period_ns: int = NS_PER_S // 2) -> Samples:
    return Samples(first_channel, period_ns, np.array(rows, dtype=np.int32))


def waveform(samples: int, channels: int = 2) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    return np.arange(channels * samples, dtype=np.int16).reshape(channels, samples)


def piece(
    offset: int, end: int, *, burst_id: int = 1, total: int = 12, first: int = 0, rate: int = RATE_HZ
) -> BurstPiece:
    return BurstPiece(burst_id, first, offset, total, rate, waveform(total)[:, offset:end])


def waves(blocks: list[BurstBlock]) -> list[WaveBlock]:
    """All of them, where a node has microphones only."""
    assert all(isinstance(block, WaveBlock) for block in blocks)
    return [block for block in blocks if isinstance(block, WaveBlock)]


def send(into: Assembler, *pieces: BurstPiece, time_ns: int = T0, flags: Flags = Flags.NONE) -> list[WaveBlock]:
    return waves([block for part in pieces for block in into.burst(part, time_ns, flags)])


MIXED_CHANNELS = (
    Channel(Quantity.ULTRASOUND, 0.001, 0.0),
    Channel(Quantity.SURFACE_VELOCITY, 1e-9, 0.0),
    Channel(Quantity.SURFACE_VELOCITY, 2e-9, 1e-6),
    Channel(Quantity.PP_OXYGEN, 0.5, 0.0),
    Channel(Quantity.HATCH, 0.01, 0.0),
)


def mixed() -> Assembler:
    """Node A with one microphone, two contact sensors, an oxygen sensor and a hatch sensor."""
    tables = site_tables()
    tables["nodes"][0]["sensors"] = [
        {"name": "A1", "quantity": "ultrasound", "channel": 0, "position_m": [0.5, 0.5, 0.5], "gain": 3.0},
        {"name": "A-c1", "quantity": "surface_velocity", "channel": 1, "position_m": [0.0, 0.5, 0.5], "gain": 2.0},
        {"name": "A-c2", "quantity": "surface_velocity", "channel": 2, "position_m": [0.0, 1.5, 0.5]},
        {"name": "A-o2", "quantity": "oxygen", "channel": 3},
        {"name": "A-h1", "quantity": "hatch", "channel": 4, "hatch": "h1"},
    ]
    return Assembler(parsed(tables).node("A"), MIXED_CHANNELS, known_timebase())


def levels(*rows: tuple[float, ...], first_channel: int = 0, window_ns: int = NS_PER_S) -> BandLevels:
    """Rows of two bands, 1 to 2 and 2 to 4 kHz."""
    edges = np.array([[1000.0, 2000.0], [2000.0, 4000.0]], dtype=np.float32)
    return BandLevels(window_ns, first_channel, edges, np.array(rows, dtype=np.float32))


def test_counts_become_si_by_the_nodes_scale_and_then_the_sites_calibration() -> None:
    pressure, temperature = assembler().scalars(slow((400, 2000), (404, 2001)), T0)
    assert (pressure.node, pressure.sensor, pressure.quantity) == ("A", "A-p", Quantity.PRESSURE)
    assert pressure.value.tolist() == [1.5 * 100_100.0 - 10.0, 1.5 * 100_101.0 - 10.0]
    assert (temperature.sensor, temperature.quantity) == ("A-t", Quantity.TEMPERATURE)
    assert temperature.value.tolist() == pytest.approx([293.15, 293.16])


def test_samples_are_dated_on_the_common_base() -> None:
    (block, _) = assembler().scalars(slow((0, 0), (0, 0), (0, 0)), T0)
    assert block.time_ns.dtype == np.int64
    assert np.abs(block.time_ns - (T0 - OFFSET_NS + np.array([0, 1, 2]) * NS_PER_S // 2)).max() <= 1000
    assert block.time_sigma_ns == pytest.approx(PATH_NS / math.sqrt(3), rel=0.05)


def test_a_drifting_clocks_period_is_stretched_to_the_common_base() -> None:
    (block, _) = assembler(known_timebase(drift_ppm=100)).scalars(slow((0, 0), (0, 0)), T0)
    assert np.diff(block.time_ns)[0] == pytest.approx(NS_PER_S / 2 * (1 - 100e-6), abs=1000)


def test_blocks_cannot_be_written_to() -> None:
    (scalar, _) = assembler().scalars(slow((0, 0)), T0)
    (wave,) = send(assembler(), piece(0, 12))
    for array in (scalar.time_ns, scalar.value, wave.pressure_pa):
        assert not array.flags.writeable


def test_channels_that_the_site_does_not_list_are_skipped() -> None:
    channels = (*A_CHANNELS, Channel(Quantity.TEMPERATURE, 1.0, 0.0))
    blocks = assembler(channels=channels).scalars(slow((1, 2, 3)), T0)
    assert [block.sensor for block in blocks] == ["A-p", "A-t"]


def test_channels_on_which_site_and_node_disagree_are_skipped() -> None:
    swapped = (*A_CHANNELS[:2], A_CHANNELS[3], A_CHANNELS[2])
    assert assembler(channels=swapped).scalars(slow((1, 2)), T0) == []
    assert assembler(channels=A_CHANNELS[:3]).scalars(slow((1, 2)), T0)[-1].sensor == "A-p"


def test_a_microphones_slow_samples_are_no_scalar() -> None:
    assert assembler().scalars(slow((1, 2), first_channel=0), T0) == []


def test_nothing_is_dated_before_the_clock_is_known() -> None:
    unready = assembler(TimeBase())
    assert unready.scalars(slow((1, 2)), T0) == []
    assert send(unready, piece(0, 12)) == []
    assert unready.flush() == []
    assert unready.refused == 2


@given(st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, 2**63, 2**64 - 1])), st.integers(1, 3600 * NS_PER_S))
def test_times_that_cannot_be_this_clocks_are_refused_and_counted(time_ns: int, period_ns: int) -> None:
    """A u64 of nanoseconds does not fit the int64 of a block: no node may bring that about."""
    into = assembler()
    blocks: list[ScalarBlock | WaveBlock] = [*into.scalars(slow((0, 0), (0, 0), period_ns=period_ns), time_ns)]
    blocks += send(into, piece(0, 12), time_ns=time_ns)
    near = abs(time_ns - T0) <= 700 * NS_PER_S
    assert near or (blocks == [] and into.refused == 2)


def test_a_burst_comes_whole_with_scale_calibration_and_date() -> None:
    (block,) = send(assembler(), piece(0, 5), piece(5, 12))
    assert (block.node, block.sensors, block.burst_id) == ("A", ("A1", "A2"), 1)
    counts = waveform(12)
    assert block.pressure_pa.dtype == np.float32
    assert block.pressure_pa[0] == pytest.approx(counts[0] * 0.001)
    assert block.pressure_pa[1] == pytest.approx(0.25 + 2.0 * (0.5 + 0.001 * counts[1]), rel=1e-6)
    assert block.start_ns == pytest.approx(T0 - OFFSET_NS, abs=1000)
    assert block.start_sigma_ns == pytest.approx(PATH_NS / math.sqrt(3), rel=0.05)
    assert block.missing == ()


def test_a_drifting_nodes_sample_rate_is_told_on_the_common_base() -> None:
    (block,) = send(assembler(known_timebase(drift_ppm=100)), piece(0, 12))
    assert block.rate_hz == pytest.approx(RATE_HZ * (1 + 100e-6), rel=2e-6)


@given(st.sets(st.integers(0, 11), max_size=10))
def test_what_is_missing_is_named_and_zero(lost: set[int]) -> None:
    into = assembler()
    blocks = send(into, *[piece(i, i + 1) for i in range(12) if i not in lost]) + waves(into.flush())
    (block,) = blocks
    named = {at for start, end in block.missing for at in range(start, end)}
    assert named == lost
    assert all(start < end for start, end in block.missing)
    assert not block.pressure_pa[:, sorted(lost)].any()
    there = sorted(set(range(12)) - lost)
    assert block.pressure_pa[0, there] == pytest.approx(waveform(12)[0, there] * 0.001)


def test_the_last_piece_ends_a_burst_even_with_a_gap() -> None:
    """Pieces come in order: after the last one nothing more of this burst can come."""
    (block,) = send(assembler(), piece(0, 4), piece(8, 12))
    assert block.missing == ((4, 8),)


def test_a_burst_whose_last_piece_was_lost_is_closed_by_sweeping() -> None:
    into = assembler()
    assert send(into, piece(0, 4)) == []
    assert [into.sweep() for _ in range(STALE_SWEEPS - 1)] == [[]] * (STALE_SWEEPS - 1)
    assert send(into, piece(4, 8)) == []  # something came: it is not stale
    assert [into.sweep() for _ in range(STALE_SWEEPS - 1)] == [[]] * (STALE_SWEEPS - 1)
    (block,) = into.sweep()
    assert block.missing == ((8, 12),)
    assert into.sweep() == []


def test_too_many_open_bursts_push_out_the_oldest() -> None:
    into = assembler()
    opened = [send(into, piece(0, 4, burst_id=number)) for number in range(MAX_OPEN_BURSTS + 1)]
    (pushed_out,) = opened.pop()
    assert opened == [[]] * MAX_OPEN_BURSTS
    assert (pushed_out.burst_id, pushed_out.missing) == (0, ((4, 12),))
    assert [block.burst_id for block in into.flush()] == list(range(1, MAX_OPEN_BURSTS + 1))


def test_trigger_and_saturation_of_any_piece_are_the_bursts() -> None:
    into = assembler()
    send(into, piece(0, 4), flags=Flags.TRIGGERED)
    (block,) = send(into, piece(4, 12), flags=Flags.SATURATED)
    assert block.triggered
    assert block.saturated
    (plain,) = send(into, piece(0, 12, burst_id=2))
    assert not plain.triggered
    assert not plain.saturated


@pytest.mark.parametrize(
    "stray",
    [
        piece(4, 8, total=11),
        piece(4, 8, rate=96_000),
        BurstPiece(1, 1, 4, 12, RATE_HZ, waveform(4, channels=1)),
        BurstPiece(1, 1, 4, 12, RATE_HZ, waveform(4)),
    ],
    ids=["another length", "another rate", "fewer channels", "other channels"],
)
def test_a_piece_that_does_not_fit_its_burst_is_refused(stray: BurstPiece) -> None:
    into = assembler()
    send(into, piece(0, 4))
    assert send(into, stray) == []
    assert into.refused == 1
    (block,) = send(into, piece(8, 12))
    assert block.missing == ((4, 8),)


def test_a_piece_with_another_start_is_refused() -> None:
    into = assembler()
    send(into, piece(0, 4))
    assert send(into, piece(4, 12), time_ns=T0 + 1) == []
    assert into.refused == 1


@pytest.mark.parametrize(
    "unfit",
    [
        BurstPiece(1, 0, 0, MAX_BURST_SAMPLES + 1, RATE_HZ, waveform(4)),
        BurstPiece(1, 1, 0, 4, RATE_HZ, waveform(4)),
        BurstPiece(1, 2, 0, 4, RATE_HZ, waveform(4, channels=1)),
        BurstPiece(1, 200, 0, 4, RATE_HZ, waveform(4)),
    ],
    ids=["too long", "a channel that is no microphone among them", "no microphone", "channels that nobody has"],
)
def test_bursts_that_no_surveyed_array_makes_are_refused(unfit: BurstPiece) -> None:
    into = assembler()
    assert send(into, unfit) + into.flush() == []
    assert into.refused == 1


def test_a_burst_begun_on_a_clock_that_was_stepped_is_dropped_and_counted() -> None:
    base = known_timebase()
    into = assembler(base)
    send(into, piece(0, 4))
    base.forget()
    assert into.flush() == []
    assert into.refused == 1


def test_a_burst_of_both_kinds_is_one_block_of_each() -> None:
    into = mixed()
    counts = np.array([[100, 200], [-5, 6], [7, 0]], dtype=np.int16)
    wave, vibration = into.burst(BurstPiece(9, 0, 0, 2, RATE_HZ, counts), T0, Flags.TRIGGERED | Flags.SATURATED)
    assert isinstance(wave, WaveBlock)
    assert isinstance(vibration, VibrationBlock)
    assert (wave.sensors, vibration.sensors) == (("A1",), ("A-c1", "A-c2"))
    assert wave.pressure_pa == pytest.approx(np.array([[0.3, 0.6]]), rel=1e-6)
    assert vibration.velocity_m_s == pytest.approx(np.array([[-1e-8, 1.2e-8], [1.014e-6, 1e-6]]), rel=1e-6)
    assert vibration.velocity_m_s.dtype == np.float32
    assert not vibration.velocity_m_s.flags.writeable
    shared = ("node", "burst_id", "start_ns", "start_sigma_ns", "rate_hz", "triggered", "saturated", "missing")
    for name in (*shared, "nominal_hz", "rate_sigma"):
        assert getattr(wave, name) == getattr(vibration, name), name
    assert wave.triggered
    assert wave.saturated


def test_contact_sensors_alone_make_no_sound() -> None:
    into = mixed()
    assert into.burst(BurstPiece(9, 1, 0, 12, RATE_HZ, waveform(4)), T0, Flags.NONE) == []
    (block,) = into.flush()
    assert isinstance(block, VibrationBlock)
    assert (block.sensors, block.missing) == (("A-c1", "A-c2"), ((4, 12),))
    assert not block.velocity_m_s[:, 4:].any()


def test_a_slow_channel_in_a_burst_is_refused_whatever_it_measures() -> None:
    into = mixed()
    assert into.burst(BurstPiece(9, 2, 0, 4, RATE_HZ, waveform(4)), T0, Flags.NONE) + into.flush() == []
    assert into.refused == 1


def test_slow_channels_of_every_kind_are_scalars_and_burst_channels_are_none() -> None:
    blocks = mixed().scalars(slow((1, 2, 3, 42_000, 50), first_channel=0), T0)
    assert [(block.sensor, block.quantity) for block in blocks] == [
        ("A-o2", Quantity.PP_OXYGEN),
        ("A-h1", Quantity.HATCH),
    ]
    assert [float(block.value[0]) for block in blocks] == pytest.approx([21_000.0, 0.5])


def test_levels_become_si_squared_one_block_a_quantity() -> None:
    sound, vibration = mixed().levels(levels((4.0, 9.0), (16.0, 0.0), (1.0, 25.0)), T0, Flags.NONE)
    assert (sound.node, sound.quantity, sound.sensors) == ("A", Quantity.ULTRASOUND, ("A1",))
    assert (vibration.quantity, vibration.sensors) == (Quantity.SURFACE_VELOCITY, ("A-c1", "A-c2"))
    assert sound.mean_square == pytest.approx(np.array([[4.0, 9.0]]) * (3.0 * 0.001) ** 2)
    assert vibration.mean_square == pytest.approx(np.array([[16.0 * 4e-18, 0.0], [4e-18, 25.0 * 4e-18]]))
    assert vibration.bands_hz.tolist() == [[1000.0, 2000.0], [2000.0, 4000.0]]
    assert sound.t0_ns == pytest.approx(T0 - OFFSET_NS, abs=1000)
    assert sound.window_ns == pytest.approx(NS_PER_S, abs=1000)
    for block in (sound, vibration):
        assert not block.mean_square.flags.writeable
        assert not block.bands_hz.flags.writeable
        assert not block.saturated


def test_a_levels_mean_square_is_that_of_the_waveform() -> None:
    """The same counts, once as a burst and once as the level that a node makes of them: offsets take no part."""
    counts = np.rint(1000.0 * np.sin(2 * np.pi * np.arange(4096) / 64)).astype(np.int16)  # 64 whole turns
    (wave,) = send(assembler(), BurstPiece(1, 0, 0, 4096, RATE_HZ, np.stack([counts, counts])))
    told = np.var(counts.astype(float))
    (level,) = assembler().levels(levels((told, 0.0), (told, 0.0)), T0, Flags.NONE)
    assert level.sensors == wave.sensors
    assert level.mean_square[:, 0] == pytest.approx(np.var(wave.pressure_pa.astype(float), axis=1), rel=1e-5)  # float32


def test_a_drifting_clocks_window_is_told_on_the_common_base() -> None:
    (block,) = assembler(known_timebase(drift_ppm=100)).levels(levels((1.0, 1.0)), T0, Flags.NONE)
    assert block.window_ns == pytest.approx(NS_PER_S * (1 - 100e-6), abs=2000)


def test_levels_of_channels_that_are_unknown_or_slow_are_skipped() -> None:
    blocks = mixed().levels(levels((1.0, 1.0), (1.0, 1.0), (1.0, 1.0), (1.0, 1.0), first_channel=2), T0, Flags.NONE)
    assert [block.sensors for block in blocks] == [("A-c2",)]
    assert mixed().levels(levels((1.0, 1.0), first_channel=255), T0, Flags.NONE) == []


def test_the_largest_level_is_a_number_in_si() -> None:
    largest = float(np.finfo(np.float32).max)
    (block,) = assembler(channels=(Channel(Quantity.ULTRASOUND, 1e9, 0.0),)).levels(
        levels((largest, 0.0)), T0, Flags.SATURATED
    )
    assert np.isfinite(block.mean_square).all()
    assert block.saturated


def test_levels_are_not_dated_before_the_clock_is_known_nor_by_times_that_cannot_be_its() -> None:
    for into, time_ns in ((assembler(TimeBase()), T0), (assembler(), 2**64 - 1)):
        refused: list[LevelBlock] = into.levels(levels((1.0, 1.0)), time_ns, Flags.NONE)
        assert refused == []
        assert into.refused == 1
