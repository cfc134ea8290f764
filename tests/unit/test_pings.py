"""Pings under way: matched by number, bounded, and never answered twice."""

from firmware_bridge.session.pings import MAX_OPEN_PINGS, Pings
from firmware_bridge.timebase import RoundTrip
from firmware_bridge.wire.reports import Pong


def test_an_answer_completes_its_own_ping() -> None:
    pings = Pings()
    first, second = pings.ask(100), pings.ask(200)
    assert first.ping_id != second.ping_id
    assert pings.answer(Pong(second.ping_id, 7, 8), 230) == RoundTrip(200, 7, 8, 230)
    assert pings.answer(Pong(first.ping_id, 5, 6), 240) == RoundTrip(100, 5, 6, 240)


def test_an_answer_counts_once_and_a_strangers_not_at_all() -> None:
    pings = Pings()
    ping = pings.ask(100)
    assert pings.answer(Pong(ping.ping_id + 1, 0, 0), 110) is None
    assert pings.answer(Pong(ping.ping_id, 0, 0), 110) is not None
    assert pings.answer(Pong(ping.ping_id, 0, 0), 120) is None


def test_what_was_forgotten_is_matched_no_more_and_its_number_not_used_again() -> None:
    pings = Pings()
    old = pings.ask(100)
    pings.forget()
    assert pings.ask(200).ping_id != old.ping_id
    assert pings.answer(Pong(old.ping_id, 0, 0), 210) is None


def test_a_node_that_answers_none_cannot_grow_us() -> None:
    pings = Pings()
    asked = [pings.ask(now_ns) for now_ns in range(3 * MAX_OPEN_PINGS)]
    answered = [pings.answer(Pong(ping.ping_id, 0, 0), 1000) is not None for ping in asked]
    assert answered == [False] * (2 * MAX_OPEN_PINGS) + [True] * MAX_OPEN_PINGS
