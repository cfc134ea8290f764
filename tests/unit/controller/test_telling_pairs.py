"""Which pairs of many microphones are correlated: few enough to hold, and enough that none is left alone."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from controller.measure.clocks import parted
from controller.measure.coherence import MOST_PAIRS, CoherentGroup
from controller.measure.correlation import Correlations


def group_of(sizes: list[int]) -> CoherentGroup:
    nodes = tuple(f"N{index:03}" for index, size in enumerate(sizes) for _ in range(size))
    sensors = tuple(f"{node}-{index}" for index, node in enumerate(nodes))
    position_m = np.random.default_rng(1).uniform(-1.0, 1.0, (len(nodes), 3))
    return CoherentGroup("g", sensors, nodes, position_m, 0.0)


def parts(count: int, first: np.ndarray, second: np.ndarray) -> int:
    return int(connected_components(coo_matrix((np.ones(len(first)), (first, second)), (count, count)))[0])


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_pairs_are_few_ordered_and_leave_nobody_alone(sizes: list[int]) -> None:
    group = group_of(sizes)
    first, second = group.pairs
    count = len(group.sensors)
    assert np.all(first < second)
    assert len(set(zip(first.tolist(), second.tolist(), strict=True))) == len(first)
    within = sum(min(math.comb(size, 2), MOST_PAIRS) for size in sizes)
    assert len(first) <= max(MOST_PAIRS, within + max(MOST_PAIRS // 2, 2 * count))
    assert parts(count, first, second) == 1
    assert group.pair_share == (len(first) / math.comb(count, 2) if count > 1 else 0.0)


@given(st.lists(st.integers(1, 35), min_size=1, max_size=12))
def test_few_enough_are_all_taken_and_a_nodes_own_always_are(sizes: list[int]) -> None:
    group = group_of(sizes)
    if math.comb(len(group.sensors), 2) <= MOST_PAIRS:
        assert np.array_equal(np.array(group.pairs), np.array(np.triu_indices(len(group.sensors), k=1)))
    assert int(group.same_node.sum()) == sum(math.comb(size, 2) for size in sizes)


@pytest.mark.parametrize("sizes", [[4] * 16, [1] * 64, [8] * 10, [1] * 900])
def test_any_microphone_may_fall_silent_and_the_others_stay_joined(sizes: list[int]) -> None:
    group = group_of(sizes)
    first, second = group.pairs
    others = np.bincount(np.concatenate([first, second]), minlength=len(group.sensors))
    assert others.max() - others.min() <= 2
    for silent in range(0, len(group.sensors), 7):
        kept = (first != silent) & (second != silent)
        assert parts(len(group.sensors), first[kept], second[kept]) == 2  # the silent one, and all others


@pytest.mark.parametrize("sizes", [[4] * 16, [40, 40], [64]])
def test_what_a_node_hears_by_itself_has_the_pairs_of_that_node_alone(sizes: list[int]) -> None:
    group = group_of(sizes)
    first, second = group.pairs
    marks = (first * 1000 + second).astype(np.float32)
    per_sensor = np.zeros(len(group.sensors))
    functions = Correlations(group, marks[:, None], 1e-6, np.ones(len(first)), per_sensor, per_sensor)
    for part in parted(functions):
        rows = [group.sensors.index(sensor) for sensor in part.group.sensors]
        i, j = part.group.pairs
        assert part.value[:, 0].tolist() == [rows[a] * 1000 + rows[b] for a, b in zip(i, j, strict=True)]
