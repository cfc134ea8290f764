"""Every fault of the simulator: it acts between its times and nowhere else, and the same seed gives the same bytes."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.declared import parse_declared
from firmware_bridge.errors import DeclaredFileError
from firmware_bridge.wire.commands import Capture, Hello, Levels, Ping, Siren, SirenPattern, Start, TriggerRole
from firmware_bridge.wire.framing import Flags
from firmware_bridge.wire.reports import BandLevels, BurstPiece, HelloAck, Pong, Samples, Status
from sim.faults import Faults
from sim.faults.damage import Damage, damaged, misread
from sim.faults.line_faults import FaultyWay
from sim.faults.schedule import Spells
from sim.plant.plant import Plant
from sim.scenario.faults import PARAMETERS, FaultTable
from sim.scenario.nodes import BarometersTable, LinesTable
from sim.scenario.scenario import ScenarioTable
from sim.scenario.weather import WeatherTable
from tests.support.rig import shipped
from tests.support.scripted_host import Heard, Script, play

FROM_S, UNTIL_S, END_S = 20.0, 40.0, 60.0
NODE, SENSOR, ARRAY, MICROPHONE = "P1", "P1-pressure", "A", "A1"
TRUE_COUNT = 9_933_000  # of the quiet cabin, 0.01 Pa each
SCRIPT: Script = (
    (1.0, NODE, Start(500)),
    *((2.0 + k, NODE, Ping(k)) for k in range(58)),
)
AGAIN: Script = (  # for those that lose their memory
    *SCRIPT,
    *((at_s, NODE, Hello(1, 1)) for at_s in (30.5, 50.5)),
    *((at_s, NODE, Start(500)) for at_s in (30.6, 50.6)),
)


def quiet(*faults: FaultTable, **changes: Any) -> ScenarioTable:
    """The shipped rig in a cabin that does nothing, its pressure read without error but one count of noise."""
    scenario, _ = shipped()
    changes = {"leaks": (), "weather": WeatherTable(), "barometers": BarometersTable(noise_pa=0.01), **changes}
    return scenario.model_copy(update={"faults": faults, **changes})


def fault(
    where: str, name: str, kind: str, from_s: float = FROM_S, until_s: float = UNTIL_S, **keys: Any
) -> FaultTable:
    raw = {"target": {where: name}, "kind": kind, "from_s": from_s, "until_s": until_s, **keys}
    return parse_declared(raw, "test", FaultTable)


def run(*faults: FaultTable, script: Script = SCRIPT, **changes: Any) -> Heard:
    return play(quiet(*faults, **changes), shipped()[1], script, END_S)


@cache
def healthy() -> Heard:
    return run()


def split(counts: np.ndarray, slack_s: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Counts taken while the fault acts, and all others."""
    inside = (counts[:, 0] >= FROM_S) & (counts[:, 0] < UNTIL_S + slack_s)
    return counts[inside], counts[~inside]


def test_without_faults_the_cabin_reads_as_it_is() -> None:
    counts = healthy().counts(NODE)
    assert len(counts) == pytest.approx(118, abs=2)
    assert np.abs(counts[:, 1] - TRUE_COUNT).max() <= 6


# ------------------------------------------------------------------ sensors, slow


def stuck_at_one(counts: np.ndarray) -> bool:
    return len(set(counts[:, 1])) == 1


SENSOR_FAULTS: list[tuple[str, dict[str, Any], Callable[[np.ndarray], bool]]] = [
    ("off", {}, lambda c: (c[:, 1] == 0).all()),
    ("off", {"reads": "full_scale"}, lambda c: (c[:, 1] == 2**23 - 1).all()),
    ("stuck", {}, stuck_at_one),
    ("garbage", {"share": 0.5}, lambda c: 5 < np.sum(np.abs(c[:, 1] - TRUE_COUNT) > 100) < 35),
    ("wrong", {"offset": 100.0}, lambda c: np.abs(c[:, 1] - TRUE_COUNT - 10_000).max() <= 6),
    ("wrong", {"gain": 1.01}, lambda c: np.abs(c[:, 1] - 1.01 * TRUE_COUNT).max() <= 7),
    (
        "wrong",
        {"ramp_per_hour": -3600.0},
        lambda c: np.abs(c[:, 1] - TRUE_COUNT + 100 * (c[:, 0] - FROM_S)).max() <= 8,
    ),
    ("slow", {"lag_s": 30.0}, lambda c: np.ptp(c[:, 1]) <= 3),
    ("intermittent", {"share": 0.5, "mean_s": 2.0}, lambda c: 3 < np.sum(c[:, 1] == 0) < 37),
]


@pytest.mark.parametrize(("kind", "keys", "acts"), SENSOR_FAULTS)
def test_a_slow_sensor_fails_in_its_time_only(
    kind: str, keys: dict[str, Any], acts: Callable[[np.ndarray], bool]
) -> None:
    faulty = run(fault("sensor", SENSOR, kind, **keys))
    during, otherwise = split(faulty.counts(NODE))
    _, expected = split(healthy().counts(NODE))
    assert len(during) == 40
    assert acts(during)
    assert np.array_equal(otherwise, expected)
    assert np.array_equal(faulty.counts(NODE, 1), healthy().counts(NODE, 1))  # the thermometer beside it is well


def test_a_delayed_sensor_reports_what_it_felt_before() -> None:
    faulty = run(fault("sensor", SENSOR, "delayed", delay_s=3.0)).counts(NODE)
    true = healthy().counts(NODE)
    inside = np.flatnonzero((true[:, 0] >= FROM_S) & (true[:, 0] < UNTIL_S))
    assert np.array_equal(faulty[inside, 1], true[inside - 6, 1])  # two readings a second
    assert np.array_equal(np.delete(faulty, inside, 0), np.delete(true, inside, 0))


def test_faults_of_one_sensor_work_one_after_the_other_and_apart() -> None:
    offset = fault("sensor", SENSOR, "wrong", offset=50.0)
    garbage = fault("sensor", SENSOR, "garbage", share=0.3)
    alone = run(offset, fault("sensor", "P2-pressure", "garbage", share=0.9)).counts(NODE)
    assert np.array_equal(run(offset).counts(NODE), alone)  # a fault elsewhere changes nothing
    both, _ = split(run(offset, garbage).counts(NODE))
    assert np.sum(np.abs(both[:, 1] - TRUE_COUNT - 5000) <= 6) > 15


# ------------------------------------------------------------------ sensors, fast

SAMPLES, RATE_HZ = 4096, 192e3
BURSTS: Script = tuple(
    (at_s, ARRAY, Capture(k + 1, SAMPLES, TriggerRole.AT_TIME, 0)) for k, at_s in enumerate((10.0, 30.0, 50.0))
)


def bursts(*faults: FaultTable) -> dict[int, np.ndarray]:
    heard = run(*faults, script=BURSTS)
    found: dict[int, list[np.ndarray]] = {}
    for _, piece in heard.of_kind(ARRAY, BurstPiece):
        found.setdefault(piece.burst_id, []).append(piece.counts)
    return {burst_id: np.concatenate(pieces, axis=1) for burst_id, pieces in found.items()}


@cache
def healthy_bursts() -> dict[int, np.ndarray]:
    return bursts()


FAST_FAULTS: list[tuple[str, dict[str, Any], Callable[[np.ndarray, np.ndarray], bool]]] = [
    ("off", {}, lambda now, true: not now.any()),
    ("off", {"reads": "full_scale"}, lambda now, true: (now == 8191).all()),
    ("stuck", {}, lambda now, true: (now == true[0]).all()),
    ("garbage", {"share": 0.1}, lambda now, true: 300 < np.sum(now != true) < 530),
    ("wrong", {"gain": -2.0}, lambda now, true: np.array_equal(now, -2 * true)),
    ("slow", {"lag_s": 0.001}, lambda now, true: np.std(now) < 0.1 * np.std(true)),
    ("delayed", {"delay_s": 0.5}, lambda now, true: abs(np.corrcoef(now, true)[0, 1]) < 0.2),
    ("intermittent", {"share": 0.5, "mean_s": 0.01}, lambda now, true: 0 < np.sum(now != true) < SAMPLES),
]


@pytest.mark.parametrize(("kind", "keys", "acts"), FAST_FAULTS)
def test_a_microphone_fails_in_its_time_only(
    kind: str, keys: dict[str, Any], acts: Callable[[np.ndarray, np.ndarray], bool]
) -> None:
    faulty, true = bursts(fault("sensor", MICROPHONE, kind, **keys)), healthy_bursts()
    assert acts(faulty[2][0], true[2][0])
    assert np.array_equal(faulty[2][1:], true[2][1:])
    for burst_id in (1, 3):
        assert np.array_equal(faulty[burst_id], true[burst_id])


def test_a_fault_that_begins_within_a_burst_begins_at_its_sample() -> None:
    begins_s = 30.0 + 0.01
    now, true = bursts(fault("sensor", MICROPHONE, "off", begins_s))[2][0], healthy_bursts()[2][0]
    changed = np.flatnonzero(now != true)
    assert changed[0] == pytest.approx(0.01 * RATE_HZ, abs=40)  # where the sound happens to be zero nothing changes
    assert not now[1925:].any()


def levels(*faults: FaultTable) -> np.ndarray:
    heard = run(*faults, script=((1.0, ARRAY, Levels(1000)),))
    return np.array([[at_s, *report.mean_square[0]] for at_s, report in heard.of_kind(ARRAY, BandLevels)])


@cache
def healthy_levels() -> np.ndarray:
    return levels()


@pytest.mark.parametrize(
    ("kind", "keys", "low", "high"),
    [
        ("off", {}, 0.0, 0.0),
        ("stuck", {}, 0.0, 0.0),
        ("wrong", {"gain": 3.0}, 9.0, 9.0),
        ("garbage", {"share": 0.01}, 1e3, 1e9),
        ("slow", {"lag_s": 1e-4}, 1e-5, 0.01),
    ],
)
def test_levels_fail_with_their_microphone(kind: str, keys: dict[str, Any], low: float, high: float) -> None:
    faulty, true = levels(fault("sensor", MICROPHONE, kind, **keys)), healthy_levels()
    inside = (true[:, 0] > FROM_S + 1.0) & (true[:, 0] < UNTIL_S + 1.0)  # reported at the window's end
    ratio = faulty[inside, 1:] / true[inside, 1:]
    assert (ratio >= low * 0.999).all()
    assert (ratio <= high * 1.001).all()
    outside = (true[:, 0] <= FROM_S) | (true[:, 0] > UNTIL_S + 2.0)
    assert np.array_equal(faulty[outside], true[outside])


# ------------------------------------------------------------------ nodes


def boots(heard: Heard) -> list[int]:
    """Boot ids in their order."""
    seen = [packet.boot_id for _, packet in heard.packets(NODE)]
    return list(dict.fromkeys(seen))


def test_a_node_without_power_is_silent_and_comes_back_as_another_boot() -> None:
    heard = run(fault("node", NODE, "off"), script=AGAIN)
    times = np.array([at_s for at_s, _ in heard.packets(NODE)])
    assert not ((times >= FROM_S) & (times < UNTIL_S)).any()
    assert len(boots(heard)) == 2
    assert heard.counts(NODE)[-1, 0] > 59.0
    cause = {status.reset_cause for _, status in heard.of_kind(NODE, Status)}
    assert cause == {1}


def test_power_that_fails_silences_the_siren_and_the_log_says_so() -> None:
    heard = run(fault("node", "S1", "off"), script=((5.0, "S1", Siren(SirenPattern.WARNING)),))
    log = [(round(at_s), node, pattern) for at_s, node, pattern in heard.plant.siren_log]
    assert log == [(5, "S1", SirenPattern.WARNING), (20, "S1", SirenPattern.SILENT)]
    plant = Plant(*shipped())
    script = ((0.0, "S1", Siren(SirenPattern.WARNING)),)
    assert len(play(quiet(), shipped()[1], script, 1.0).plant.siren_log) == 1
    assert plant.siren_log == []


def test_a_node_that_hangs_says_nothing_and_goes_on_as_the_same_boot() -> None:
    heard = run(fault("node", NODE, "stuck"))
    times = np.array([at_s for at_s, _ in heard.packets(NODE)])
    assert not ((times > FROM_S) & (times < UNTIL_S)).any()
    assert len(boots(heard)) == 1
    assert (times >= UNTIL_S).sum() > 40


def test_a_node_full_of_garbage_starts_anew_at_random_by_its_watchdog() -> None:
    heard = run(fault("node", NODE, "garbage", mean_s=2.0), script=AGAIN)
    assert 3 <= len(boots(heard)) <= 30
    assert {status.reset_cause for at_s, status in heard.of_kind(NODE, Status) if at_s > UNTIL_S} <= {3}


@pytest.mark.parametrize("step_s", [-7.0, 3600.0])
def test_a_clock_that_is_set_wrong_is_flagged_and_set_right_again(step_s: float) -> None:
    faulty = run(fault("node", NODE, "wrong", step_s=step_s)).packets(NODE)
    true = healthy().packets(NODE)
    assert [at_s for at_s, _ in faulty] == [at_s for at_s, _ in true]
    gone_ns = [packet.time_ns - other.time_ns for (_, packet), (_, other) in zip(faulty, true, strict=True)]
    wrong = [FROM_S <= at_s < UNTIL_S for at_s, _ in true]
    # The clock rounds to nanoseconds anew from where it was set.
    assert gone_ns == pytest.approx([round(step_s * 1e9) if is_wrong else 0 for is_wrong in wrong], abs=1)
    flagged = [at_s for at_s, packet in faulty if packet.flags & Flags.TIME_STEP]
    assert flagged == pytest.approx([FROM_S, UNTIL_S], abs=1.1)
    assert len(flagged) == 2


def test_a_node_can_be_swapped_for_a_stranger() -> None:
    heard = run(fault("node", NODE, "wrong", uid="bad1"), script=AGAIN)
    known = shipped()[1].node(NODE).uid
    assert [ack.uid for _, ack in heard.of_kind(NODE, HelloAck)] == [0xBAD1, known]
    heard = run(fault("node", NODE, "wrong", version=3), script=AGAIN)
    assert [ack.max_version for _, ack in heard.of_kind(NODE, HelloAck)] == [3, 1]


def late_s(heard: Heard) -> np.ndarray:
    """(asked at s, answered after s) of every ping."""
    return np.array([(2.0 + pong.ping_id, at_s - 2.0 - pong.ping_id) for at_s, pong in heard.of_kind(NODE, Pong)])


@pytest.mark.parametrize("kind", ["slow", "delayed"])
def test_a_slow_node_answers_late(kind: str) -> None:
    during, otherwise = split(late_s(run(fault("node", NODE, kind, delay_s=0.3))))
    assert during[:, 1] == pytest.approx(0.3, abs=1e-6)
    assert otherwise[:, 1] == pytest.approx(0.0, abs=1e-6)
    jittery, _ = split(late_s(run(fault("node", NODE, "slow", delay_s=0.2, jitter_s=0.2))))
    assert (jittery[:, 1] >= 0.2).all()
    assert 0.02 < np.std(jittery[:, 1]) < 0.1  # a uniform draw of 0.2 s has 0.058


def test_an_intermittent_node_comes_and_goes() -> None:
    heard = run(fault("node", NODE, "intermittent", share=0.5, mean_s=2.0), script=AGAIN)
    assert 3 <= len(boots(heard)) <= 15
    before = [packet for at_s, packet in heard.packets(NODE) if at_s < FROM_S]
    assert before == [packet for at_s, packet in healthy().packets(NODE) if at_s < FROM_S]


# ------------------------------------------------------------------ links


@pytest.mark.parametrize(("kind", "keys"), [("off", {}), ("intermittent", {"share": 0.5, "mean_s": 2.0})])
def test_a_cut_line_loses_what_is_said_and_the_node_goes_on(kind: str, keys: dict[str, Any]) -> None:
    heard = run(fault("link", NODE, kind, **keys))
    assert len(boots(heard)) == 1
    times = np.array([at_s for at_s, _ in heard.packets(NODE)])
    inside = ((times >= FROM_S) & (times < UNTIL_S)).sum()
    assert inside == 0 if kind == "off" else 0 < inside < 70
    assert (times >= UNTIL_S).sum() == sum(at_s >= UNTIL_S for at_s, _ in healthy().packets(NODE))


def test_a_half_open_line_hears_nothing_from_the_host() -> None:
    heard = run(fault("link", NODE, "stuck", direction="to_node"))
    asked = late_s(heard)[:, 0]
    assert not ((asked >= FROM_S) & (asked < UNTIL_S)).any()
    assert len(asked) == 58 - 20
    during, _ = split(heard.counts(NODE))
    assert len(during) == 40


def test_a_stalled_line_gives_everything_later() -> None:
    heard = run(fault("link", NODE, "stuck", direction="to_host"))
    arrived = np.array([at_s for at_s, _ in heard.packets(NODE)])
    assert not ((arrived > FROM_S) & (arrived < UNTIL_S)).any()
    # Nothing was lost, and nothing came twice; only answers overtook what waited.
    key = [(packet.kind, packet.sequence) for _, packet in heard.packets(NODE)]
    assert sorted(key) == sorted((packet.kind, packet.sequence) for _, packet in healthy().packets(NODE))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"share": 0.5},
        {"bit_flips": 0.01},
        {"lost_bytes": 0.02},
        {"burst_losses": 0.005},
        {"inserted_bytes": 0.02},
        {"truncated": 0.3},
        {"zeros": 0.3, "bit_flips": 0.005},
        {"baud_ratio": 1.2},
    ],
)
def test_a_noisy_line_costs_frames_in_its_time_only(keys: dict[str, Any]) -> None:
    heard = run(fault("link", NODE, "garbage", direction="to_host", **keys))
    true = healthy()
    outside = [piece for piece in heard.pieces[NODE] if not FROM_S <= piece[0] < UNTIL_S]
    assert outside == [piece for piece in true.pieces[NODE] if not FROM_S <= piece[0] < UNTIL_S]
    sound = {packet for at_s, packet in true.packets(NODE) if FROM_S <= at_s < UNTIL_S}
    came = [packet for at_s, packet in heard.packets(NODE) if FROM_S <= at_s < UNTIL_S]
    assert set(came) <= sound  # CRC-32: what comes through is what was said
    assert len(came) < len(sound)


def test_frames_that_come_twice_come_twice() -> None:
    heard = run(fault("link", NODE, "garbage", duplicated=1.0, direction="to_host"))
    came = [packet for at_s, packet in heard.packets(NODE) if FROM_S <= at_s < UNTIL_S]
    assert came[::2] == came[1::2]


def test_what_the_host_says_can_be_damaged_too_and_the_node_counts_it() -> None:
    heard = run(fault("link", NODE, "garbage", share=1.0, direction="to_node"))
    assert heard.of_kind(NODE, Status)[-1][1].bad_frames >= 15


def test_the_short_hand_of_old_files_still_means_what_it_meant() -> None:
    old = run(FaultTable(node=NODE, kind="garbage", from_s=FROM_S, until_s=UNTIL_S, share=0.5))
    new = run(fault("link", NODE, "garbage", share=0.5, direction="to_host"))
    assert old.data(NODE) == new.data(NODE) != healthy().data(NODE)
    off = run(FaultTable(node=NODE, kind="off", from_s=FROM_S, until_s=UNTIL_S))
    assert off.data(NODE) == run(fault("node", NODE, "off")).data(NODE)


def test_a_delayed_line_is_late_by_so_much_each_way() -> None:
    during, otherwise = split(late_s(run(fault("link", NODE, "delayed", delay_s=0.2))))
    assert during[:, 1] == pytest.approx(0.4, abs=1e-6)
    assert otherwise[:, 1] == pytest.approx(0.0, abs=1e-6)


def test_a_slow_line_brings_frames_in_order_at_its_rate() -> None:
    heard = run(fault("link", NODE, "slow", bytes_s=60.0, direction="to_host"))
    arrived = [(at_s, len(piece)) for at_s, piece in heard.pieces[NODE]]
    during = sum(length for at_s, length in arrived if FROM_S < at_s < UNTIL_S)
    assert during == pytest.approx(60.0 * (UNTIL_S - FROM_S), rel=0.1)
    packets = [packet for _, packet in heard.packets(NODE)]
    assert packets == [packet for _, packet in healthy().packets(NODE)][: len(packets)]


# ------------------------------------------------------------------ reproducible

EVERY = (
    fault("sensor", SENSOR, "garbage", 3.0, 15.0, share=0.3),
    fault("sensor", SENSOR, "intermittent", 15.0, 25.0, share=0.5, mean_s=1.0),
    fault("node", NODE, "garbage", 30.0, 40.0, mean_s=3.0),
    fault("node", "P2", "intermittent", 5.0, 50.0, share=0.3, mean_s=3.0),
    fault("node", NODE, "slow", 5.0, 25.0, delay_s=0.1, jitter_s=0.2),
    fault("link", NODE, "garbage", 40.0, 55.0, bit_flips=0.001, inserted_bytes=0.001, truncated=0.05, duplicated=0.1),
    fault("link", "P2", "delayed", 5.0, 50.0, delay_s=0.1, jitter_s=0.5),
    fault("sensor", MICROPHONE, "garbage", 20.0, 40.0),
)
EVERY_SCRIPT = (*SCRIPT, *BURSTS, (1.0, "P2", Start(500)), (30.0, "P2", Start(500)), (2.0, ARRAY, Levels(1000)))


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (run(*EVERY, script=EVERY_SCRIPT) for _ in range(2))
    assert set(first.pieces) == set(second.pieces) >= {NODE, "P2", ARRAY}
    for node, pieces in first.pieces.items():
        assert pieces == second.pieces[node]
    other = run(*EVERY, script=EVERY_SCRIPT, seed=2)
    assert other.data(NODE) != first.data(NODE)


# ------------------------------------------------------------------ the line of a node


def test_a_uart_that_is_too_slow_drops_whole_frames_and_counts_them() -> None:
    heard = run(script=((1.0, NODE, Start(20)),), lines=LinesTable(baud=9600, transmit_bytes=512))
    status = heard.of_kind(NODE, Status)[-1][1]
    assert status.dropped_frames > 500
    packets = heard.packets(NODE)
    assert len(b"".join(piece for _, piece in heard.pieces[NODE])) == pytest.approx(960 * 59, rel=0.02)
    # Each piece is a frame, sound and whole; and what is missing in the sequence was counted.
    assert len(packets) == len([piece for _, piece in heard.pieces[NODE] if piece != b"\x00"])
    last = max(packet.sequence for _, packet in packets if packet.kind == 4)
    got = sum(packet.kind == 4 for _, packet in packets)
    assert last + 1 - got == pytest.approx(status.dropped_frames, abs=60)  # since its last status
    assert any(packet.flags & Flags.OVERFLOW for _, packet in packets)


def test_a_burst_takes_its_time_on_a_uart_and_is_whole() -> None:
    heard = run(script=BURSTS, lines=LinesTable(baud=921_600))
    pieces = [(at_s, piece) for at_s, piece in heard.of_kind(ARRAY, BurstPiece) if piece.burst_id == 1]
    assert sum(piece.counts.shape[1] for _, piece in pieces) == SAMPLES
    channels = pieces[0][1].counts.shape[0]
    took_s = pieces[-1][0] - 10.0 - SAMPLES / RATE_HZ
    assert took_s == pytest.approx(SAMPLES * channels * 2 / 92_160, rel=0.03)  # headers and COBS: 1.3 %


# ------------------------------------------------------------------ damage by itself


@settings(max_examples=60)
@given(st.binary(min_size=1, max_size=300), st.integers(0, 1000), st.sampled_from(["bytes", "random"]))
def test_chopping_changes_nothing_but_the_pieces(data: bytes, seed: int, chop: Any) -> None:
    pieces = damaged(data, Damage(chop=chop), np.random.default_rng(seed))
    assert b"".join(pieces) == data
    assert all(pieces)


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_a_receiver_of_the_right_rate_reads_every_byte(data: bytes) -> None:
    assert misread(data, 1.0) == data
    assert misread(data, 1.04) == data  # a UART takes 5 % before its last bit slips


def test_a_receiver_of_the_wrong_rate_reads_other_bytes() -> None:
    # Half the rate over 0x55 0x55: known from every wrong terminal setting; a start bit, then every second bit.
    assert misread(b"\x55\x55\x55\x55", 0.5) != b"\x55\x55\x55\x55"
    assert misread(b"\x00", 2.0)[:1] == b"\x00"
    assert len(misread(bytes(range(256)), 2.0)) > 256


def test_shares_of_bytes_are_shares_of_bytes() -> None:
    data, random = bytes(200_000), np.random.default_rng(1)
    (kept,) = damaged(data, Damage(lost_bytes=0.1), random)
    assert len(kept) == pytest.approx(180_000, abs=670)  # five sigmas of sqrt(200,000 x 0.09)
    (flipped,) = damaged(data, Damage(bit_flips=0.1), random)
    assert len(data) - flipped.count(0) == pytest.approx(20_000, abs=670)
    (more,) = damaged(data, Damage(inserted_bytes=0.1), random)
    assert len(more) == pytest.approx(220_000, abs=670)
    assert damaged(data, Damage(zeros=1.0), random) == [bytes(200_256)]


def test_no_byte_overtakes_another() -> None:
    way = FaultyWay()
    for k, delay_s in enumerate((0.5, 0.1, 0.3)):
        way.push(k, bytes([k]), delay_s=delay_s)
    assert way.next_ns == 500_000_000
    assert [way.pop(10**9) for _ in range(4)] == [b"\x00", b"\x01", b"\x02", None]


def test_spells_have_their_share_and_length() -> None:
    spells = Spells(0.0, 1e5, 0.25, 10.0, np.random.default_rng(1))
    off = np.diff(spells.edges_s)[::2]
    assert off.mean() == pytest.approx(10.0, rel=0.1)  # 2,500 spells: 2 % a sigma
    assert off.sum() / 1e5 == pytest.approx(0.25, rel=0.1)


# ------------------------------------------------------------------ declared


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"kind": "off"}, "say what fails"),
        ({"node": "A", "target": {"node": "A"}, "kind": "off"}, "say what fails"),
        ({"node": "A", "kind": "slow"}, "short for off and garbage"),
        ({"target": {"node": "A", "link": "A"}, "kind": "off"}, "name one of"),
        ({"target": {}, "kind": "off"}, "name one of"),
        ({"target": {"link": "A"}, "kind": "wrong"}, "a link cannot be wrong"),
        ({"target": {"sensor": "A1"}, "kind": "off", "delay_s": 1.0}, "delay_s means nothing to a sensor that is off"),
        ({"target": {"node": "A"}, "kind": "wrong"}, "say what is wrong"),
        ({"target": {"sensor": "A1"}, "kind": "slow", "lag_s": -1.0}, "lag_s"),
    ],
)
def test_faults_that_mean_nothing_are_refused(raw: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclaredFileError, match=message):
        parse_declared({"from_s": 0.0, "until_s": 1.0, **raw}, "test", FaultTable)


def test_every_kind_is_declared_for_what_can_fail_so() -> None:
    kinds = {"off", "stuck", "garbage", "wrong", "slow", "delayed", "intermittent"}
    assert {kind for where, kind in PARAMETERS if where == "sensor"} == kinds
    assert {kind for where, kind in PARAMETERS if where == "node"} == kinds
    assert {kind for where, kind in PARAMETERS if where == "link"} == kinds - {"wrong"}


def test_a_line_without_faults_is_good_for_ever() -> None:
    line = Faults((), np.random.default_rng(1)).line("A")
    assert line.plugged(0.0)
    assert line.accepts(0.0)
    assert line.next_ns(0) is None
    line.from_node(5, b"frame")
    assert line.to_host.pop(5) == b"frame"


def test_readings_of_samples_are_as_many_as_asked_for() -> None:
    assert {report.period_ns for _, report in healthy().of_kind(NODE, Samples)} == {500_000_000}
