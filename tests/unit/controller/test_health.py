"""Which nodes may vote: when one is lost, when it is back, and what is poor about one that is there."""

import numpy as np
import pytest

from controller.health import DEAF_AFTER_CAPTURES, Health, Settings
from firmware_bridge.session.states import State
from firmware_bridge.units import s_to_ns
from firmware_bridge.wire.commands import Capture, Start, TriggerRole
from tests.support.hearing import box_site, wave_block
from tests.support.told import identity, moved, outcome, report

GRACE = Settings().startup_grace_s
LOST_AFTER = Settings().lost_after_s
CAPTURE = Capture(1, 16_384, TriggerRole.AT_TIME, 0)
ALL = ("A", "B", "C", "D", "E")


class Watched:
    """Health of the box site, told times in seconds."""

    def __init__(self) -> None:
        self.health = Health(box_site(), Settings())
        self.health.lost(0)  # the first look starts the grace

    def state(self, at_s: float, node: str | None, state: State, *, link: str = "port", reason: str = "") -> bool:
        return self.health.note_state(s_to_ns(at_s), moved(node, state, link=link, reason=reason))

    def lost(self, at_s: float) -> list[str]:
        return [node for node, _ in self.health.lost(s_to_ns(at_s))]

    def all_up(self, at_s: float = 1.0) -> None:
        for node in ALL:
            self.state(at_s, node, State.STREAMING)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_nodes_have_a_grace_to_appear(watched: Watched) -> None:
    assert watched.lost(0.0) == []
    assert watched.lost(GRACE - 0.1) == []
    assert watched.lost(GRACE) == list(ALL)
    (first, *_) = watched.health.lost(s_to_ns(GRACE))
    assert "never heard" in first[1]
    watched.state(GRACE + 1, "A", State.STREAMING)
    assert watched.lost(GRACE + 1) == ["B", "C", "D", "E"]


def test_a_node_that_goes_away_is_lost_after_a_moment(watched: Watched) -> None:
    watched.all_up()
    watched.state(100.0, "B", State.LOST, reason="silent for 3 s; check its cable")
    assert watched.lost(100.0 + LOST_AFTER - 0.1) == []
    assert watched.health.lost(s_to_ns(100.0 + LOST_AFTER)) == (("B", "silent for 3 s; check its cable"),)
    watched.state(110.0, "B", State.STREAMING)
    assert watched.lost(200.0) == []


def test_a_node_that_is_back_in_a_moment_raises_nothing(watched: Watched) -> None:
    watched.all_up()
    for at_s in np.arange(100.0, 130.0, LOST_AFTER):
        watched.state(at_s, "B", State.HELLO, reason="rebooted")
        assert watched.lost(at_s + 0.9 * LOST_AFTER) == []
        watched.state(at_s + 0.9 * LOST_AFTER, "B", State.STREAMING)


def test_coming_half_way_back_is_not_being_back(watched: Watched) -> None:
    watched.all_up()
    watched.state(100.0, "B", State.LOST)
    for at_s, state in ((101.0, State.OPENING), (102.0, State.HELLO), (102.5, State.SYNC)):
        watched.state(at_s, "B", state)
    assert watched.lost(100.0 + LOST_AFTER) == ["B"]
    watched.state(104.0, "B", State.DEGRADED)
    assert watched.lost(104.0) == []


def test_a_node_that_never_gets_beyond_its_greeting_is_lost_after_the_grace(watched: Watched) -> None:
    watched.all_up()
    slow = Watched()
    slow.state(1.0, "A", State.SYNC)
    assert "A" not in slow.lost(GRACE - 0.1)
    assert "A" in slow.lost(GRACE)
    strange = Watched()
    strange.state(1.0, "A", State.INCOMPATIBLE, reason="speaks protocol 9")
    assert strange.lost(1.0 + LOST_AFTER) == ["A"]  # waiting does not mend that


def test_a_node_on_another_port_is_not_lost_by_the_old_one(watched: Watched) -> None:
    watched.all_up()
    watched.state(100.0, "A", State.LOST, link="port")
    assert watched.state(101.0, "A", State.STREAMING, link="other port")
    assert not watched.state(102.0, "A", State.LOST, link="port")  # the old port has not understood yet
    assert watched.health.delivering("A")
    assert watched.lost(200.0) == []
    assert watched.state(201.0, "A", State.LOST, link="other port")
    assert watched.lost(210.0) == ["A"]


def test_what_never_said_who_it_is_is_no_node(watched: Watched) -> None:
    assert not watched.state(1.0, None, State.HELLO)
    assert watched.lost(GRACE) == list(ALL)


def test_only_delivering_nodes_deliver(watched: Watched) -> None:
    for state in State:
        watched.state(1.0, "A", state)
        assert watched.health.delivering("A") is (state in {State.STREAMING, State.DEGRADED})
    assert not watched.health.delivering("B")


def burst(node: str, rms: tuple[float, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array(rms)[:, None] * np.random.default_rng(1).standard_normal((len(rms), 4096))


@pytest.mark.parametrize(
    ("rms", "mute"),
    [
        ((1.0, 1.2, 0.8, 1.1), ()),
        ((1.0, 1.2, 0.03, 1.1), ("A2",)),  # 3 % of its neighbours
        ((1.0, 1.2, 0.1, 1.1), ()),  # 20 dB below: quiet, or behind a rack
        ((1.0, 0.0, 0.0, 1.0), ("A1", "A2")),
        ((0.0, 0.0, 0.0, 0.0), ("A0", "A1", "A2", "A3")),
        ((50.0, 1.0, 1.0, 1.0), ()),  # a mad one does not make the others look dead
    ],
)
def test_a_dead_microphone_is_found_beside_its_neighbours(
    watched: Watched, rms: tuple[float, ...], mute: tuple[str, ...]
) -> None:
    watched.all_up()
    names = ("A0", "A1", "A2", "A3")
    watched.health.note_burst(wave_block("A", names, burst("A", rms)))
    (a, *others) = watched.health.picture()
    assert a.mute == mute
    assert all(other.mute == () for other in others)
    assert [name for name, _ in watched.health.poor()] == (["A"] if mute else [])


def test_bursts_that_do_not_come_make_a_node_deaf_but_not_lost(watched: Watched) -> None:
    watched.all_up()
    for missed in range(1, DEAF_AFTER_CAPTURES + 1):
        assert watched.health.hearing == set(ALL), missed
        watched.health.note_capture(frozenset("BCDE"), frozenset("A"))
    assert watched.health.hearing == set("BCDE")
    assert watched.lost(100.0) == []
    assert watched.health.poor() == (("A", "delivers no bursts (its bursts do not arrive whole; check the line)"),)
    watched.health.note_capture_outcome(outcome("A", CAPTURE, done=False, text="refused: too long"))
    assert watched.health.poor() == (("A", "delivers no bursts (refused: too long)"),)
    watched.health.note_capture(frozenset(ALL), frozenset())
    assert watched.health.poor() == ()
    assert watched.health.hearing == set(ALL)


def test_missed_bursts_count_in_a_row_and_not_while_away(watched: Watched) -> None:
    watched.all_up()
    for _ in range(3):
        for _ in range(DEAF_AFTER_CAPTURES - 1):
            watched.health.note_capture(frozenset(), frozenset("A"))
        watched.health.note_capture(frozenset("A"), frozenset())
    assert watched.health.poor() == ()
    for _ in range(DEAF_AFTER_CAPTURES - 1):
        watched.health.note_capture(frozenset(), frozenset("A"))
    watched.state(100.0, "A", State.LOST)
    watched.state(101.0, "A", State.STREAMING)
    watched.health.note_capture(frozenset(), frozenset("A"))
    assert "A" in watched.health.hearing


def test_a_node_that_does_not_start_is_told(watched: Watched) -> None:
    watched.all_up()
    watched.health.note_start_outcome(outcome("A", Start(100), done=False, text="refused: busy"))
    assert watched.health.poor() == (("A", "does not start its data (refused: busy); check its firmware"),)
    watched.health.note_start_outcome(outcome("A", Start(100)))
    assert watched.health.poor() == ()


def test_complaints_of_the_recognition_are_told_while_the_node_is_there() -> None:
    health = Health(box_site(), Settings())
    who = identity(("channel 3 measures pressure, not ultrasound",))
    health.note_state(0, moved("A", State.STREAMING, who=who))
    assert health.poor() == (("A", "channel 3 measures pressure, not ultrasound"),)
    health.note_state(0, moved("A", State.LOST))
    assert health.poor() == ()


def test_the_picture_has_every_surveyed_node(watched: Watched) -> None:
    watched.state(1.0, "B", State.STREAMING, link="/dev/ttyACM0")
    watched.health.note_health(report("B"))
    watched.health.note_health(report(None))
    pictures = {picture.node: picture for picture in watched.health.picture()}
    assert list(pictures) == list(ALL)
    assert (pictures["A"].state, pictures["A"].link, pictures["A"].reason) == (State.CLOSED, None, "not heard yet")
    assert (pictures["B"].state, pictures["B"].link) == (State.STREAMING, "/dev/ttyACM0")
    told = pictures["B"].health
    assert told is not None
    assert told.counters.lost_frames == 3
    assert pictures["A"].health is None
