"""Who may be correlated with whom, and bursts gathered into captures within their window."""

import numpy as np
import pytest

from controller.measure.captures import MAX_OPEN_CAPTURES, Collector
from controller.measure.coherence import coherent_groups
from firmware_bridge.samples import WaveBlock
from tests.support.hearing import ROOM, box_site, wave_block
from tests.support.sites import small_site

CLOSES_NS = 6_000_000_000


def burst(node: str, burst_id: int, *, missing: tuple[tuple[int, int], ...] = ()) -> WaveBlock:
    return wave_block(node, (f"{node}1",), np.zeros((1, 8)), burst_id=burst_id, missing=missing)


def expecting(*nodes: str) -> Collector:
    collector = Collector()
    collector.expect(7, nodes, CLOSES_NS)
    return collector


def test_nodes_on_one_line_are_one_group_and_others_stand_alone() -> None:
    site = box_site(alone=("B", "D"))
    groups = {group.name: group for group in coherent_groups(site, ROOM)}
    assert set(groups) == {"line wire", "node B", "node D"}
    line = groups["line wire"]
    assert line.nodes == ("A",) * 4 + ("C",) * 4 + ("E",) * 4
    assert line.sensors == tuple(f"{node}{channel}" for node in "ACE" for channel in range(4))
    assert line.position_m == pytest.approx(np.vstack([site.microphones_m(site.node(node)) for node in "ACE"]))
    assert line.clock_sigma_s == site.survey.trigger_sigma_s
    assert groups["node B"].clock_sigma_s == 0.0


def test_pairs_are_all_pairs_once() -> None:
    (group,) = (group for group in coherent_groups(box_site(alone=("B",)), ROOM) if group.name == "node B")
    first, second = group.pairs
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


def test_a_line_with_one_node_has_no_clock_error_and_other_sensors_are_left_out() -> None:
    (group,) = coherent_groups(small_site(), "lab")
    assert group.sensors == ("A1", "A2")
    assert group.clock_sigma_s == 0.0
    assert coherent_groups(small_site(), "store") == ()


def test_a_capture_is_complete_when_all_nodes_are_in() -> None:
    collector = expecting("A", "B")
    collector.add(burst("A", 7))
    assert collector.closed(0) == []
    collector.add(burst("B", 7))
    (capture,) = collector.closed(0)
    assert capture.burst_id == 7
    assert set(capture.blocks) == {"A", "B"}
    assert capture.missing == frozenset()
    assert collector.closed(CLOSES_NS) == []  # once


def test_a_window_closes_with_what_there_is() -> None:
    collector = expecting("A", "B")
    collector.add(burst("A", 7))
    assert collector.closed(CLOSES_NS - 1) == []
    (capture,) = collector.closed(CLOSES_NS)
    assert set(capture.blocks) == {"A"}
    assert capture.missing == {"B"}


def test_a_capture_that_nobody_answered_says_who_did_not() -> None:
    collector = expecting("A")
    (capture,) = collector.closed(CLOSES_NS)
    assert capture.blocks == {}
    assert capture.missing == {"A"}
    collector.add(burst("A", 7))
    assert collector.late == 1


def test_what_comes_late_or_unasked_is_counted_and_not_used() -> None:
    collector = expecting("A", "B")
    collector.add(burst("A", 7))
    collector.closed(CLOSES_NS)
    collector.add(burst("B", 7))
    collector.add(burst("B", 99))
    assert collector.late == 2
    assert collector.closed(CLOSES_NS) == []


def test_a_burst_with_gaps_is_counted_and_not_used() -> None:
    collector = expecting("A", "B")
    collector.add(burst("A", 7, missing=((2, 4),)))
    collector.add(burst("B", 7))
    assert collector.incomplete == 1
    (capture,) = collector.closed(CLOSES_NS)
    assert set(capture.blocks) == {"B"}


def test_bursts_find_their_own_capture_in_any_order() -> None:
    collector = expecting("A", "B")
    collector.expect(8, ("A", "B"), CLOSES_NS)
    for node, burst_id in (("B", 8), ("A", 7), ("A", 8), ("B", 7)):
        collector.add(burst(node, burst_id))
    captures = collector.closed(0)
    assert [(capture.burst_id, sorted(capture.blocks)) for capture in captures] == [(7, ["A", "B"]), (8, ["A", "B"])]
    assert all(block.burst_id == capture.burst_id for capture in captures for block in capture.blocks.values())


def test_open_captures_are_bounded_and_what_makes_way_is_counted() -> None:
    collector = Collector()
    for burst_id in range(MAX_OPEN_CAPTURES + 3):
        collector.expect(burst_id, ("A",), CLOSES_NS)
    assert collector.incomplete == 3
    collector.add(burst("A", 2))
    assert collector.late == 1
    collector.add(burst("A", 3))
    assert [capture.burst_id for capture in collector.closed(0)] == [3]
