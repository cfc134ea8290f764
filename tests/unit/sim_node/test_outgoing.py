"""The transmit queues of a node: order, memory, and a line that takes its time."""

import pytest

from sim.node.outgoing import CAPTURE_BYTES, Lane, Outgoing

MS = 1_000_000


def test_answers_go_first_then_streams_then_bursts() -> None:
    outgoing = Outgoing()
    for frame, lane in ((b"burst", Lane.BURST), (b"stream", Lane.STREAM), (b"answer", Lane.ANSWER)):
        assert outgoing.push(frame, lane)
    assert [outgoing.pop() for _ in range(4)] == [b"answer", b"stream", b"burst", None]


def test_a_full_buffer_drops_whole_frames_and_counts_them() -> None:
    outgoing = Outgoing(baud=9600, transmit_bytes=228)
    taken = [outgoing.push(bytes([k]) * 30, Lane.STREAM, 0) for k in range(5)]
    assert taken == [True, True, True, False, False]
    assert outgoing.dropped_frames == 2
    assert outgoing.push(b"answer", Lane.ANSWER, 0)  # has a reserve
    assert outgoing.push(bytes(1000), Lane.BURST, 0)  # capture RAM is another memory
    got = [outgoing.pop(10_000 * MS) for _ in range(6)]
    assert got == [bytes(30), b"answer", bytes([1]) * 30, bytes([2]) * 30, bytes(1000), None]


def test_capture_memory_ends_too() -> None:
    outgoing = Outgoing()
    assert outgoing.push(bytes(CAPTURE_BYTES), Lane.BURST)
    assert not outgoing.push(b"x", Lane.BURST)
    assert outgoing.push(b"x", Lane.STREAM)


def test_a_frame_arrives_when_its_last_bit_has_left() -> None:
    outgoing = Outgoing(baud=10_000)  # a millisecond a byte
    outgoing.push(bytes(10), Lane.STREAM, 0)
    outgoing.push(bytes(5), Lane.STREAM, 0)
    assert outgoing.next_ns == 10 * MS
    assert outgoing.pop(10 * MS - 1) is None
    assert outgoing.pop(10 * MS) == bytes(10)
    assert outgoing.next_ns == 15 * MS
    assert outgoing.pop(60 * MS) == bytes(5)  # fetched late; it left in time all the same
    assert outgoing.next_ns is None
    outgoing.push(bytes(2), Lane.STREAM, 70 * MS)
    assert outgoing.next_ns == 72 * MS


def test_an_answer_does_not_break_into_a_frame_but_overtakes_those_that_wait() -> None:
    outgoing = Outgoing(baud=10_000)
    for frame, lane in ((b"first", Lane.STREAM), (b"second", Lane.STREAM), (b"answer", Lane.ANSWER)):
        outgoing.push(frame, lane, 0)
    assert [outgoing.pop(1000 * MS) for _ in range(3)] == [b"first", b"answer", b"second"]


def test_a_reset_forgets_what_was_on_its_way() -> None:
    outgoing = Outgoing(baud=9600, transmit_bytes=192)
    outgoing.push(bytes(60), Lane.STREAM, 0)
    outgoing.clear()
    assert outgoing.pop(10_000 * MS) is None
    assert outgoing.push(bytes(60), Lane.STREAM, 0)


def test_a_line_without_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="0 baud"):
        Outgoing(baud=0)
