"""What is heard over time: learning, onset, spectra for the locator, verdicts worth telling, and when it is over."""

from collections.abc import Iterable

import numpy as np
import pytest

from controller.detect.bands import BandLevels
from controller.detect.onset import Settings
from controller.localize.track import MAX_DOUBTS
from controller.localize.verdict import Fix, Reason, Verdict
from controller.measure.captures import Capture
from controller.pipeline.background_captures import NEWEST, OLDEST
from controller.pipeline.happenings import Happening, LeakGone, Learned, Located, SoundOnset, SoundOver
from controller.pipeline.news import TELL_AGAIN_S
from controller.pipeline.sound_watch import QUIET_BURSTS, Phase, SoundWatch
from firmware_bridge.units import s_to_ns
from tests.support.hearing import ROOM, box_site, wave_block
from tests.support.verdicts import fix, no_fix

NODES = ("A", "B")
LEARNING = Settings().learning_bursts
SITE = box_site(alone=("C", "D", "E"))


class Room:
    """Bursts of two nodes of one line, a capture a second, at levels told by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._level_db = 50.0
        monkeypatch.setattr(
            "controller.detect.onset.band_levels", lambda _pressure, _rate: BandLevels(np.full((4, 3), self._level_db))
        )
        self.watch = SoundWatch(SITE, ROOM, Settings())
        self.second = 0
        self.pace = 1
        self.random = np.random.default_rng(1)

    def hear(self, rise_db: float = 0.0, nodes: Iterable[str] = NODES, *, missing: bool = False) -> list[Happening]:
        """One capture at so much above the floor, and what the watch makes of it."""
        self.second += self.pace
        # A floor that never moves has no spread: a fortieth of a decibel, hidden under the assumed twentieth.
        self._level_db = 50.0 + rise_db + 0.025 * (self.second // self.pace % 2)
        blocks = {}
        for node in nodes:
            names = tuple(f"{node}{i}" for i in range(4))
            pressure = self.random.standard_normal((4, 512))
            gaps = ((3, 5),) if missing else ()
            start_ns = s_to_ns(self.second)
            block = wave_block(node, names, pressure, burst_id=self.second, start_ns=start_ns, missing=gaps)
            self.watch.take_burst(block)
            if not missing:
                blocks[node] = block
        self.watch.take_capture(Capture(self.second, blocks))
        return self.watch.step(frozenset(NODES))

    def phase(self) -> Phase:
        return self.watch.phase

    def learn(self) -> None:
        happenings = [happening for _ in range(LEARNING) for happening in self.hear()]
        assert happenings == [Learned(NODES)]

    def sound(self) -> SoundOnset:
        """A leak begins and is noticed."""
        self.learn()
        assert self.hear(10.0) == []
        (onset,) = self.hear(10.0)
        assert isinstance(onset, SoundOnset)
        return onset

    def verdict(self, *verdicts: Verdict, generation: int = 0, at_s: float | None = None) -> list[Happening]:
        now_s = self.second if at_s is None else at_s
        return self.watch.take_verdicts(s_to_ns(now_s), verdicts, generation)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    return Room(monkeypatch)


def test_the_floor_is_learned_from_all_that_are_heard(room: Room) -> None:
    assert room.phase() is Phase.LEARNING
    for _ in range(LEARNING):
        assert room.hear(nodes=("A",)) == []  # B is there and has not been heard
    assert room.phase() is Phase.LEARNING
    for _ in range(LEARNING - 1):
        assert room.hear(nodes=("B",)) == []
    assert room.hear(nodes=("B",)) == [Learned(NODES)]
    assert room.phase() is Phase.QUIET


def test_who_is_not_there_is_not_waited_for(room: Room) -> None:
    for _ in range(LEARNING):
        room.hear(nodes=("A",))
    assert room.watch.step(frozenset()) == []  # nobody there: nothing is learned
    assert room.watch.step(frozenset({"A", "P1"})) == [Learned(("A",))]


def test_an_onset_takes_two_bursts_and_dates_from_the_first(room: Room) -> None:
    room.learn()
    room.hear(10.0)
    assert room.phase() is Phase.LOUD
    assert (room.watch.since_ns, room.watch.loud_nodes) == (None, ())
    first_ns = s_to_ns(room.second)
    (onset,) = room.hear(10.0)
    assert isinstance(onset, SoundOnset)
    assert onset.nodes == NODES
    assert onset.first_ns == first_ns == room.watch.since_ns
    assert onset.rise_db == pytest.approx(10.0, abs=0.1)
    assert room.phase() is Phase.SOUNDING
    assert room.watch.loud_nodes == NODES


def test_a_single_loud_burst_is_forgotten(room: Room) -> None:
    room.learn()
    room.hear(10.0)
    assert room.hear() == []
    assert room.phase() is Phase.QUIET
    room.hear(10.0)
    assert room.hear() == []


def test_jobs_are_of_the_sound_and_of_what_was_before(room: Room) -> None:
    room.learn()
    assert room.watch.next_job(295.0) is None
    room.hear()
    room.hear(10.0)
    assert room.watch.next_job(295.0) is None  # loud once is no sound yet
    room.hear(10.0)
    room.hear(10.0)
    job = room.watch.next_job(295.0)
    assert job is not None
    assert len(job.captures) == 1  # the capture that made it an onset came before the step said so
    assert len(job.quiet) == min(LEARNING, OLDEST + NEWEST)
    assert (job.temperature_k, job.generation) == (295.0, 0)
    assert room.watch.next_job(295.0) is None  # nothing new
    room.hear(10.0)
    assert room.watch.next_job(295.0) is not None


def test_only_quiet_bursts_end_a_sound(room: Room) -> None:
    room.sound()
    for _ in range(QUIET_BURSTS - 1):
        assert room.hear() == []
    assert room.phase() is Phase.SOUNDING
    assert room.hear() == [SoundOver(NODES)]
    assert room.phase() is Phase.QUIET
    assert (room.watch.loud_nodes, room.watch.since_ns, room.watch.verdict) == ((), None, None)
    assert room.watch.next_job(295.0) is None


def test_a_sound_that_pauses_is_one_sound(room: Room) -> None:
    room.sound()
    for _ in range(5):
        for _ in range(QUIET_BURSTS - 1):
            assert room.hear() == []
        assert room.hear(10.0) == []
    assert room.phase() is Phase.SOUNDING


def test_not_hearing_is_not_silence(room: Room) -> None:
    room.sound()
    for node in NODES:
        room.watch.node_gone(node)
    for _ in range(3 * QUIET_BURSTS):
        assert room.hear(nodes=()) == []
        assert room.hear(missing=True) == []  # bursts with gaps would look quiet
    assert room.phase() is Phase.SOUNDING
    for _ in range(QUIET_BURSTS - 1):
        assert room.hear() == []
    assert room.hear() == [SoundOver(NODES)]


def test_a_node_that_is_gone_does_not_hold_a_sound_up(room: Room) -> None:
    room.sound()
    room.watch.node_gone("B")
    for _ in range(QUIET_BURSTS - 1):
        room.hear(nodes=("A",))
    assert room.hear(nodes=("A",)) == [SoundOver(NODES)]


def test_nodes_that_hear_it_later_join(room: Room) -> None:
    room.learn()
    room.hear(10.0, nodes=("A",))
    (onset,) = room.hear(10.0, nodes=("A",))
    assert isinstance(onset, SoundOnset)
    assert onset.nodes == ("A",)
    room.hear(10.0)
    room.hear(10.0)
    assert room.watch.loud_nodes == NODES


def test_bursts_of_other_rooms_are_not_ours(room: Room) -> None:
    room.learn()
    stranger = wave_block("Z", ("Z1",), np.zeros((1, 512)))
    room.watch.take_burst(stranger)
    assert "Z" not in room.watch.loudness
    assert set(room.watch.loudness) == set(NODES)


# ---- verdicts


def test_the_first_verdict_is_told_and_what_jitters_is_not(room: Room) -> None:
    room.sound()
    first = fix(radius95_m=0.02)
    assert room.verdict(first) == [Located(first, 1)]
    assert room.watch.verdict == first
    x, y, z = first.position_m
    jittered = fix((x + 0.015, y, z), radius95_m=0.02)
    assert room.verdict(jittered) == []
    assert room.watch.verdict == first  # for whoever looks, it stays as it was told
    moved = fix((x + 0.025, y, z), radius95_m=0.02)
    assert room.verdict(moved) == [Located(moved, 1)]


def test_a_verdict_is_told_again_after_a_while(room: Room) -> None:
    room.sound()
    told = fix()
    room.verdict(told, at_s=100.0)
    assert room.verdict(told, at_s=100.0 + TELL_AGAIN_S) == []
    assert room.verdict(told, at_s=100.1 + TELL_AGAIN_S) == [Located(told, 1)]


def test_reasons_are_news_when_they_change_and_a_fix_always(room: Room) -> None:
    room.sound()
    quiet, ambiguous = no_fix(), no_fix(Reason.AMBIGUOUS)
    assert room.verdict(quiet) == [Located(quiet)]
    assert room.verdict(no_fix()) == []
    assert room.verdict(ambiguous) == [Located(ambiguous)]
    assert room.verdict(fix()) == [Located(fix(), 1)]


def test_a_place_stands_through_some_doubt_and_falls_with_more(room: Room) -> None:
    room.sound()
    room.verdict(fix())
    for _ in range(MAX_DOUBTS - 1):
        assert room.verdict(no_fix()) == []
    assert isinstance(room.watch.verdict, Fix)
    assert room.verdict(no_fix()) == [LeakGone(1, fix()), Located(no_fix())]
    assert room.watch.leaks == ()


def test_a_verdict_on_a_sound_that_is_over_says_nothing_of_the_next(room: Room) -> None:
    room.sound()
    for _ in range(QUIET_BURSTS):
        room.hear()
    assert room.verdict(fix(), generation=0) == []
    room.hear(10.0)
    room.hear(10.0)
    assert room.phase() is Phase.SOUNDING
    assert room.verdict(fix(), generation=0) == []  # computed from the old sound, back only now
    assert room.verdict(fix(), generation=1) == [Located(fix(), 1)]


def test_every_leak_is_told_by_its_number(room: Room) -> None:
    room.sound()
    first, second = fix((0.0, 1.0, 0.5)), fix((1.0, 2.4, 1.5))
    assert room.verdict(first, second) == [Located(first, 1)]  # one is believed at once, the other when confirmed
    assert room.verdict(second, first) == [Located(second, 2)]
    assert [leak.number for leak in room.watch.leaks] == [1, 2]
    assert room.watch.verdict == first
    assert room.verdict(first, second, no_fix()) == []
    for _ in range(MAX_DOUBTS - 1):
        assert room.verdict(second, no_fix()) == []
    assert room.verdict(second, no_fix()) == [LeakGone(1, first)]
    assert room.watch.verdict == second


def test_a_region_that_shrank_by_half_is_news(room: Room) -> None:
    room.sound()
    wide, narrow = fix(radius95_m=0.05), fix(radius95_m=0.02)
    assert room.verdict(wide) == [Located(wide, 1)]
    assert room.verdict(fix(radius95_m=0.03)) == []
    assert room.verdict(narrow) == [Located(narrow, 1)]


# ---- what the room sounds like


def burst_ids(room: Room) -> list[int]:
    """Of the background that the next sound is held against."""
    room.hear(10.0)
    room.hear(10.0)
    room.hear(10.0)
    job = room.watch.next_job(295.0)
    assert job is not None
    return [capture.burst_id for capture in job.quiet]


def test_the_background_follows_the_room_and_keeps_its_oldest(room: Room) -> None:
    room.learn()
    for _ in range(600):
        room.hear()
    ids = burst_ids(room)
    assert ids[:OLDEST] == list(range(1, OLDEST + 1))
    # One a minute, the last of them two minutes old when the sound began.
    newest = ids[OLDEST:]
    assert len(newest) == NEWEST
    assert np.diff(newest).tolist() == [60] * (NEWEST - 1)
    assert LEARNING + 600 - 60 - 120 <= newest[-1] <= LEARNING + 600 - 120


def test_what_comes_shortly_before_an_onset_is_no_background(room: Room) -> None:
    room.learn()
    for _ in range(119):
        room.hear()
    assert max(burst_ids(room)) <= LEARNING


def test_a_sound_that_crept_in_is_held_against_the_oldest_alone(room: Room) -> None:
    """The floor comes after three quarters of a decibel an hour by 0.75 x (1800 + 120) s = 0.4 dB, less than an onset,
    until it stands 3 dB above what was learned; half a decibel later the newest captures are full of the sound."""
    room.learn()
    room.pace = 20
    began = room.second
    while room.phase() is not Phase.SOUNDING and room.second < 8 * 3600:
        room.hear(0.75 * (room.second - began) / 3600.0)
    assert 3.4 < 0.75 * (room.second - began) / 3600.0 < 3.7
    room.hear(4.0)
    job = room.watch.next_job(295.0)
    assert job is not None
    assert [capture.burst_id for capture in job.quiet] == list(range(1, OLDEST + 1))
