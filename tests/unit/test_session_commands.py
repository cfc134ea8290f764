"""Commands through a conversation: numbered, repeated, acknowledged or given up; captures on the node's clock."""

import pytest

from firmware_bridge.session.events import CommandOutcome
from firmware_bridge.session.outbox import MAX_PENDING
from firmware_bridge.units import NS_PER_S
from firmware_bridge.wire.codec import decode, kind_of
from firmware_bridge.wire.commands import (
    Capture,
    Command,
    Identify,
    Levels,
    Siren,
    SirenPattern,
    Start,
    Switch,
    TriggerRole,
)
from firmware_bridge.wire.framing import Deframer, Packet
from firmware_bridge.wire.reports import Ack, AckResult
from tests.support.conversing import PATH_NS, Conversing
from tests.support.fake_node import FakeNode

SIREN = Siren(SirenPattern.WARNING)


def capture(start_ns: int, role: TriggerRole = TriggerRole.AT_TIME) -> Capture:
    return Capture(burst_id=5, samples=100, role=role, start_ns=start_ns)


def heard(talk: Conversing, kind: type[Command]) -> list[Command]:
    return [command for command in talk.node.heard if isinstance(command, kind)]


def test_an_acknowledged_command_is_done() -> None:
    talk = Conversing().streaming()
    talk.send(7, SIREN)
    assert talk.outcomes == [(7, True, "done")]
    talk.advance(10.0)
    assert heard(talk, Siren) == [SIREN]  # once, and not repeated after its acknowledgement


@pytest.mark.parametrize("result", [result for result in AckResult if result is not AckResult.DONE])
def test_a_refused_command_is_not_done_and_says_how(result: AckResult) -> None:
    talk = Conversing(FakeNode()).streaming()
    talk.node.result = result
    talk.send(7, SIREN)
    assert talk.outcomes == [(7, False, f"the node answered {result.name.lower()}")]


def test_a_lost_acknowledgement_repeats_the_same_frame() -> None:
    talk = Conversing().streaming()
    talk.node.acknowledges = False
    before = len(talk.sent)
    talk.send(7, Identify(5))
    frame = talk.sent[before:]
    talk.advance(0.6)
    assert talk.sent.count(frame) == 2  # the same sequence number, so that the node can tell it is no second command
    assert talk.outcomes == []
    talk.node.acknowledges = True
    talk.advance(0.6)
    assert talk.outcomes == [(7, True, "done")]


@pytest.mark.parametrize(
    ("command", "tries"), [(SIREN, 8), (Switch(2, on=False), 8), (Levels(1000), 8), (Identify(5), 3), (capture(0), 1)]
)
def test_what_nobody_acknowledges_is_given_up_after_a_bound(command: Command, tries: int) -> None:
    talk = Conversing().streaming()
    talk.node.acknowledges = False
    talk.send(7, command)
    talk.advance(8.0)
    assert len(heard(talk, type(command))) == tries
    assert talk.outcomes == [(7, False, "no acknowledgement")]


def test_only_a_streaming_node_takes_commands() -> None:
    talk = Conversing().open()
    talk.send(7, SIREN)
    assert talk.outcomes == [(7, False, "the node is sync")]
    assert heard(talk, Siren) == []


def test_too_many_unanswered_commands_are_refused() -> None:
    talk = Conversing().streaming()
    talk.node.acknowledges = False
    for ticket in range(1, MAX_PENDING + 2):
        talk.send(ticket, Identify(1))
    assert talk.outcomes == [(MAX_PENDING + 1, False, "too many unanswered commands")]


def test_a_new_siren_pattern_supersedes_one_that_is_still_unanswered() -> None:
    talk = Conversing().streaming()
    talk.node.acknowledges = False
    talk.send(1, Siren(SirenPattern.CAUTION))
    talk.send(2, Siren(SirenPattern.WARNING))
    before = len(talk.sent)
    talk.advance(3.0)
    again = [decode(p) for p in Deframer().feed(talk.sent[before:]) if isinstance(p, Packet)]
    assert {message.pattern for message in again if isinstance(message, Siren)} == {SirenPattern.WARNING}


@pytest.mark.parametrize("command", [Switch(2, on=True), Switch(255, on=False), Levels(1000), Levels(0)])
def test_switching_and_levels_are_told_once_and_their_answer_is_the_outcome(command: Command) -> None:
    talk = Conversing().streaming()
    talk.send(7, command)
    assert talk.outcomes == [(7, True, "done")]
    talk.advance(10.0)
    assert heard(talk, type(command)) == [command]
    talk.node.result = AckResult.REFUSED
    talk.send(8, command)
    assert talk.outcomes[1:] == [(8, False, "the node answered refused")]


def test_a_switch_supersedes_an_unanswered_one_of_its_output_only() -> None:
    talk = Conversing().streaming()
    talk.node.acknowledges = False
    talk.send(1, Switch(2, on=True))
    talk.send(2, Switch(3, on=True))
    talk.send(3, Switch(2, on=False))
    before = len(talk.node.heard)
    talk.advance(3.0)
    again = [command for command in talk.node.heard[before:] if isinstance(command, Switch)]
    assert set(again) == {Switch(3, on=True), Switch(2, on=False)}
    assert {ticket for ticket, _, _ in talk.outcomes} <= {2, 3}


def test_levels_supersede_an_unanswered_order_for_levels_and_nothing_else() -> None:
    talk = Conversing().streaming()
    talk.node.acknowledges = False
    talk.send(1, SIREN)
    talk.send(2, Levels(1000))
    talk.send(3, Levels(0))
    before = len(talk.node.heard)
    talk.advance(3.0)
    again = [command for command in talk.node.heard[before:] if isinstance(command, Siren | Levels)]
    assert set(again) == {SIREN, Levels(0)}


def test_a_period_that_no_node_may_be_asked_for_is_not_done_and_says_why() -> None:
    talk = Conversing().streaming()
    talk.send(7, Levels(99))
    ((ticket, done, text),) = talk.outcomes
    assert (ticket, done) == (7, False)
    assert "0, or 100 to 3600000" in text


def test_a_hang_up_gives_up_what_is_unanswered() -> None:
    talk = Conversing().streaming()
    talk.node.acknowledges = False
    talk.send(7, SIREN)
    outcome = talk.session.hung_up("the cable was pulled").events[0]
    assert outcome == CommandOutcome("A", 7, SIREN, done=False, text="the cable was pulled")


def test_a_reboot_gives_up_what_is_unanswered() -> None:
    talk = Conversing().streaming()
    talk.node.acknowledges = False
    talk.send(7, SIREN)
    talk.node.reboot()
    talk.hear(talk.node.status(talk.now_ns))
    assert talk.outcomes[0][:2] == (7, False)
    assert "rebooted" in talk.outcomes[0][2]


def test_an_acknowledgement_of_the_last_connection_matches_nothing() -> None:
    talk = Conversing().streaming()
    talk.node.acknowledges = False
    talk.send(7, SIREN)
    late = talk.node.say(talk.now_ns, Ack(kind_of(Siren), 2, AckResult.DONE))
    talk.session.hung_up("pulled")
    talk.node.acknowledges = True
    talk.open().advance(2.0)
    talk.node.acknowledges = False
    talk.send(8, SIREN)
    talk.hear(late)
    assert [outcome for outcome in talk.outcomes if outcome[0] == 8] == []


@pytest.mark.parametrize("role", TriggerRole)
def test_a_captures_start_is_told_on_the_nodes_own_clock(role: TriggerRole) -> None:
    talk = Conversing().streaming()
    wanted = capture(talk.now_ns + NS_PER_S, role)
    talk.send(7, wanted)
    (asked,) = heard(talk, Capture)
    assert isinstance(asked, Capture)
    assert (asked.burst_id, asked.samples, asked.role) == (5, 100, role)
    assert abs(asked.start_ns - (wanted.start_ns + talk.node.offset_ns)) <= PATH_NS
    (outcome,) = [event for event in talk.of(CommandOutcome) if event.ticket == 7]
    assert outcome.command == wanted  # what was asked, in the asker's time


def test_a_capture_at_once_stays_at_once() -> None:
    talk = Conversing().streaming()
    talk.send(7, capture(0))
    assert heard(talk, Capture) == [capture(0)]


def test_a_start_before_the_nodes_clock_began_does_not_become_at_once() -> None:
    """0 has a meaning of its own, so an instant before the clock began is told as its first."""
    talk = Conversing(FakeNode(offset_ns=-90 * NS_PER_S)).streaming()
    talk.send(7, capture(5 * NS_PER_S))
    assert heard(talk, Capture) == [capture(1)]


def test_a_capture_while_the_clock_is_learnt_anew_is_not_done_and_raises_nothing() -> None:
    talk = Conversing().streaming()
    talk.session._peer.timebase.forget()
    talk.send(7, capture(talk.now_ns + NS_PER_S))
    ((ticket, done, text),) = talk.outcomes
    assert (ticket, done) == (7, False)
    assert "time base" in text


def test_a_value_that_fits_no_field_is_not_done_and_raises_nothing() -> None:
    talk = Conversing().streaming()
    talk.send(7, Identify(65_536))
    ((ticket, done, text),) = talk.outcomes
    assert (ticket, done) == (7, False)
    assert "Identify" in text


def test_a_lost_start_is_repeated() -> None:
    talk = Conversing(FakeNode(acknowledges=False)).streaming()
    talk.advance(1.0)
    assert len(heard(talk, Start)) > 1
    talk.node.acknowledges = True
    talk.advance(0.6)
    started = len(heard(talk, Start))
    talk.advance(5.0)
    assert len(heard(talk, Start)) == started
