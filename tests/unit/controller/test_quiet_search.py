"""Quiet windows: what is listened to, what is told of it, and that the floor is what it was when they are over."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from controller.detect.bands import BandLevels
from controller.detect.onset import Settings
from controller.localize.verdict import Fix, Reason
from controller.measure.captures import Capture
from controller.pipeline.happenings import Happening, LeakGone, Located
from controller.pipeline.sound_watch import HELD_S, Phase, SoundWatch
from controller.quiet.limit import least_leak
from controller.quiet.search import HOLDS, SPAN_DB, QuietHeard
from controller.quiet.telling import in_words
from controller.quiet.window import QuietWindow
from firmware_bridge.units import s_to_ns
from tests.support.hearing import ROOM, box_site, wave_block
from tests.support.verdicts import fix, no_fix

NODES = ("A", "B")
SITE = box_site()
WINDOW = QuietWindow(ROOM, ("rack",), (), 120.0, 40, 9.0, -6.0, 3.0, enough=True, why="switch off rack for 2 min")
NORMAL_DB = 50.0


class Room:
    """A capture a second of two nodes, at a level that the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.level_db = NORMAL_DB
        monkeypatch.setattr("controller.detect.onset.band_levels", lambda _p, _r: BandLevels(self._levels()))
        self.watch = SoundWatch(SITE, ROOM, Settings())
        self.window: QuietWindow | None = None
        self.falling = True
        self.second = 0

    def _levels(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.full((4, 3), self.level_db + 0.025 * (self.second % 2))

    def hear(self, times: int = 1, nodes: Iterable[str] = NODES) -> list[Happening]:
        told: list[Happening] = []
        for _ in range(times):
            self.second += 1
            blocks = {}
            for node in nodes:
                names = tuple(f"{node}{i}" for i in range(4))
                start_ns = s_to_ns(self.second)
                blocks[node] = wave_block(node, names, np.zeros((4, 512)), burst_id=self.second, start_ns=start_ns)
                self.watch.take_burst(blocks[node])
            self.watch.take_capture(Capture(self.second, blocks))
            told += self.watch.step(frozenset(NODES))
            told += self.watch.keep_quiet(s_to_ns(self.second), self.window, falling=self.falling)
        return told

    def learn(self) -> None:
        self.hear(Settings().learning_bursts)
        assert self.watch.phase is Phase.QUIET

    def begin(self, window: QuietWindow = WINDOW, level_db: float = NORMAL_DB - 10.0) -> None:
        self.learn()
        self.window = window
        self.hear()
        self.level_db = level_db

    def locate(self, verdict: Fix, times: int = HOLDS) -> list[Happening]:
        told: list[Happening] = []
        for _ in range(times):
            self.hear()
            job = self.watch.next_job(295.0)
            assert job is not None
            told += self.watch.take_verdicts(s_to_ns(self.second), (verdict, no_fix()), job.generation)
        return told

    @property
    def heard(self) -> QuietHeard:
        assert self.watch.quiet_heard is not None
        return self.watch.quiet_heard


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    return Room(monkeypatch)


def test_what_is_below_the_floor_is_located_in_a_quiet_window_and_only_there(room: Room) -> None:
    room.learn()
    room.level_db = NORMAL_DB - 10.0
    room.hear(5)
    assert room.watch.next_job(295.0) is None
    room.window = WINDOW
    room.hear(5)
    job = room.watch.next_job(295.0)
    assert job is not None
    assert (len(job.captures), job.quiet, job.steady) == (
        4,
        (),
        True,
    )  # the first came before it began


def test_captures_from_before_the_machines_stopped_and_knocks_are_left_out(room: Room) -> None:
    room.begin()
    room.level_db = NORMAL_DB
    room.hear(3)  # nobody has switched anything off yet
    before = room.watch.next_job(295.0)
    assert before is not None
    room.level_db = NORMAL_DB - 10.0
    room.hear(4)
    room.level_db = NORMAL_DB - 10.0 + SPAN_DB + 1.0
    room.hear(2)
    quiet = room.watch.next_job(295.0)
    assert quiet is not None
    assert len(quiet.captures) == 4
    assert quiet.generation > before.generation  # what was heard of the machines is forgotten
    assert room.heard.bursts == 4
    assert room.heard.fell_db == pytest.approx(10.0, abs=0.1)
    whole_db = NORMAL_DB - 10.0 + 10.0 * math.log10(3)  # three bands
    assert room.heard.noise_db == pytest.approx(whole_db, abs=0.1)


def test_a_place_is_told_when_it_has_stayed_and_stands_when_the_machines_run_again(room: Room) -> None:
    room.begin()
    assert room.locate(fix(), HOLDS - 1) == []
    (told,) = room.locate(fix(), 1)
    assert told == Located(fix(), 1)
    assert room.heard.found
    room.window, room.level_db = None, NORMAL_DB
    room.hear(20)
    assert room.watch.phase is Phase.QUIET
    assert room.watch.verdict == fix()
    assert room.watch.loud_nodes == fix().nodes_used
    room.falling = False
    room.second += int(HELD_S)
    (gone,) = room.hear(2)
    assert gone == LeakGone(1, fix())
    assert room.watch.verdict is None


def test_places_that_jump_are_not_told(room: Room) -> None:
    room.begin()
    told: list[Happening] = []
    for step in range(9):
        told += room.locate(fix((0.2 * step, 0.0, 0.0)), 1)
    assert not any(isinstance(one, Located) and isinstance(one.verdict, Fix) for one in told)
    assert not room.heard.found


def test_the_floor_is_what_it_was_when_the_window_is_over(room: Room) -> None:
    room.begin()
    floors = room.watch._onset.floors_db
    room.hear(600)
    room.window, room.level_db = None, NORMAL_DB
    room.hear(3)
    assert room.watch._onset.floors_db == floors
    assert room.watch.since_ns is None  # the machines that run again are no onset
    room.level_db = NORMAL_DB + 10.0
    room.hear(3)
    assert room.watch.phase is Phase.SOUNDING


def test_what_is_louder_than_the_machines_is_an_onset_in_a_window_too(room: Room) -> None:
    room.begin()
    room.hear(5)
    room.level_db = NORMAL_DB + 10.0
    room.hear(5)
    assert room.watch.phase is Phase.SOUNDING
    job = room.watch.next_job(295.0)
    assert job is not None
    assert job.quiet != ()


def test_a_window_that_found_nothing_takes_back_what_the_last_one_found(room: Room) -> None:
    room.begin()
    room.locate(fix())
    room.window = None
    room.hear()
    room.window = replace(WINDOW, why="again")
    room.hear(6)
    room.window = None
    assert room.hear() == [LeakGone(1, fix())]
    assert room.watch.verdict is None


def test_nothing_heard_says_how_small_a_leak_would_have_been() -> None:
    heard = QuietHeard(bursts=30, noise_db=35.0, fell_db=12.0, verdict=no_fix())
    text = in_words(SITE, WINDOW, heard, 0.085, 101_325.0)
    assert "in 30 bursts of quiet nothing was heard down to" in text
    assert "kg/h" in text
    assert "crack may be silent" in text


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (QuietHeard(), "no burst of the quiet"),
        (QuietHeard(5, 50.0, 0.5, no_fix()), "0 dB quieter only"),
        (QuietHeard(5, 40.0, 9.0, no_fix(Reason.EQUIPMENT)), "what still sounds is equipment"),
        (QuietHeard(5, 40.0, 9.0, fix(where="at the hatch"), found=True), "found at the hatch, within 2 cm"),
    ],
)
def test_the_sentence_at_the_end_is_honest(heard: QuietHeard, said: str) -> None:
    assert said in in_words(SITE, WINDOW, heard, 0.085, 101_325.0)


def test_the_least_leak_follows_from_the_correlation_of_a_pair() -> None:
    """By hand: 2 B T N = 2 * 60e3 * 3.6 = 4.32e5, g = 4 / 657.3 = 6.086e-3, so -22.13 dB; at 1 m of 40 dB: 17.87 dB.

    That is 61 - 43.13 dB: a hole of 1 mm / 143.4 = 6.97 um, 1.194 kg/m3 * 199.3 m/s * 0.85 * 3.82e-11 m2 * 3600 s.
    """
    least = least_leak(40.0, 3.6, 1.0, 101_325.0, 295.6, pairs=28)
    assert least is not None
    assert least.level_db == pytest.approx(17.87, abs=0.01)
    assert least.hole_m == pytest.approx(6.97e-6, rel=2e-3)
    assert least.kg_h == pytest.approx(1.194 * 199.3 * 0.85 * math.pi / 4 * 6.97e-6**2 * 3600.0, rel=5e-3)
    assert least.quiet_kg_h == pytest.approx(10**1.5 * least.kg_h)


def test_farther_shorter_noisier_and_beside_what_sounds_only_louder_leaks_are_heard() -> None:
    usual = least_leak(40.0, 3.6, 1.0, 101_325.0, 295.0, pairs=28)
    assert usual is not None
    for worse in (
        least_leak(43.0, 3.6, 1.0, 101_325.0, 295.0, pairs=28),
        least_leak(40.0, 0.4, 1.0, 101_325.0, 295.0, pairs=28),
        least_leak(40.0, 3.6, 4.0, 101_325.0, 295.0, pairs=28),
        least_leak(40.0, 3.6, 1.0, 101_325.0, 295.0, pairs=28, loudest=200.0),
    ):
        assert worse is not None
        assert worse.level_db > usual.level_db + 1.0
    assert least_leak(40.0, 1e-4, 1.0, 101_325.0, 295.0, pairs=28) is None
    with pytest.raises(ValueError, match="listen first"):
        least_leak(40.0, 0.0, 1.0, 101_325.0, 295.0, pairs=28)
