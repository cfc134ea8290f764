"""Nodes that only their clocks hold together: which are joined, their offsets, and fixes by them."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.localize.attempt import Attempt, Limits, Surroundings, attempt
from controller.localize.hull_search import predicted_delays
from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.verdict import Candidate, Fix
from controller.measure.captures import Capture
from controller.measure.clocks import clock_offsets_s, parted, with_offsets
from controller.measure.coherence import LEAST_CLOCK_SIGMA_S, MOST_CLOCK_SIGMA_S, clock_sigmas_s, coherent_groups
from controller.measure.correlation import Correlations, correlate
from controller.measure.spectra import burst_spectra
from firmware_bridge.samples import WaveBlock
from firmware_bridge.site.box import BoxHull
from tests.support.delays import SPEED, SURVEY
from tests.support.hearing import ROOM, SPEED_M_S, Listener, Source, box_site, mean_of
from tests.support.peaks import peaked

ALONE = box_site(alone=("A", "B", "C", "D", "E"))
PLACES = np.vstack([ALONE.microphones_m(node) for node in ALONE.nodes])
NODES = tuple(node.name for node in ALONE.nodes for _ in range(4))
AT = (1.2, 2.4, 0.8)
AROUND = Surroundings(BoxHull((3.0, 2.4, 2.0)), SURVEY, SPEED, 0.6)
LIMITS = Limits(max_misfit=3.0, max_radius_m=0.5)
TEMPERATURE_K = 273.15 * (SPEED_M_S / 331.3) ** 2


def by_clock(off_s: NDArray[np.float64], sigma_s: float, height: float = 12.0) -> Correlations:
    """Functions of five nodes whose clocks are `off_s` (nodes,) late."""
    functions = peaked(PLACES, AT, NODES, np.random.default_rng(4), height=height, error_s=np.repeat(off_s, 4))
    return replace(functions, group=replace(functions.group, by_clock=True, clock_sigma_s=sigma_s))


def with_sigma(capture: Capture, sigma_s: float) -> Capture:
    blocks = {n: replace(b, start_sigma_ns=sigma_s * 1e9, triggered=False) for n, b in capture.blocks.items()}
    return Capture(capture.burst_id, blocks)


def test_nodes_without_a_line_are_joined_where_their_clocks_are_known() -> None:
    site = box_site(alone=("C", "D", "E"))
    sigmas = {"A": 1e-6, "C": 2e-5, "D": 1e-5, "E": 2 * MOST_CLOCK_SIGMA_S}
    groups = {group.name: group for group in coherent_groups(site, ROOM, sigmas)}
    assert set(groups) == {"line wire", "clocks", "node E"}
    assert set(groups["clocks"].nodes) == {"C", "D"}
    assert groups["clocks"].by_clock
    assert groups["clocks"].clock_sigma_s == 2e-5
    assert not groups["line wire"].by_clock
    assert {group.name for group in coherent_groups(site, ROOM, {"C": 1e-5})} == {
        "line wire",
        "node C",
        "node D",
        "node E",
    }


def test_how_well_clocks_are_known_is_what_the_worst_burst_says() -> None:
    capture = Listener(ALONE, np.random.default_rng(1)).capture((), samples=64)
    worse = with_sigma(capture, 3e-5)
    assert clock_sigmas_s([with_sigma(capture, 1e-5), worse])["A"] == pytest.approx(3e-5)
    assert clock_sigmas_s([with_sigma(capture, 0.0)])["A"] == LEAST_CLOCK_SIGMA_S
    assert math.isinf(clock_sigmas_s([with_sigma(capture, math.inf)])["A"])


@pytest.mark.parametrize("height", [12.0, 2.5])
def test_offsets_are_found_from_all_pairs_of_two_nodes(height: float) -> None:
    """At a height of 2.5 single pairs are lost, sixteen of them stand 10 sigmas high."""
    off_s = np.array([0.0, 30e-6, -25e-6, 12e-6, -40e-6])
    functions = by_clock(off_s, 3e-5, height)
    found = clock_offsets_s(functions, predicted_delays(functions, np.array(AT), SPEED))
    # One lag is 1.3 us, and the sum of noisy peaks is off by as much.
    assert found[::4] - found[0] == pytest.approx(off_s, abs=3e-6)
    first, second = functions.group.pairs
    predicted = predicted_delays(functions, np.array(AT), SPEED)
    assert with_offsets(functions, predicted) - predicted == pytest.approx(found[first] - found[second])


def test_a_place_by_clocks_is_better_than_without_and_honest() -> None:
    off_s = 2e-5 * np.random.default_rng(6).standard_normal(5)
    functions = by_clock(off_s, 2e-5)
    near = Candidate((1.21, 2.4, 0.79), 60.0)
    joined = attempt([functions], near, AROUND, LIMITS)
    apart = attempt(parted(functions), near, AROUND, LIMITS)
    assert isinstance(joined, Attempt)
    assert isinstance(apart, Attempt)
    assert joined.radius95_m < 0.7 * apart.radius95_m
    assert np.linalg.norm(joined.solution.state[:3] - AT) < joined.radius95_m


def test_clocks_that_lie_do_no_harm() -> None:
    """One clock a whole millisecond off its stated 20 us: the answer is that of each node by itself, or without it."""
    functions = by_clock(np.array([0.0, 0.0, 1e-3, 0.0, 0.0]), 2e-5)
    found = attempt([functions], Candidate(AT, 60.0), AROUND, LIMITS)
    assert isinstance(found, Attempt)
    assert np.linalg.norm(found.solution.state[:3] - AT) < found.radius95_m


def test_parts_are_what_each_node_heard_by_itself() -> None:
    functions = by_clock(np.zeros(5), 2e-5)
    parts = parted(functions)
    assert [part.group.name for part in parts] == [f"node {node}" for node in "ABCDE"]
    first, second = functions.group.pairs
    rows = [row for row, (i, j) in enumerate(zip(first, second, strict=True)) if NODES[i] == NODES[j] == "C"]
    assert np.array_equal(parts[2].value, functions.value[rows])
    assert np.array_equal(parts[2].group.position_m, PLACES[8:12])


def later(block: WaveBlock, samples: int) -> WaveBlock:
    """The same, begun so many samples later."""
    start_ns = block.start_ns + round(samples / block.rate_hz * 1e9)
    return replace(block, start_ns=start_ns, pressure_pa=np.roll(block.pressure_pa, -samples, axis=1))


def test_bursts_need_not_begin_together() -> None:
    """Node B begins 40 samples (208 us) later than A: its stamps say so, and cross-spectra are as if it did not."""
    sigmas = dict.fromkeys("ABCDE", 1e-5)
    (group,) = coherent_groups(ALONE, ROOM, sigmas)
    capture = Listener(ALONE, np.random.default_rng(2), noise_pa=0.3).capture((Source(AT),))
    shifted = Capture(1, {**capture.blocks, "B": later(capture.blocks["B"], 40)})
    means = [mean_of(group, [with_sigma(one, 1e-5)]) for one in (capture, shifted)]
    assert means[0] is not None
    assert means[1] is not None
    straight, turned = (correlate(mean).value for mean in means if mean is not None)
    peak = straight.argmax(axis=1)
    # The window fades other samples, 1 % of them, and stamps are whole nanoseconds; what rolled in from the end is 1 %.
    assert np.median(np.abs(turned.argmax(axis=1) - peak)) <= 1
    assert burst_spectra(group, shifted) is not None


def test_a_locator_uses_clocks_that_are_known_and_no_others() -> None:
    ear = Listener(ALONE, np.random.default_rng(5), noise_pa=0.5)
    heard = ear.captures((Source(AT),), 2)
    radius = {}
    for sigma_s in (1e-5, 1.0):
        job = LocateJob(tuple(with_sigma(capture, sigma_s) for capture in heard), (), TEMPERATURE_K)
        verdict = Locator(ALONE, ROOM, Settings()).locate(job)
        assert isinstance(verdict, Fix), verdict
        assert np.linalg.norm(np.subtract(verdict.position_m, AT)) < verdict.radius95_m
        radius[sigma_s] = verdict.radius95_m
    assert radius[1e-5] < 0.5 * radius[1.0]
