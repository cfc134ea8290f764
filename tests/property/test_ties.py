"""Edges that several nodes saw: whatever asymmetry each path has, their clocks agree, and the truth stays inside.

The tolerance is that of test_timebase: no error passes BOUND_SIGMAS. What is left between two nodes after an edge is
the drift of their crystals since, as each knows its own rate.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.session.others import Others
from firmware_bridge.session.ties import MAX_EDGES, Ties
from firmware_bridge.timebase import RATE_WANDER, TimeBase
from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.commands import Capture, TriggerRole
from firmware_bridge.wire.framing import Flags
from firmware_bridge.wire.reports import BurstPiece
from tests.property.test_timebase import BOUND_SIGMAS, SLOW_NS, World
from tests.support.conversing import Conversing
from tests.support.fake_node import FakeNode
from tests.support.sites import parsed, site_tables

SEEDS = st.integers(0, 2**32 - 1)
PATHS_NS = st.integers(0, 3_000_000)
SINCE_S = (0.0, 0.3, 2.0, 30.0)


def learnt(world: World) -> TimeBase:
    base = TimeBase()
    world.learn(base)
    return base


@given(SEEDS, st.lists(st.tuples(PATHS_NS, PATHS_NS, st.integers(-100, 100)), min_size=2, max_size=5))
@settings(max_examples=60)
def test_who_saw_an_edge_agrees_on_it_and_the_truth_is_inside(seed: int, paths: list[tuple[int, int, int]]) -> None:
    worlds = [
        World(seed + i, 10**12 * (i + 1), ppm, there_ns, back_ns, 50_000, 50_000)
        for i, (there_ns, back_ns, ppm) in enumerate(paths)
    ]
    bases = [learnt(world) for world in worlds]
    edge_ns = max(world.now_ns for world in worlds) + NS_PER_S // 10
    ties = Ties()
    for i, (world, base) in enumerate(zip(worlds, bases, strict=True)):
        ties.saw("wire-1", 7, f"N{i}", base, world.node_ns(edge_ns))
    for since_s in SINCE_S:
        at_ns = edge_ns + round(since_s * NS_PER_S)
        said = [base.to_common(world.node_ns(at_ns)) for world, base in zip(worlds, bases, strict=True)]
        for common_ns, sigma_ns in said:
            assert abs(common_ns - at_ns) < BOUND_SIGMAS * sigma_ns + 2
        if since_s <= 0.3:  # later a node whose own path is short may say it better by itself
            dates = [common_ns for common_ns, _ in said]
            drift = max(math.hypot(base.rate_sigma, RATE_WANDER) for base in bases)
            assert max(dates) - min(dates) <= 2 * BOUND_SIGMAS * drift * since_s * NS_PER_S + 2


def test_the_worse_path_gains_most() -> None:
    """A node behind 40 ms of radio beside one on 0.2 ms of wire: it is dated as the wire dates."""
    wire, radio = World(1, forward_ns=100_000, back_ns=100_000), World(2, forward_ns=39_000_000, back_ns=1_000_000)
    near, far = learnt(wire), learnt(radio)
    edge_ns = max(wire.now_ns, radio.now_ns)
    before = far.to_common(radio.node_ns(edge_ns))
    assert abs(before[0] - edge_ns) > 15_000_000
    ties = Ties()
    ties.saw("l", 1, "near", near, wire.node_ns(edge_ns))
    ties.saw("l", 1, "far", far, radio.node_ns(edge_ns))
    after = far.to_common(radio.node_ns(edge_ns))
    assert abs(after[0] - edge_ns) < 1000  # even paths: what is left is rounding and the fit's own
    assert after[1] == pytest.approx(near.by_round_trips(wire.node_ns(edge_ns))[1])
    assert after[1] < before[1] / 100


def test_a_tie_ages_until_round_trips_say_it_better() -> None:
    wire, lan = World(1, forward_ns=100_000, back_ns=100_000), World(2, forward_ns=150_000, back_ns=150_000)
    near, far = learnt(wire), learnt(lan)
    edge_ns = max(wire.now_ns, lan.now_ns)
    ties = Ties()
    ties.saw("l", 1, "near", near, wire.node_ns(edge_ns))
    ties.saw("l", 1, "far", far, lan.node_ns(edge_ns))
    tied = []
    for _ in range(500):  # 150 µs / sqrt(3) are reached at 2e-7 a second
        far.observe(lan.ping(SLOW_NS))
        now_ns = lan.node_ns(lan.now_ns)
        assert far.to_common(now_ns)[1] <= far.by_round_trips(now_ns)[1]
        tied.append(far.to_common(now_ns) != far.by_round_trips(now_ns))
    assert tied[0]
    assert not tied[-1]


def test_two_edges_taken_for_one_tie_nobody() -> None:
    """One node met a disturbance of the line a quarter of a second before the edge that the other one saw."""
    one, other = World(1), World(2)
    bases = learnt(one), learnt(other)
    edge_ns = max(one.now_ns, other.now_ns)
    ties = Ties()
    ties.saw("l", 1, "one", bases[0], one.node_ns(edge_ns))
    ties.saw("l", 1, "other", bases[1], other.node_ns(edge_ns - NS_PER_S // 4))
    for world, base in zip((one, other), bases, strict=True):
        truth_ns = world.now_ns
        said_ns, sigma_ns = base.to_common(world.node_ns(truth_ns))
        assert abs(said_ns - truth_ns) < BOUND_SIGMAS * sigma_ns


def test_a_clock_that_is_set_forgets_its_tie() -> None:
    one, other = World(1), World(2)
    bases = learnt(one), learnt(other)
    edge_ns = max(one.now_ns, other.now_ns)
    ties = Ties()
    ties.saw("l", 1, "one", bases[0], one.node_ns(edge_ns))
    one.offset_ns += 3 * NS_PER_S
    bases[0].forget()
    one.learn(bases[0])
    ties.saw("l", 1, "other", bases[1], other.node_ns(edge_ns))  # late: and what `one` saw was by its old clock
    truth_ns = one.now_ns
    said_ns, sigma_ns = bases[0].to_common(one.node_ns(truth_ns))
    assert abs(said_ns - truth_ns) < BOUND_SIGMAS * sigma_ns


def test_many_edges_and_nonsense_cost_no_memory() -> None:
    world = World(1)
    base = learnt(world)
    ties = Ties()
    ties.saw("l", 0, "A", TimeBase(), 5)  # a clock that nobody knows
    for number in range(100):
        ties.saw("l", number, "A", base, world.node_ns(world.now_ns))
        ties.saw("l", number, "A", base, 2**63)
    assert {line: len(edges) for line, edges in ties._edges.items()} == {"l": MAX_EDGES}


def test_the_bursts_of_one_edge_tie_the_conversations_of_their_nodes() -> None:
    """Two nodes of one trigger line, one of them behind an uneven path: what they say afterwards has one date."""
    tables = site_tables()
    tables["nodes"][1]["trigger_line"] = "wire-1"
    tables["nodes"][1]["sensors"].append(
        {"name": "B1", "quantity": "ultrasound", "channel": 1, "position_m": [2.0, 0.5, 0.5]}
    )
    site, others = parsed(tables), Others()
    near = Conversing(site=site, others=others).streaming()
    far = Conversing(
        FakeNode(uid=0xB2, offset_ns=10**12), site=site, others=others, back_ns=20_000_000, link="port-2"
    ).streaming()
    edge_ns = far.now_ns
    near.now_ns = max(near.now_ns, edge_ns)
    for talk in (near, far):
        talk.send(1, Capture(5, 12, TriggerRole.WAIT_EDGE, edge_ns + NS_PER_S))
        piece = BurstPiece(5, 0, 0, 12, 192_000, np.zeros((2, 12), dtype=np.int16))
        talk.hear(talk.node.say(talk.now_ns, piece, flags=Flags.TRIGGERED, time_ns=edge_ns + talk.node.offset_ns))
    dates = [talk.session._peer.timebase.to_common(edge_ns + talk.node.offset_ns) for talk in (near, far)]
    assert dates[0] == dates[1]
    assert abs(dates[0][0] - edge_ns) < BOUND_SIGMAS * dates[0][1]
