"""Faults of links, and what noise and a slow UART do to bytes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.wire.commands import Start
from firmware_bridge.wire.framing import Flags
from firmware_bridge.wire.reports import BurstPiece, Status
from sim.faults.damage import Damage, damaged, misread
from sim.faults.line_faults import FaultyWay, LineFaults
from sim.scenario.faults import FaultTable
from sim.scenario.nodes import LinesTable
from tests.support.faulty_runs import (
    ARRAY,
    BURSTS,
    FROM_S,
    NODE,
    RATE_HZ,
    SAMPLES,
    UNTIL_S,
    boots,
    fault,
    healthy,
    late_s,
    run,
    split,
)


def test_a_line_without_faults_is_good_for_ever() -> None:
    line = LineFaults(())
    assert line.plugged(0.0)
    assert line.accepts(0.0)
    assert line.next_ns(0) is None
    line.from_node(5, b"frame")
    assert line.to_host.pop(5) == b"frame"


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
