"""Nodes that say, in sound frames, what cannot be: it is refused and counted; what is true is heard."""

import numpy as np
import pytest

from firmware_bridge.samples import LevelBlock, ScalarBlock, WaveBlock
from firmware_bridge.session.states import State
from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.reports import BandLevels, BurstPiece, Samples
from tests.support.conversing import Conversing
from tests.support.fake_node import FakeNode

RATE_HZ = 192_000


def samples(period_s: float, instants: int) -> Samples:
    return Samples(2, round(period_s * NS_PER_S), np.full((instants, 1), 400, dtype=np.int32))


@pytest.mark.parametrize(
    ("period_s", "instants", "ahead_s", "believed"),
    [
        (0.5, 1, 0.0, True),
        (0.5, 3, -1.0, True),  # the last instant is now
        (0.5, 1, 0.5, True),  # a clock that nobody knows to the second yet
        (0.5, 1, 30.0, False),
        (3600.0, 1000, 0.0, False),  # its last instant is in 42 days
        (3600.0, 1, -1.0, True),
    ],
)
def test_no_value_is_of_later_than_it_came(period_s: float, instants: int, ahead_s: float, believed: bool) -> None:
    talk = Conversing().streaming()
    time_ns = talk.now_ns + talk.node.offset_ns + round(ahead_s * NS_PER_S)
    said = talk.node.say(talk.now_ns, samples(period_s, instants), time_ns=time_ns)
    blocks = [event for event in talk.hear(said) if isinstance(event, ScalarBlock)]
    assert len(blocks) == believed
    talk.advance(1.0)
    assert talk.health().counters.undecodable == (not believed)
    assert talk.hear(talk.node.pressure(talk.now_ns))


def test_no_level_is_of_later_than_it_came() -> None:
    talk = Conversing().streaming()
    edges = np.array([[1000.0, 2000.0]], dtype=np.float32)
    for window_s, heard in ((1.0, True), (3000.0, False)):
        report = BandLevels(round(window_s * NS_PER_S), 0, edges, np.ones((2, 1), dtype=np.float32))
        said = talk.node.say(talk.now_ns, report, time_ns=talk.now_ns + talk.node.offset_ns - NS_PER_S)
        assert any(isinstance(event, LevelBlock) for event in talk.hear(said)) is heard


def test_of_two_pieces_that_contradict_the_first_is_kept_and_the_second_counted() -> None:
    talk = Conversing().streaming()
    started_ns = talk.now_ns + talk.node.offset_ns - NS_PER_S

    def piece(offset: int, count: int, value: int) -> bytes:
        counts = np.full((2, count), value, dtype=np.int16)
        return talk.node.say(talk.now_ns, BurstPiece(1, 0, offset, 12, RATE_HZ, counts), time_ns=started_ns)

    assert talk.hear(piece(0, 6, 1) + piece(4, 4, 9)) == []
    (block,) = talk.hear(piece(6, 6, 1))
    assert isinstance(block, WaveBlock)
    assert block.missing == ()
    assert np.unique(block.pressure_pa[0]).size == 1
    talk.advance(1.0)
    assert talk.health().counters.undecodable == 1


def test_bursts_of_which_hardly_anything_came_cost_next_to_nothing() -> None:
    """One sample of each of many of the longest bursts: as blocks they would be 2 MB each."""
    talk = Conversing().streaming()
    total = 1 << 18
    for burst_id in range(50):
        report = BurstPiece(burst_id, 0, 0, total, RATE_HZ, np.ones((2, 1), dtype=np.int16))
        talk.hear(talk.node.say(talk.now_ns, report))
    talk.advance(5.0)
    assert talk.of(WaveBlock) == []
    assert talk.hear(talk.node.pressure(talk.now_ns))
    assert talk.session.state is State.STREAMING


def test_one_stranger_after_another_is_told_by_its_own_name() -> None:
    talk = Conversing(FakeNode(uid=0xBEEF)).open()
    talk.node.uid = 0xCAFE
    talk.advance(12.0)
    assert "UID cafe" in talk.reasons[-1]
    talk.node.versions = (9, 9)
    talk.advance(12.0)
    assert "speaks protocol 9" in talk.reasons[-1]
    told = len(talk.reasons)
    talk.advance(60.0)
    assert len(talk.reasons) == told  # the same one is told once


def test_a_flood_of_strangers_is_not_a_flood_of_news() -> None:
    talk = Conversing(FakeNode(uid=0xBEEF)).open()
    hello = bytes(talk.sent)
    told = len(talk.reasons)
    for k in range(500):
        talk.node.uid = 0xBEEF + k
        talk.hear(talk.node.hear(talk.now_ns, hello))
        talk.now_ns += NS_PER_S // 50
    assert len(talk.reasons) - told <= 2  # ten seconds
