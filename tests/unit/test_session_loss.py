"""What is lost on the line: counted a stream, judged by the window, and held against nobody who starts afresh."""

import pytest

from firmware_bridge.session.states import State
from firmware_bridge.session.tally import LOSS_WINDOW
from tests.support.conversing import Conversing

LOSSES = LOSS_WINDOW + 10


def test_what_the_last_connection_lost_is_not_held_against_the_next() -> None:
    talk = Conversing().streaming()
    talk.hear(b"\x07\x01\x02\x00" * (LOSS_WINDOW // 2 - 12))
    talk.session.hung_up("pulled")
    talk.open().advance(2.0)
    talk.hear(b"".join(talk.node.status(talk.now_ns) for _ in range(LOSS_WINDOW)))
    assert talk.session.state is State.STREAMING


@pytest.mark.parametrize("damage", ["lost", "garbled"])
def test_loss_degrades_and_whole_frames_recover(damage: str) -> None:
    talk = Conversing().streaming()
    talk.hear(talk.node.status(talk.now_ns))  # what was lost before the first frame, nobody can know
    for _ in range(LOSSES):
        if damage == "lost":
            talk.hear(talk.node.status(talk.now_ns, skip=1))
        else:
            talk.hear(talk.node.status(talk.now_ns) + b"\x07\x01\x02\x00")
    assert talk.states[3:] == [State.DEGRADED]
    assert "% of frames damaged or lost; check cable, ground and baud rate" in talk.reasons[-1]
    assert talk.hear(talk.node.pressure(talk.now_ns)) != []  # what does come is still used
    for _ in range(3 * LOSSES):
        talk.hear(talk.node.status(talk.now_ns))
    assert talk.states[3:] == [State.DEGRADED, State.STREAMING]
    counters = talk.health().counters
    counted = counters.lost_frames if damage == "lost" else counters.bad_frames
    assert counted == LOSSES


def test_a_little_loss_changes_nothing() -> None:
    talk = Conversing().streaming()
    for number in range(4 * LOSSES):
        talk.hear(talk.node.status(talk.now_ns, skip=number % 40 == 39))
    assert talk.states[3:] == []


def test_a_lost_waveform_is_no_lost_sample() -> None:
    talk = Conversing().streaming()
    talk.hear(talk.node.piece(talk.now_ns, 0, 4) + talk.node.piece(talk.now_ns, 8, 12, skip=1))
    assert talk.health().counters.lost_frames == 1
    assert len(talk.hear(talk.node.pressure(talk.now_ns))) == 1
    assert talk.health().counters.lost_frames == 1


def test_a_frame_that_comes_twice_is_used_once() -> None:
    talk = Conversing().streaming()
    frame = talk.node.pressure(talk.now_ns, 1)
    assert len(talk.hear(frame)) == 1
    assert talk.hear(frame) == []
    assert talk.health().counters.repeated_frames == 1
