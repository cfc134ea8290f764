"""A node whose author reads docs/protocol.md otherwise than we do: is told what of it we cannot take."""

from dataclasses import replace

import pytest

from firmware_bridge.session.events import StateChanged
from firmware_bridge.session.recognition import recognise
from firmware_bridge.session.states import State
from firmware_bridge.session.stuck import FRUITLESS_PINGS, UNANSWERED_HELLOS
from firmware_bridge.session.tally import LOSS_WINDOW
from firmware_bridge.units import Quantity
from firmware_bridge.wire.commands import Command, Hello, Ping
from firmware_bridge.wire.framing import Packet, encode_packet
from firmware_bridge.wire.reports import Channel, Feature, HelloAck, Pong, Status
from tests.support.conversing import Conversing
from tests.support.fake_node import FakeNode
from tests.support.sites import A_CHANNELS, small_site

NO_TEMPERATURE = Status(1, 0, 0, 0, 0, float("nan"), 5.0)
HELLOS_S = 0.5 * UNANSWERED_HELLOS + 0.1


class _DeafTo(FakeNode):
    """Answers all but one kind of command."""

    deaf_to: type[Command] = Ping

    def _answer(self, now_ns: int, command: Command, packet: Packet) -> bytes:
        return b"" if isinstance(command, self.deaf_to) else super()._answer(now_ns, command, packet)


class _DeafToHello(_DeafTo):
    deaf_to = Hello


@pytest.mark.parametrize(
    ("channels", "what"),
    [
        ((A_CHANNELS[0], Channel(Quantity.PRESSURE, 0.0, 1e5)), "channel 1: its scale is 0 ("),
        (A_CHANNELS * 20, f"{20 * len(A_CHANNELS)} channels, at most 32"),
    ],
)
def test_a_hello_ack_that_cannot_be_read_is_told_with_what_is_wrong(channels: tuple[Channel, ...], what: str) -> None:
    talk = Conversing(FakeNode(channels=channels)).open()
    talk.advance(HELLOS_S)
    assert talk.session.state is State.HELLO
    assert f"HELLO is answered by what cannot be read: HELLO_ACK, kind 1 ({what}" in talk.reasons[-1]
    talk.node.channels = A_CHANNELS
    talk.advance(2.0)
    assert talk.states[-1] is State.STREAMING
    assert "cannot be read" not in talk.reasons[-1]


def test_bytes_that_are_no_frames_are_told_from_silence() -> None:
    talk = Conversing(_DeafToHello()).open()
    talk.hear(b"boot: ok\r\n\x00\x07\x07\x00")
    talk.advance(HELLOS_S)
    assert talk.reasons[-1].startswith("bytes come, but no frame among them")


def test_silence_and_frames_without_an_introduction_are_no_answer() -> None:
    for says in (b"", FakeNode().status(0)):
        talk = Conversing(_DeafToHello()).open()
        talk.hear(says)
        talk.advance(HELLOS_S)
        assert talk.reasons[-1].startswith("nothing answers HELLO")


def test_a_node_that_answers_no_ping_is_told_so_once() -> None:
    talk = Conversing(_DeafTo(), silence_s=600.0).open()
    talk.advance(0.05 * FRUITLESS_PINGS + 5.0)
    assert talk.session.state is State.SYNC
    told = [event for event in talk.of(StateChanged) if "its clock cannot be learnt" in event.reason]
    assert [event.state for event in told] == [State.SYNC]
    assert f"none of {FRUITLESS_PINGS} PINGs was answered" in told[0].reason
    assert told[0].identity is not None


class _SendsBeforeItHears(FakeNode):
    def _answer(self, now_ns: int, command: Command, packet: Packet) -> bytes:
        if isinstance(command, Ping):
            return self.say(now_ns, Pong(command.ping_id, now_ns, now_ns - 1))
        return super()._answer(now_ns, command, packet)


def test_pongs_that_make_no_clock_are_told_from_none() -> None:
    talk = Conversing(_SendsBeforeItHears()).open()
    talk.advance(0.05 * FRUITLESS_PINGS + 1.0)
    assert talk.session.state is State.SYNC
    assert "times that make no steady clock" in talk.reasons[-1]


def test_frames_that_say_nothing_are_not_blamed_on_the_cable() -> None:
    talk = Conversing().streaming()
    for _ in range(LOSS_WINDOW):
        talk.hear(talk.node.status(talk.now_ns) + talk.node.say(talk.now_ns, NO_TEMPERATURE))
    assert talk.session.state is State.DEGRADED
    assert "STATUS, kind 3 (temperature or supply is not a finite number)" in talk.reasons[-1]
    assert "cable" not in talk.reasons[-1]


def test_a_kind_of_tomorrow_is_named_by_its_number() -> None:
    talk = Conversing().streaming()
    for sequence in range(LOSS_WINDOW):
        talk.hear(encode_packet(Packet(9, sequence, b"", 0, 0, talk.node.boot_id)))
    assert "kind 9 (unknown kind)" in talk.reasons[-1]


SOUND = Channel(Quantity.ULTRASOUND, 1e-3, 0.0)
PRESSURE = Channel(Quantity.PRESSURE, 0.25, 1e5)
ACK = HelloAck(1, 1, 0xA1, Feature.BURSTS, 192_000, 4096, "fake", A_CHANNELS)


@pytest.mark.parametrize(
    ("ack", "complaint"),
    [
        (replace(ACK, channels=(SOUND, PRESSURE, SOUND)), "its burst channels are not neighbours"),
        (replace(ACK, channels=(*A_CHANNELS, SOUND)), "lists no sensor like its channel 4"),
        (replace(ACK, burst_rate_hz=0), "it records bursts, but 4096 samples at 0 Hz"),
        (replace(ACK, longest_burst=0), "it records bursts, but 0 samples at 192000 Hz"),
    ],
)
def test_an_introduction_by_which_no_burst_can_come_is_told(ack: HelloAck, complaint: str) -> None:
    assert complaint not in recognise(ACK, small_site(), lambda: None).reason
    assert complaint in recognise(ack, small_site(), lambda: None).reason
