"""The conversation with one node, driven by hand: greeting, synchronising, losing, finding again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.samples import STALE_SWEEPS, LevelBlock, ScalarBlock, WaveBlock
from firmware_bridge.session.conversation import SYNC_PINGS
from firmware_bridge.session.events import LinkHealth, StateChanged
from firmware_bridge.session.states import DELIVERING, State
from firmware_bridge.session.stuck import UNANSWERED_HELLOS
from firmware_bridge.units import NS_PER_S, Quantity
from firmware_bridge.wire.commands import Hello, Ping, Start
from firmware_bridge.wire.framing import Flags, Packet, encode_packet
from firmware_bridge.wire.reports import BandLevels, Channel, Feature
from tests.support.conversing import PATH_NS, Conversing
from tests.support.fake_node import FakeNode
from tests.support.messages import MESSAGES, PACKETS
from tests.support.sites import parsed, site_tables


def test_a_node_is_greeted_identified_synchronised_and_started() -> None:
    talk = Conversing().open()
    talk.advance(2.0)
    assert talk.states == [State.HELLO, State.SYNC, State.STREAMING]
    assert talk.session.node == "A"
    assert [type(command) for command in talk.node.heard[: SYNC_PINGS + 2]] == [Hello, *[Ping] * SYNC_PINGS, Start]
    identity = talk.of(StateChanged)[1].identity
    assert identity is not None
    assert (identity.uid, identity.boot_id, identity.firmware) == (0xA1, 1, "fake 1")
    assert Feature.SIREN in identity.features
    assert "node A, firmware fake 1" in talk.reasons[1]


def test_the_first_byte_on_the_line_ends_whatever_garbage_was_there() -> None:
    assert Conversing().open().sent.startswith(b"\x00")


def test_hello_is_repeated_until_somebody_answers_and_people_are_told() -> None:
    talk = Conversing(FakeNode(mute=True)).open()
    talk.advance(0.5 * UNANSWERED_HELLOS + 0.1)
    assert talk.states == [State.HELLO, State.HELLO]
    assert "nothing answers HELLO" in talk.reasons[-1]
    assert talk.node.heard.count(Hello(1, 1)) >= UNANSWERED_HELLOS
    talk.node.mute = False
    talk.advance(2.0)
    assert talk.session.state is State.STREAMING


def test_another_protocol_version_is_a_state_with_both_versions_named() -> None:
    talk = Conversing(FakeNode(versions=(2, 3), header_version=2)).open()
    assert talk.states == [State.HELLO, State.INCOMPATIBLE]
    assert "speaks protocol 2 to 3, this controller 1" in talk.reasons[-1]
    assert "update the firmware (fake 1)" in talk.reasons[-1]
    hellos = len(talk.node.heard)
    talk.advance(25.0)
    assert len(talk.node.heard) - hellos == 2  # asked again, slowly, and nothing else
    assert talk.states == [State.HELLO, State.INCOMPATIBLE]  # and not reported anew each time
    talk.node.versions, talk.node.header_version = (1, 2), 1
    talk.advance(12.0)
    assert talk.session.state is State.STREAMING


def test_a_node_that_the_site_does_not_list_is_named_by_its_uid() -> None:
    talk = Conversing(FakeNode(uid=0xBEEF)).open()
    assert talk.session.state is State.INCOMPATIBLE
    assert "UID beef" in talk.reasons[-1]
    assert "[[nodes]]" in talk.reasons[-1]
    assert talk.session.node is None


def test_samples_become_blocks_on_the_common_base() -> None:
    talk = Conversing().streaming()
    (block,) = talk.hear(talk.node.pressure(talk.now_ns, 400))
    assert isinstance(block, ScalarBlock)
    assert block.sensor == "A-p"
    assert abs(int(block.time_ns[0]) - talk.now_ns) <= PATH_NS


def test_data_that_comes_before_the_clock_is_known_makes_no_block() -> None:
    talk = Conversing(FakeNode()).open()
    assert talk.session.state is State.SYNC
    assert talk.hear(talk.node.pressure(talk.now_ns)) == []


def test_another_boot_id_in_mid_stream_is_a_reboot() -> None:
    talk = Conversing().streaming()
    talk.hear(talk.node.piece(talk.now_ns, 0, 4))
    talk.node.reboot()
    talk.node.offset_ns = 0  # its clock began again
    events = talk.hear(talk.node.status(talk.now_ns))
    (burst,) = [event for event in events if isinstance(event, WaveBlock)]
    assert burst.missing == ((4, 12),)  # dated by the old clock, and not lost
    assert talk.states[3] is State.HELLO
    assert "rebooted" in talk.reasons[3]
    talk.advance(2.0)
    assert talk.session.state is State.STREAMING
    assert talk.node.heard.count(Start(500)) == 2
    assert talk.health().counters.reboots == 1
    (block,) = talk.hear(talk.node.pressure(talk.now_ns))
    assert isinstance(block, ScalarBlock)
    assert abs(int(block.time_ns[0]) - talk.now_ns) <= PATH_NS


def test_silence_is_loss_and_says_for_how_long() -> None:
    talk = Conversing().streaming()
    talk.node.mute = True
    talk.advance(9.0)
    assert talk.states[3:] == []
    talk.advance(3.0)
    assert talk.states[3:] == [State.LOST]
    assert "nothing heard for 10" in talk.reasons[-1]


def test_a_hang_up_flushes_what_was_arriving() -> None:
    talk = Conversing().streaming()
    talk.hear(talk.node.piece(talk.now_ns, 0, 4))
    step = talk.session.hung_up("the cable was pulled")
    burst, change = step.events
    assert isinstance(burst, WaveBlock)
    assert isinstance(change, StateChanged)
    assert (change.state, change.reason) == (State.LOST, "the cable was pulled")


def test_a_port_that_cannot_be_opened_is_lost_and_says_why() -> None:
    talk = Conversing()
    talk.session.open_asked()
    (change,) = talk.session.open_failed("no such port").events
    assert isinstance(change, StateChanged)
    assert (change.state, change.link, change.reason) == (State.LOST, "port-1", "no such port")


def test_reconnecting_starts_afresh_and_counts() -> None:
    talk = Conversing().streaming()
    talk.session.hung_up("pulled")
    talk.open().advance(2.0)
    assert talk.session.state is State.STREAMING
    assert talk.health().counters.connections == 2


def test_an_answer_to_a_ping_of_the_last_connection_is_not_believed() -> None:
    """It would put the clock wrong by the time that it lay in some buffer."""
    talk = Conversing().streaming()
    late = talk.node.hear(talk.now_ns, encode_packet(Packet(17, 1, (1).to_bytes(4, "little"))))
    talk.session.hung_up("pulled")
    talk.advance(1.0)
    talk.open()
    talk.hear(late)
    talk.advance(2.0)
    (block,) = talk.hear(talk.node.pressure(talk.now_ns))
    assert isinstance(block, ScalarBlock)
    assert abs(int(block.time_ns[0]) - talk.now_ns) <= PATH_NS
    assert block.time_sigma_ns < PATH_NS


def test_a_burst_with_a_lost_piece_comes_with_its_gap() -> None:
    talk = Conversing().streaming()
    frames = [talk.node.piece(talk.now_ns, 0, 4), talk.node.piece(talk.now_ns, 8, 12, skip=1)]
    (block,) = talk.hear(b"".join(frames))
    assert isinstance(block, WaveBlock)
    assert block.missing == ((4, 8),)


def test_a_burst_whose_end_was_lost_comes_within_seconds() -> None:
    talk = Conversing().streaming()
    talk.hear(talk.node.piece(talk.now_ns, 0, 8))
    talk.advance(STALE_SWEEPS + 1.1)
    (block,) = talk.of(WaveBlock)
    assert block.missing == ((8, 12),)


def test_levels_of_the_nodes_own_making_become_a_block_on_the_common_base() -> None:
    talk = Conversing().streaming()
    edges = np.array([[20_000.0, 40_000.0]], dtype=np.float32)
    report = BandLevels(NS_PER_S, 0, edges, np.array([[100.0], [25.0]], dtype=np.float32))
    (block,) = talk.hear(talk.node.say(talk.now_ns - NS_PER_S, report, flags=Flags.SATURATED))
    assert isinstance(block, LevelBlock)
    assert (block.node, block.quantity, block.sensors) == ("A", Quantity.ULTRASOUND, ("A1", "A2"))
    assert block.mean_square[:, 0].tolist() == pytest.approx([1e-4, 1e-4])  # the second one's gain is 2
    assert abs(block.t0_ns + block.window_ns - talk.now_ns) <= PATH_NS
    assert block.saturated


def test_a_lost_level_is_counted_and_a_repeated_one_dropped() -> None:
    talk = Conversing().streaming()
    edges = np.array([[20_000.0, 40_000.0]], dtype=np.float32)
    report = BandLevels(NS_PER_S, 0, edges, np.array([[1.0]], dtype=np.float32))
    frame = talk.node.say(talk.now_ns, report)
    assert [type(event) for event in talk.hear(frame + frame)] == [LevelBlock]
    assert [type(event) for event in talk.hear(talk.node.say(talk.now_ns, report, skip=2))] == [LevelBlock]
    counters = talk.health().counters
    assert (counters.lost_frames, counters.repeated_frames) == (2, 1)


def test_what_the_site_promises_and_the_node_does_not_is_complained_of() -> None:
    tables = site_tables()
    contact = {"name": "A-c", "quantity": "surface_velocity", "channel": 0, "position_m": [0.0, 0.5, 0.5]}
    tables["nodes"][0].update(sensors=[contact], switches=[{"name": "fan", "output": 0}])
    node = FakeNode(channels=(Channel(Quantity.SURFACE_VELOCITY, 1e-9, 0.0),))
    talk = Conversing(node, site=parsed(tables)).open()
    identity = talk.of(StateChanged)[1].identity
    assert identity is not None
    assert identity.complaints == (
        "its contact sensors are sampled one after the other, and the site file has no skew_us: delays will be wrong",
        "it has no trigger line, the site file says it has",
        "it switches nothing, the site file says it does",
    )


def test_a_step_that_the_node_tells_of_is_learnt_within_pings() -> None:
    talk = Conversing().streaming()
    talk.hear(talk.node.piece(talk.now_ns, 0, 4))
    talk.node.offset_ns += 3 * NS_PER_S
    (burst,) = talk.hear(talk.node.status(talk.now_ns, flags=Flags.TIME_STEP))
    assert isinstance(burst, WaveBlock)
    talk.advance(0.5)
    (block,) = talk.hear(talk.node.pressure(talk.now_ns))
    assert isinstance(block, ScalarBlock)
    assert abs(int(block.time_ns[0]) - talk.now_ns) <= PATH_NS
    assert talk.health().counters.clock_steps == 1
    assert talk.session.state is State.STREAMING


def test_a_step_that_nobody_tells_of_is_noticed_by_pings() -> None:
    talk = Conversing().streaming()
    talk.node.offset_ns += 50_000_000
    talk.advance(2.0)
    assert talk.health().counters.clock_steps == 1
    (block,) = talk.hear(talk.node.pressure(talk.now_ns))
    assert isinstance(block, ScalarBlock)
    assert abs(int(block.time_ns[0]) - talk.now_ns) <= PATH_NS


def test_a_line_that_echoes_is_no_reboot_and_keeps_no_node_alive() -> None:
    talk = Conversing().streaming()
    talk.node.mute = True
    for _ in range(13):
        before = len(talk.sent)
        talk.advance(1.0)
        talk.hear(talk.sent[before:])
    assert talk.session.state is State.LOST
    health = talk.of(LinkHealth)[-1]
    assert health.counters.reboots == 0
    assert health.counters.undecodable == 0  # the line is whole, only nobody is there


def test_health_is_told_every_second_in_every_state() -> None:
    talk = Conversing(FakeNode(mute=True)).open()
    talk.advance(5.0)
    assert 5 <= len(talk.of(LinkHealth)) <= 6
    assert talk.health().state is State.HELLO
    talk.node.mute = False
    talk.advance(2.0)
    talk.hear(talk.node.status(talk.now_ns))
    health = talk.health()
    assert (health.link, health.node, health.state) == ("port-1", "A", State.STREAMING)
    assert health.status is not None
    assert health.round_trip_ns == 2 * PATH_NS
    assert 0 < health.clock_sigma_ns < PATH_NS
    assert health.counters.received_bytes > 0


FRAMES = st.one_of(
    PACKETS.map(encode_packet),
    st.builds(
        lambda message, time_ns, boot: FakeNode(boot_id=boot).say(0, message, time_ns=time_ns),
        MESSAGES,
        st.one_of(st.integers(0, 2**64 - 1), st.integers(105 * NS_PER_S, 115 * NS_PER_S)),
        st.sampled_from([1, 1, 1, 2]),
    ),
    st.binary(max_size=30),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(FRAMES, st.sampled_from([0.0, 0.05, 1.0, 4.0])), max_size=12), st.booleans())
def test_whatever_a_node_says_nothing_is_raised(said: list[tuple[bytes, float]], known: bool) -> None:
    """Sound frames of any content, at any moment: a bad node must not end the conversations with the good ones."""
    talk = Conversing().streaming() if known else Conversing(FakeNode(mute=True)).open()
    for frame, pause_s in said:
        talk.hear(frame)
        talk.advance(pause_s)
    talk.session.hung_up("pulled")
    talk.node = FakeNode(boot_id=9)
    talk.open().advance(2.0)
    assert talk.session.state in DELIVERING
    (block,) = [event for event in talk.hear(talk.node.pressure(talk.now_ns)) if isinstance(event, ScalarBlock)]
    assert abs(int(block.time_ns[0]) - talk.now_ns) <= PATH_NS
