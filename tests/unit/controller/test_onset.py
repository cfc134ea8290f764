"""Noise floor and onset: what counts as above, for how long, for whom; and how often chance alone gets there."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from controller.detect.bands import BandLevels
from controller.detect.onset import Loudness, NoiseFloor, OnsetDetector, Settings
from firmware_bridge.samples import WaveBlock
from firmware_bridge.units import s_to_ns
from tests.support.hearing import wave_block

FLOOR_DB = np.array([50.0, 47.0, 44.0])
BLOCK = {name: wave_block(name, (f"{name}1",), np.zeros((1, 1))) for name in ("A", "B")}
Hear = Callable[..., Loudness]


@pytest.fixture
def levels(monkeypatch: pytest.MonkeyPatch) -> list[BandLevels]:
    """What the next bursts sound like; the levels of real sound are tested beside `bands`."""
    queue: list[BandLevels] = []
    monkeypatch.setattr("controller.detect.onset.band_levels", lambda _pressure, _rate: queue.pop(0))
    return queue


@pytest.fixture
def detector() -> OnsetDetector:
    return OnsetDetector(Settings())


@pytest.fixture
def hear(levels: list[BandLevels], detector: OnsetDetector) -> Iterator[Hear]:
    """Let `detector` hear one burst of given levels above the floor, the same at two microphones."""

    def one(rise_db: float = 0.0, node: str = "A", band: int | None = None, at_s: float = 0.0) -> Loudness:
        rises = np.zeros(3)
        rises[slice(None) if band is None else band] = rise_db
        levels.append(BandLevels(np.tile(FLOOR_DB + rises, (2, 1))))
        heard = detector.hear(replace(BLOCK[node], start_ns=s_to_ns(at_s)))
        assert heard is not None
        return heard

    yield one
    assert levels == []


def above(detector: OnsetDetector) -> list[str]:
    return list(detector.nodes_above)


def learn(hear: Hear, node: str = "A") -> None:
    """Ten bursts that wander by 0.1 dB: mean 0, spread 0.105 dB."""
    for k in range(Settings().learning_bursts):
        hear(0.1 if k % 2 else -0.1, node)


def test_a_floor_is_mean_and_spread_of_what_it_learned() -> None:
    learned = np.random.default_rng(1).normal(FLOOR_DB, [0.1, 1.0, 3.0], size=(25, 1, 3))
    floor = NoiseFloor.of(list(learned))
    assert floor.bursts == 25
    assert floor.mean_db == pytest.approx(learned.mean(axis=0))
    assert floor.sigma_db == pytest.approx(learned.std(axis=0, ddof=1)[0])
    assert floor.rise_db(learned.mean(axis=0) + 3.0) == pytest.approx(np.full(3, 3.0))


@pytest.mark.parametrize("spoilt_db", [-100.0, +100.0], ids=["dead", "mad"])
def test_one_spoilt_microphone_of_four_neither_deafens_nor_alarms(spoilt_db: float) -> None:
    random = np.random.default_rng(2)
    quiet = FLOOR_DB + np.array([[0.0], [3.0], [-4.0], [8.0]])  # each stands elsewhere and has its own gain
    floor = NoiseFloor.of([quiet + random.normal(0.0, 0.1, size=quiet.shape) for _ in range(10)])
    spoilt = quiet.copy()
    spoilt[1] += spoilt_db
    # The median of the three others' noise about means of ten bursts, 0.1 dB each: five sigmas of one microphone.
    assert floor.rise_db(spoilt) == pytest.approx(np.zeros(3), abs=0.5)
    assert floor.rise_db(spoilt + 6.0) == pytest.approx(np.full(3, 6.0), abs=0.5)


def test_a_burst_of_other_microphones_is_not_judged_and_not_learned(levels: list[BandLevels]) -> None:
    detector = OnsetDetector(Settings(learning_bursts=3))
    levels += [BandLevels(np.tile(FLOOR_DB, (microphones, 1))) for microphones in (4, 4, 2, 2, 2, 4)]
    heard = [detector.hear(BLOCK["A"]) for _ in range(6)]
    assert detector.learned("A")  # from the third on: learning began anew with it
    assert [loudness is None for loudness in heard] == [False] * 5 + [True]


def test_nothing_is_above_while_the_floor_is_learned(hear: Hear, detector: OnsetDetector) -> None:
    for count in range(Settings().learning_bursts):
        assert not detector.learned("A"), count
        heard = hear(30.0)
        assert (heard.learned, heard.above_floor, heard.rise_db) == (False, False, 0.0)
    assert detector.learned("A")
    assert above(detector) == []
    assert not detector.learned("B")


def test_the_loudest_band_is_told_in_decibels_and_sigmas(hear: Hear) -> None:
    learn(hear)
    heard = hear(2.0, band=1)
    assert heard.rise_db == pytest.approx(2.0)
    # Ten bursts of ±0.1 dB: spread 0.1 sqrt(10 / 9), widened by the mean's own doubt and a floor of 0.05 dB.
    assert heard.rise_sigmas == pytest.approx(2.0 / np.hypot(0.1 * np.sqrt(10 / 9) * np.sqrt(1.1), 0.05))
    assert heard.above_floor


def test_both_sigmas_and_decibels_are_needed(hear: Hear) -> None:
    for _ in range(Settings().learning_bursts):
        hear(0.0)  # a floor without any spread: 0.05 dB is assumed
    assert not hear(0.45).above_floor  # nine sigmas, yet less than half a decibel
    assert hear(0.55).above_floor
    for k in range(Settings().learning_bursts):
        hear(2.0 if k % 2 else -2.0, "B")
    assert not hear(10.0, "B").above_floor  # ten decibels, yet less than six sigmas of 2.2 dB


def test_less_noise_than_usual_is_no_onset(hear: Hear, detector: OnsetDetector) -> None:
    learn(hear)
    assert not hear(-20.0).above_floor
    assert not hear(-20.0).above_floor
    assert above(detector) == []


def test_one_loud_burst_is_no_onset_and_two_in_a_row_are(hear: Hear, detector: OnsetDetector) -> None:
    learn(hear)
    for _ in range(3):  # a door slams, and slams again: never two bursts in a row
        hear(10.0)
        assert above(detector) == []
        hear(0.0)
    hear(10.0)
    hear(10.0)
    assert above(detector) == ["A"]
    hear(0.0)
    assert above(detector) == []


def test_each_node_counts_by_itself(hear: Hear, detector: OnsetDetector) -> None:
    learn(hear, "A")
    learn(hear, "B")
    hear(10.0, "A")
    hear(10.0, "B")
    assert above(detector) == []  # once each is not twice in a row
    hear(10.0, "B")
    assert above(detector) == ["B"]


def test_a_node_that_went_away_is_heard_anew_with_its_old_floor(hear: Hear, detector: OnsetDetector) -> None:
    learn(hear)
    hear(10.0)
    hear(10.0)
    detector.forget("A")
    assert above(detector) == []
    assert detector.learned("A")
    hear(10.0)
    assert above(detector) == []
    hear(10.0)
    assert above(detector) == ["A"]


def test_the_floor_is_not_learned_away_by_a_leak_that_grows(hear: Hear) -> None:
    learn(hear)
    for step in range(200):
        hear(0.01 * step)
    assert hear(2.0).rise_db == pytest.approx(2.0)


def test_a_burst_too_short_to_judge_changes_nothing(detector: OnsetDetector) -> None:
    short = wave_block("A", ("A1",), np.ones((1, 100)))
    assert detector.hear(short) is None
    assert above(detector) == []
    assert not detector.learned("A")


def test_real_noise_is_learned_and_a_louder_one_stands_out(detector: OnsetDetector) -> None:
    random = np.random.default_rng(5)

    def burst(factor: float) -> WaveBlock:
        return wave_block("A", ("A1", "A2"), factor * random.standard_normal((2, 8192)))

    for _ in range(Settings().learning_bursts):
        detector.hear(burst(1.0))
    detector.hear(burst(10 ** (3 / 20)))
    heard = detector.hear(burst(10 ** (3 / 20)))
    assert heard is not None
    # A band of 12 kHz over 43 ms at two microphones: sd 4.343 / sqrt(12e3 x 43e-3 x 2) = 0.14 dB; five of these,
    # doubled for the loudest of three bands and the floor's own doubt.
    assert heard.rise_db == pytest.approx(3.0, abs=1.4)
    assert above(detector) == ["A"]


def test_chance_crosses_a_threshold_as_often_as_students_t_says(levels: list[BandLevels]) -> None:
    """A floor of ten bursts knows its spread only roughly: the rise in sigmas has nine degrees of freedom."""
    random = np.random.default_rng(8)
    detectors, above = 3000, 0
    for _ in range(detectors):
        detector = OnsetDetector(Settings(threshold_sigmas=3.0, threshold_db=0.0))
        levels += [BandLevels(np.array([[5.0 * level]])) for level in random.standard_normal(11)]
        heard = [detector.hear(BLOCK["A"]) for _ in range(11)][-1]
        above += heard is not None and heard.above_floor
    expected = detectors * float(stats.t.sf(3.0, df=9))  # 22; at 5 dB spread the assumed 0.05 dB is nothing
    assert abs(above - expected) < 4 * np.sqrt(expected)  # binomial, four sigmas


def test_quiet_stays_quiet_for_a_long_time(levels: list[BandLevels]) -> None:
    """Twenty floors, 2,500 bursts each: together 2.3 days of listening every 4 s.

    The spread is that of the simulated rig's bands, 0.15 dB from burst to burst. Averaged over floors, Student's t with
    nine degrees of freedom beyond max(6 sigmas, 0.5 dB) gives 2.7e-5 bursts above in three bands, and 3e-8 a burst
    for two in a row: 1.3 single ones (12 would be nine sigmas, floors that clump included) and 0.002 onsets expected.
    """
    random = np.random.default_rng(9)
    singles = onsets = 0
    for _ in range(20):
        detector = OnsetDetector(Settings())
        for level_db in random.normal(FLOOR_DB, 0.15, size=(2500, 3)):
            levels.append(BandLevels(level_db[None]))
            heard = detector.hear(BLOCK["A"])
            assert heard is not None
            singles += heard.above_floor
            onsets += bool(detector.nodes_above)
    assert singles < 12
    assert onsets == 0


# ---- the floor follows the room


def follow(hear: Hear, detector: OnsetDetector, rise_db: Callable[[float], float], until_s: float) -> Loudness:
    """A burst every 10 s while nothing sounds; the last of them."""
    heard = hear(rise_db(0.0))
    for at_s in np.arange(0.0, until_s, 10.0):
        heard = hear(rise_db(float(at_s)), at_s=float(at_s))
        if heard.above_floor:
            break
        detector.follow(s_to_ns(at_s))
    return heard


@pytest.mark.parametrize("step_db", [-6.0, 0.4])
def test_a_floor_comes_to_what_is_heard_as_slowly_as_it_says(
    hear: Hear, detector: OnsetDetector, step_db: float
) -> None:
    learn(hear)
    follow(hear, detector, lambda _: step_db, 1800.0 + 120.0)
    # A first-order lag: 1 - 1/e of the way after 1,800 s of bursts that are old enough.
    assert hear(step_db).rise_db == pytest.approx(step_db / math.e, rel=0.02)


def test_what_came_after_a_machine_stopped_is_heard_again(hear: Hear, detector: OnsetDetector) -> None:
    learn(hear)
    assert not hear(-5.0).above_floor
    follow(hear, detector, lambda _: -6.0, 3 * 3600.0)
    assert hear(-5.0).above_floor
    assert not hear(-5.0).creeping


def test_bursts_shortly_before_an_onset_do_not_move_the_floor(hear: Hear, detector: OnsetDetector) -> None:
    learn(hear)
    follow(hear, detector, lambda _: 0.4, 110.0)
    detector.sound_began()
    detector.follow(s_to_ns(1e6))
    assert hear(0.4).rise_db == pytest.approx(0.4)


def test_a_floor_follows_upward_only_so_far(hear: Hear, detector: OnsetDetector) -> None:
    learn(hear)
    heard = follow(hear, detector, lambda at_s: 0.5 * at_s / 3600.0, 40 * 3600.0)
    assert heard.above_floor
    assert heard.creeping
    # 3 dB above what was learned the floor stays; 6 sigmas of 0.12 dB above that are an onset.
    assert heard.rise_db == pytest.approx(6.0 * np.hypot(0.1 * np.sqrt(10 / 9) * np.sqrt(1.1), 0.05), abs=0.02)


def test_downward_there_is_no_end(hear: Hear, detector: OnsetDetector) -> None:
    learn(hear)
    follow(hear, detector, lambda _: -30.0, 12 * 3600.0)
    assert hear(-30.0).rise_db == pytest.approx(0.0, abs=0.01)


def test_a_loud_burst_alone_does_not_move_the_floor(hear: Hear, detector: OnsetDetector) -> None:
    learn(hear)
    hear(0.0)
    hear(20.0, at_s=1000.0)
    detector.follow(s_to_ns(1e6))
    assert hear(1.0).rise_db == pytest.approx(1.0)
