"""Which barometers are believed: medians, offsets, liars, stuck and silent ones, and who is named within a minute."""

import math

import numpy as np
import pytest

from controller.detect.pressure_quiet import REFERENCE_PA
from controller.detect.pressure_vote import NAMED_AFTER_S, PARDONED_AFTER_S, Consensus, Votes, log_pa

DISAGREE_PA = 15.0


class Room:
    """Barometers of one room, a second at a time; a NaN is a barometer that says nothing."""

    def __init__(self) -> None:
        self.votes = Votes(DISAGREE_PA)
        self.now_s = 0.0
        self.random = np.random.default_rng(4)
        self.last = Consensus(0.0, 0.0, True, ())

    def say(self, **values_pa: float) -> Consensus:
        self.now_s += 1.0
        told = {name: value + 0.3 * self.random.standard_normal() for name, value in values_pa.items()}
        consensus = self.votes.take(self.now_s, {n: v for n, v in told.items() if math.isfinite(v)})
        assert consensus is not None
        self.last = consensus
        return consensus


def test_the_unit_is_that_of_the_logarithm_of_pressure() -> None:
    assert log_pa(REFERENCE_PA) == 0.0
    assert log_pa(REFERENCE_PA + 1.0) == pytest.approx(1.0, rel=1e-5)


def test_the_median_is_believed_whatever_the_chips_offsets_are() -> None:
    room = Room()
    for _ in range(100):
        room.say(A=0.0, B=70.0, C=-60.0)
    for second in range(60):
        room.say(A=-second, B=70.0 - second, C=-60.0 - second)
    assert room.last.value_pa == pytest.approx(-59.0, abs=1.5)
    assert room.last.voters == ("A", "B", "C")
    assert room.votes.complaints == ()


@pytest.mark.parametrize(
    ("slope", "word"),
    [(-11.7, "falls away"), (+11.7, "rises away"), (-0.7, "falls away")],
    ids=["as in 2009", "up", "slow"],
)
@pytest.mark.parametrize("others", [("B", "C"), ("B",), ("B", "C", "D")], ids=["of three", "of two", "of four"])
def test_one_that_lies_is_named_within_a_minute_and_moves_nothing(
    slope: float, word: str, others: tuple[str, ...]
) -> None:
    """A slow one crosses 15 Pa after 21 s, of two after 43 s of which the mean takes half."""
    room = Room()
    for _ in range(120):
        room.say(A=0.0, **dict.fromkeys(others, 0.0))
    worst = 0.0
    for second in range(60):
        consensus = room.say(A=slope * (second + 1), **dict.fromkeys(others, 0.0))
        worst = max(worst, abs(consensus.value_pa))
    ((name, why),) = room.votes.complaints
    assert name == "A"
    assert word in why
    assert all(other in why for other in others)
    assert room.last.voters == others
    assert worst < DISAGREE_PA / 2 + 2.0  # of two, half of what is allowed; of three next to nothing


def test_what_is_said_of_a_liar_does_not_change_while_it_lies() -> None:
    room = Room()
    told = set()
    for second in range(200):
        room.say(A=-5.0 * max(0, second - 60), B=0.0, C=0.0)
        told.add(room.votes.complaints)
    assert len(told) == 2  # nothing, and that


def test_a_jump_is_named_and_a_liar_that_is_well_again_is_pardoned_later() -> None:
    room = Room()
    for _ in range(100):
        room.say(A=0.0, B=0.0, C=0.0)
    for second in range(40):
        consensus = room.say(A=-400.0, B=0.0, C=0.0)
        assert abs(consensus.value_pa) < 2.0
        assert bool(room.votes.complaints) == (second >= NAMED_AFTER_S)
    for second in range(round(PARDONED_AFTER_S) + 10):
        room.say(A=0.0, B=0.0, C=0.0)
        if second < PARDONED_AFTER_S - 2:
            assert room.votes.complaints
    assert room.votes.complaints == ()


def test_a_stuck_one_does_not_veto_one_that_moves() -> None:
    votes = Votes(DISAGREE_PA)
    random = np.random.default_rng(5)
    consensus = None
    for second in range(1, 300):
        fall = -1.0 * max(0, second - 120)
        consensus = votes.take(float(second), {"A": 3.0, "B": fall + 0.3 * random.standard_normal()})
    assert consensus is not None
    assert consensus.value_pa == pytest.approx(-179.0, abs=8.0)
    assert dict(votes.complaints)["A"].startswith("is stuck")


def test_one_alone_is_believed_for_nobody_can_say_otherwise() -> None:
    room = Room()
    for second in range(300):
        room.say(A=-3.0 * second)
    assert room.last.value_pa == pytest.approx(-897.0, abs=1.5)
    assert room.votes.complaints == ()


def test_one_that_joins_or_comes_back_stands_where_the_others_do() -> None:
    room = Room()
    for second in range(200):
        consensus = room.say(A=-1.0 * second, B=math.nan if second < 100 else 500.0 - second)
        assert consensus.value_pa == pytest.approx(-1.0 * second, abs=2.0)
    for second in range(200, 300):
        room.say(A=-1.0 * second)
    consensus = room.say(A=-300.0, B=900.0)  # it was away, and was mended meanwhile
    assert consensus.value_pa == pytest.approx(-300.0, abs=2.0)


def test_what_was_lost_while_all_were_silent_still_shows() -> None:
    room = Room()
    for _ in range(100):
        room.say(A=0.0, B=30.0)
    before = room.last
    room.now_s += 36_000.0
    assert room.say(A=-700.0, B=-670.0).value_pa - before.value_pa == pytest.approx(-700.0, abs=3.0)


def test_the_noise_is_learned_and_coarse_steps_are_no_precision() -> None:
    random = np.random.default_rng(6)
    fine, coarse = Votes(DISAGREE_PA), Votes(DISAGREE_PA)
    noisy = rounded = None
    for second in range(200):
        noisy = fine.take(float(second), {"A": 3.0 * random.standard_normal()})
        rounded = coarse.take(float(second), {"A": 13.3 * round(second / 150)})
    assert noisy is not None
    assert rounded is not None
    # 60 second differences, a median: within a third; and a fifth is added for the median of several.
    assert noisy.variance_pa2 == pytest.approx(1.2 * 9.0, rel=0.6)
    assert rounded.variance_pa2 >= 13.3**2 / 12.0
    assert noisy.averages
    assert not rounded.averages
