"""Machines learned from quiet bursts and taken out: how much is left, what it costs, and when nothing is taken out."""

import numpy as np
import pytest

from controller.measure.background import Background, learn
from controller.measure.coherence import CoherentGroup
from controller.measure.spectra import BurstSpectra, burst_spectra
from tests.support.hearing import Listener, Source, box_site

SITE = box_site()
MACHINE, OTHER, LEAK = (2.9, 1.2, 1.5), (0.1, 2.2, 0.2), (1.2, 2.4, 0.8)
LONG = 16_384


class Ear:
    """Twenty microphones in unit noise."""

    def __init__(self, seed: int) -> None:
        self.listener = Listener(SITE, np.random.default_rng(seed))

    @property
    def group(self) -> CoherentGroup:
        return self.listener.groups[0]

    def bursts(self, count: int, *sources: Source, nodes: tuple[str, ...] | None = None) -> list[BurstSpectra]:
        captures = (self.listener.capture(sources, samples=LONG, nodes=nodes) for _ in range(count))
        return [found for capture in captures if (found := burst_spectra(self.group, capture)) is not None]


def learned(quiet: list[BurstSpectra]) -> Background:
    background = learn(quiet)
    assert background is not None
    return background


def power(values: np.ndarray) -> float:
    return float(np.mean(np.abs(values) ** 2))


@pytest.mark.parametrize(("machines", "rank"), [((MACHINE,), 1), ((MACHINE, OTHER), 2)])
def test_machines_are_directions_and_go(machines: tuple[tuple[float, float, float], ...], rank: int) -> None:
    ear = Ear(1)
    loud = tuple(Source(at, 3.0) for at in machines)
    background = learned(ear.bursts(8, *loud))
    assert background.rank == pytest.approx(rank, abs=0.5)
    (now,) = ear.bursts(1, *loud)
    left, before = power(background.removed(now)) - 1.0, power(now.values) - 1.0
    # Delays of up to 9 ms in bursts of 85 ms: what one microphone hears at the edges, another hears outside.
    assert left < 0.05 * before


def test_a_leak_beside_a_machine_loses_little() -> None:
    ear = Ear(2)
    background = learned(ear.bursts(8, Source(MACHINE, 3.0)))
    (leak,) = ear.bursts(1, Source(LEAK, 5.0))
    # One of twenty dimensions.
    assert power(background.removed(leak)) == pytest.approx(power(leak.values) * (1 - 1 / 20), rel=0.05)


@pytest.mark.parametrize("bursts", [2, 4, 8])
def test_noise_alone_has_no_direction_and_nothing_is_taken_out(bursts: int) -> None:
    ear = Ear(3)
    background = learned(ear.bursts(bursts))
    (now,) = ear.bursts(1)
    assert background.rank == 0.0
    assert np.array_equal(background.removed(now), now.values)


def test_a_single_burst_counts_where_something_is_audible() -> None:
    ear = Ear(4)
    one = ear.bursts(1, Source(MACHINE, 3.0))
    assert learn(one) is None
    background = learn(one, audible=True)
    assert background is not None
    (now,) = ear.bursts(1, Source(MACHINE, 3.0))
    assert power(background.removed(now)) < 0.5 * power(now.values)


def test_where_microphones_are_missing_the_rest_is_cleaned_still() -> None:
    ear = Ear(5)
    background = learned(ear.bursts(8, Source(MACHINE, 3.0)))
    (half,) = ear.bursts(1, Source(MACHINE, 3.0), nodes=("A", "C", "D"))
    left = background.removed(half)
    assert not left[~half.present].any()
    assert power(left[half.present]) - 1.0 < 0.1 * (power(half.values[half.present]) - 1.0)


def test_bursts_of_another_layout_are_left_alone() -> None:
    ear = Ear(6)
    background = learned(ear.bursts(4, Source(MACHINE, 3.0)))
    short = burst_spectra(ear.group, ear.listener.capture([Source(MACHINE, 3.0)]))
    assert short is not None
    assert background.removed(short) is short.values


def test_nothing_heard_teaches_nothing() -> None:
    assert learn([]) is None


def test_a_node_that_is_never_there_keeps_nobody_from_learning() -> None:
    ear = Ear(8)
    without_b = ("A", "C", "D", "E")
    background = learned([*ear.bursts(1, nodes=("A",)), *ear.bursts(8, Source(MACHINE, 3.0), nodes=without_b)])
    assert background.rank == pytest.approx(1.0, abs=0.5)
    (now,) = ear.bursts(1, Source(MACHINE, 3.0), nodes=without_b)
    left, before = background.removed(now)[now.present], now.values[now.present]
    assert power(left) - 1.0 < 0.05 * (power(before) - 1.0)
    (noise,) = ear.bursts(1)  # and when it comes back, it is heard as it is
    assert np.isfinite(background.removed(noise)).all()
