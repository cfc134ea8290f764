"""What a cable or a node may do to the bridge: it shows in states and counters, and never touches the other node."""

import asyncio

import numpy as np
import pytest

from firmware_bridge.bridge import FIRST_BACKOFF_S, JITTER_SHARE, LONGEST_BACKOFF_S, lost
from firmware_bridge.session.events import LinkHealth, StateChanged
from firmware_bridge.session.states import DELIVERING, State
from firmware_bridge.wire.codec import encode
from firmware_bridge.wire.commands import Identify, Ping
from firmware_bridge.wire.framing import Packet, encode_packet
from firmware_bridge.wire.reports import Pong, Samples
from sim.virtual_time import run_virtual
from tests.support.bench import PERIOD_S, Bench, bench, now_ns

MAX_PAUSE_S = 2 * PERIOD_S  # one sample a period; a good node may be late by no more than another one


def clock_s() -> float:
    return asyncio.get_running_loop().time()


def assert_b_never_paused(rig: Bench, since_s: float) -> None:
    assert rig.longest_pause_s("B", since_s=since_s) <= MAX_PAUSE_S
    assert rig.state("B") is State.STREAMING
    assert rig.health("B").counters.bad_frames == 0


def test_unplugged_and_plugged_in_again() -> None:
    async def main() -> None:
        async with bench("A", "B") as rig:
            began_s = clock_s()
            await rig.unplug("A")
            await asyncio.sleep(4.0)
            assert rig.state("A") is State.LOST
            rig.plug("A")
            await asyncio.sleep(8.0)
            assert rig.state("A") is State.STREAMING
            assert rig.health("A").counters.connections == 2
            assert rig.longest_pause_s("A", since_s=clock_s() - 2.0) <= MAX_PAUSE_S
            assert_b_never_paused(rig, began_s)

    run_virtual(main())


def test_the_loss_of_a_node_is_told_once_with_its_reason() -> None:
    async def main() -> None:
        async with bench("A") as rig:
            began_s = clock_s()
            await rig.unplug("A")
            await asyncio.sleep(0.2)
            (change,) = [event for event in rig.of(StateChanged, since_s=began_s) if event.link == "A"]
            assert lost(change)
            assert (change.node, change.state) == ("A", State.LOST)
            assert "the memory cable is cut" in change.reason

    run_virtual(main())


def test_nobody_home_is_asked_for_ever_with_bounded_patience() -> None:
    async def main() -> None:
        async with bench("B") as rig:
            await asyncio.sleep(300.0)
            assert rig.state("A") is State.LOST
            assert "nothing is plugged in at A" in rig.reason("A")
            fewest = 300.0 / (LONGEST_BACKOFF_S * (1 + JITTER_SHARE))
            most = 300.0 / LONGEST_BACKOFF_S + np.log2(LONGEST_BACKOFF_S / FIRST_BACKOFF_S) + 2
            assert fewest <= rig.ports["A"].tries <= most
            rig.plug("A")
            await asyncio.sleep(LONGEST_BACKOFF_S * (1 + JITTER_SHARE) + 3.0)
            assert rig.state("A") is State.STREAMING
            assert_b_never_paused(rig, 4.0)

    run_virtual(main())


def test_a_flood_of_garbage_from_a_stranger() -> None:
    """Where a node should be, a line at another baud rate roars: a megabyte a second of nothing."""

    async def main() -> None:
        random = np.random.default_rng(3)
        async with bench("B") as rig:
            began_s = clock_s()
            rig.nodes["A"].mute = True
            rig.plug("A")
            await rig.say("A", lambda: random.bytes(10_000), every_s=0.01, for_s=30.0)
            assert rig.state("A") not in DELIVERING
            assert rig.health("A").counters.bad_frames > 1000
            assert_b_never_paused(rig, began_s)

    run_virtual(main())


def test_endless_bytes_without_a_delimiter_take_no_memory_and_no_time_from_others() -> None:
    async def main() -> None:
        async with bench("A", "B") as rig:
            began_s = clock_s()
            await rig.say("A", lambda: b"\x55" * 50_000, every_s=0.05, for_s=20.0)
            await asyncio.sleep(2.0)
            assert len(rig.session("A")._deframer._partial) < 10_000
            assert_b_never_paused(rig, began_s)

    run_virtual(main())


def test_garbage_between_good_frames_degrades_and_is_over_when_it_is_over() -> None:
    async def main() -> None:
        random = np.random.default_rng(4)
        async with bench("A", "B") as rig:
            began_s = clock_s()
            await rig.say("A", lambda: b"\x00" + random.bytes(20) + b"\x00", every_s=0.3, for_s=40.0)
            assert rig.state("A") is State.DEGRADED
            assert rig.longest_pause_s("A", since_s=began_s) <= MAX_PAUSE_S  # what is sound is used all the same
            await asyncio.sleep(60.0)
            assert rig.state("A") is State.STREAMING
            assert_b_never_paused(rig, began_s)

    run_virtual(main())


def test_a_node_that_says_too_much_does_not_silence_another() -> None:
    """Sound frames, five thousand a second."""

    async def main() -> None:
        async with bench("A", "B") as rig:
            began_s = clock_s()
            node = rig.nodes["A"]
            await rig.say("A", lambda: b"".join(node.status(now_ns()) for _ in range(50)), every_s=0.01, for_s=5.0)
            assert rig.health("A").counters.frames > 20_000
            assert rig.state("A") is State.STREAMING
            assert_b_never_paused(rig, began_s)

    run_virtual(main())


def test_a_node_that_reads_nothing_does_not_stop_the_others() -> None:
    async def main() -> None:
        async with bench("B") as rig:
            began_s = clock_s()
            rig.ports["A"].plug()  # a cable with nobody at its end
            await asyncio.sleep(60.0)
            assert "nothing answers HELLO" in rig.reason("A")
            assert_b_never_paused(rig, began_s)

    run_virtual(main())


def test_another_protocol_version_is_shown_and_asked_again() -> None:
    async def main() -> None:
        async with bench("B") as rig:
            began_s = clock_s()
            rig.nodes["A"].versions, rig.nodes["A"].header_version = (2, 2), 2
            rig.plug("A")
            await asyncio.sleep(30.0)
            assert rig.state("A") is State.INCOMPATIBLE
            assert "speaks protocol 2 to 2, this controller 1" in rig.reason("A")
            rig.nodes["A"].versions, rig.nodes["A"].header_version = (1, 2), 1  # its firmware was updated
            await asyncio.sleep(15.0)
            assert rig.state("A") is State.STREAMING
            assert_b_never_paused(rig, began_s)

    run_virtual(main())


def test_a_node_that_hangs_is_lost_and_greeted_again() -> None:
    async def main() -> None:
        async with bench("A", "B") as rig:
            began_s = clock_s()
            rig.nodes["A"].mute = True
            await asyncio.sleep(13.0)
            assert rig.state("A") in {State.LOST, State.HELLO}
            assert any(lost(event) for event in rig.of(StateChanged, since_s=began_s))
            await rig.unplug("A")
            rig.nodes["A"].mute = False
            rig.plug("A")
            await asyncio.sleep(10.0)
            assert rig.state("A") is State.STREAMING
            assert_b_never_paused(rig, began_s)

    run_virtual(main())


def test_a_reboot_in_the_middle_of_a_frame() -> None:
    async def main() -> None:
        async with bench("A", "B") as rig:
            began_s = clock_s()
            node = rig.nodes["A"]
            rig.ends["A"].write(node.status(now_ns())[:9])
            node.reboot()
            node.offset_ns = 0
            rig.ends["A"].write(node.status(now_ns()) + node.status(now_ns()))
            await asyncio.sleep(5.0)
            assert rig.state("A") is State.STREAMING
            assert rig.health("A").counters.reboots == 1
            assert rig.health("A").counters.bad_frames == 1
            assert_b_never_paused(rig, began_s)

    run_virtual(main())


@pytest.mark.parametrize(
    "lie",
    [
        Samples(2, 3600 * 10**9, np.zeros((200, 1), dtype=np.int32)),
        Pong(1, 2**64 - 1, 2**64 - 1),
        Pong(1, 2**63, 0),
    ],
    ids=["samples of the far future", "a clock at its end", "a clock that runs backwards"],
)
def test_a_node_that_lies_about_time_ends_nothing(lie: Samples | Pong) -> None:
    async def main() -> None:
        async with bench("A", "B") as rig:
            began_s = clock_s()
            node = rig.nodes["A"]

            def frame() -> bytes:
                said = lie if isinstance(lie, Samples) else Pong(rig.session("A")._orders._pings._last_id, *stamps)
                return node.say(now_ns(), said, time_ns=2**64 - 1)

            stamps = () if isinstance(lie, Samples) else (lie.received_ns, lie.sent_ns)
            await rig.say("A", frame, every_s=0.02, for_s=10.0)
            await asyncio.sleep(5.0)
            assert rig.longest_pause_s("A", since_s=clock_s() - 3.0) <= MAX_PAUSE_S
            assert_b_never_paused(rig, began_s)

    run_virtual(main())


def test_a_line_that_echoes_everything() -> None:
    async def main() -> None:
        async with bench("B") as rig:
            began_s = clock_s()
            end = rig.ports["A"].plug()

            async def echo() -> None:
                while True:
                    end.write((await end.read()).data)

            echoing = asyncio.create_task(echo())
            await asyncio.sleep(20.0)
            assert rig.state("A") is State.HELLO
            echoing.cancel()
            await asyncio.wait([echoing])
            assert_b_never_paused(rig, began_s)

    run_virtual(main())


def test_every_command_has_an_outcome_whatever_becomes_of_the_cable() -> None:
    async def main() -> None:
        async with bench("A", "B") as rig:
            rig.bridge.send("A", 1, Identify(1))
            await asyncio.sleep(0.1)
            assert rig.outcomes() == [(1, True)]
            rig.nodes["A"].acknowledges = False
            rig.bridge.send("A", 2, Identify(1))
            await rig.unplug("A")
            await asyncio.sleep(0.1)
            assert rig.outcomes() == [(1, True), (2, False)]
            rig.bridge.send("A", 3, Identify(1))  # nobody is there
            rig.bridge.send("Z", 4, Identify(1))  # and nobody ever was
            assert rig.outcomes()[2:] == [(3, False), (4, False)]

    run_virtual(main())


def test_health_of_an_open_link_is_told_every_second() -> None:
    async def main() -> None:
        async with bench("A", "B") as rig:
            began_s = clock_s()
            await asyncio.sleep(10.0)
            told = [event.link for event in rig.of(LinkHealth, since_s=began_s)]
            assert 9 <= told.count("A") <= 11
            assert 9 <= told.count("B") <= 11

    run_virtual(main())


def test_a_stranger_between_hello_and_answer_costs_only_its_own_frame() -> None:
    """Both a broken frame and one of ours come in while the greeting is on its way."""

    async def main() -> None:
        async with bench("B") as rig:
            rig.plug("A")
            rig.ends["A"].write(b"\x07\x07\x00" + encode_packet(encode(Ping(9), sequence=1)))
            rig.ends["A"].write(encode_packet(Packet(31, 0, b"what is this?")))
            await asyncio.sleep(30.0)
            assert rig.state("A") is State.STREAMING
            counters = rig.health("A").counters
            assert (counters.bad_frames, counters.undecodable) == (1, 1)  # an echo of ours is no damage

    run_virtual(main())
