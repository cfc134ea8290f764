"""Laws of the time base: the truth within its stated sigma, steps noticed, huge clocks exact.

The tolerance. A stated sigma joins two independent parts: s_a, the spread of a uniform unknown of half the shortest
round trip (the asymmetry, never more than sqrt(3) s_a), and s_e, what random queueing leaves (taken to 4 s_e).
By Cauchy's inequality sqrt(3) s_a + 4 s_e <= sqrt(3 + 16) sigma: no error may pass BOUND_SIGMAS.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from firmware_bridge.timebase import MIN_OBSERVATIONS, REACH_NS, RoundTrip, TimeBase
from firmware_bridge.units import NS_PER_S

BOUND_SIGMAS = math.sqrt(3.0 + 4.0**2)
FAST_NS, SLOW_NS = NS_PER_S // 20, 983_900_000
DWELL_NS = 20_000


@dataclass
class World:
    """A node's clock and a line with queues, both known exactly."""

    seed: int
    offset_ns: int = 7_000_000_000
    drift_ppm: int = 0
    forward_ns: int = 100_000
    back_ns: int = 100_000
    forward_queue_ns: int = 0
    back_queue_ns: int = 0
    now_ns: int = 5 * NS_PER_S
    random: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    def node_ns(self, common_ns: int) -> int:
        return self.offset_ns + common_ns + common_ns * self.drift_ppm // 1_000_000

    def ping(self, after_ns: int) -> RoundTrip:
        self.now_ns += after_ns
        arrived_ns = self.now_ns + self.forward_ns + self._queued(self.forward_queue_ns)
        left_ns = arrived_ns + DWELL_NS
        returned_ns = left_ns + self.back_ns + self._queued(self.back_queue_ns)
        return RoundTrip(self.now_ns, self.node_ns(arrived_ns), self.node_ns(left_ns), returned_ns)

    def _queued(self, mean_ns: int) -> int:
        return int(self.random.exponential(mean_ns)) if mean_ns else 0

    def learn(self, base: TimeBase, slow: int = 30) -> None:
        """The pings of a conversation: eight fast ones, then one a second."""
        for number in range(8 + slow):
            base.observe(self.ping(FAST_NS if number < 8 else SLOW_NS))

    def errors(self, base: TimeBase) -> NDArray[np.float64]:
        """Errors in sigmas while 40 more pings go by, each asked for now, half a second and a second ahead."""
        found = []
        for _ in range(40):
            base.observe(self.ping(SLOW_NS))
            for ahead_ns in (0, NS_PER_S // 2, NS_PER_S):
                truth_ns = self.now_ns + ahead_ns
                said_ns, sigma_ns = base.to_common(self.node_ns(truth_ns))
                found.append((said_ns - truth_ns) / sigma_ns)
        return np.array(found)


SEEDS = st.integers(0, 2**32 - 1)
DRIFTS_PPM = st.integers(-100, 100)
OFFSETS_NS = st.integers(0, 2**62)
PATHS_NS = st.integers(0, 3_000_000)
QUEUES_NS = st.integers(0, 5_000_000)


@given(SEEDS, OFFSETS_NS, DRIFTS_PPM, PATHS_NS, PATHS_NS, QUEUES_NS, QUEUES_NS)
def test_no_error_passes_the_bound(
    seed: int, offset_ns: int, ppm: int, forward_ns: int, back_ns: int, forward_queue_ns: int, back_queue_ns: int
) -> None:
    """Whatever asymmetry and queues: constant paths and means are drawn apart for each direction."""
    world = World(seed, offset_ns, ppm, forward_ns, back_ns, forward_queue_ns, back_queue_ns)
    base = TimeBase()
    world.learn(base)
    assert np.abs(world.errors(base)).max() < BOUND_SIGMAS
    assert base.steps == 0


@pytest.mark.parametrize("queue_ns", [100_000, 1_000_000, 10_000_000])
def test_with_even_paths_sigma_is_neither_boast_nor_cover(queue_ns: int) -> None:
    """At least as many errors as of a normal variable lie within 1 and 2 sigma, and their rms is not below 1/5 of it.

    The paths are even and short, so that the asymmetry, which is not there, hides nothing.
    """
    errors = []
    for seed in range(20):
        world = World(seed, 0, seed * 10 - 100, 10_000, 10_000, queue_ns, queue_ns)
        base = TimeBase()
        world.learn(base)
        errors.append(world.errors(base))
    found = np.abs(np.concatenate(errors))
    assert (found < 1).mean() > 0.68
    assert (found < 2).mean() > 0.95
    assert np.sqrt((found**2).mean()) > 0.2


def test_an_even_quiet_path_is_known_to_its_asymmetry_alone() -> None:
    """200 µs of path: sigma is 100 µs / sqrt(3), and more of it in the floor than a microsecond would be wrong."""
    world = World(seed=1, drift_ppm=50)
    base = TimeBase()
    world.learn(base)
    assert base.sigma_ns == pytest.approx(100_000 / math.sqrt(3), rel=0.01)
    assert base.rate_error == pytest.approx(-50e-6, rel=0.01)
    assert np.abs(world.errors(base)).max() < 0.02


def test_the_whole_round_trip_on_one_side_is_the_worst_and_still_within_the_bound() -> None:
    world = World(seed=1, forward_ns=400_000, back_ns=0)
    base = TimeBase()
    world.learn(base)
    errors = world.errors(base)
    assert np.abs(errors) == pytest.approx(math.sqrt(3), rel=0.01)


@given(SEEDS, st.integers(5_000_000, 10**15), st.booleans(), st.integers(0, 200_000))
def test_a_stepped_clock_is_noticed_and_learnt_anew(seed: int, step_ns: int, back: bool, queue_ns: int) -> None:
    world = World(seed, offset_ns=10**16, forward_queue_ns=queue_ns, back_queue_ns=queue_ns)
    base = TimeBase()
    world.learn(base)
    world.offset_ns += -step_ns if back else step_ns
    base.observe(world.ping(SLOW_NS))
    assert base.steps == 1
    assert not base.ready
    assert math.isinf(base.sigma_ns)
    for _ in range(MIN_OBSERVATIONS - 1):
        base.observe(world.ping(FAST_NS))
    assert base.ready
    truth_ns = world.now_ns
    said_ns, sigma_ns = base.to_common(world.node_ns(truth_ns))
    assert abs(said_ns - truth_ns) < BOUND_SIGMAS * sigma_ns


@given(SEEDS, OFFSETS_NS, DRIFTS_PPM, QUEUES_NS, st.integers(-60 * NS_PER_S, 60 * NS_PER_S))
def test_there_and_back_is_the_same_instant(seed: int, offset_ns: int, ppm: int, queue_ns: int, away_ns: int) -> None:
    """To a nanosecond each way of rounding."""
    world = World(seed, offset_ns + 120 * NS_PER_S, ppm, back_queue_ns=queue_ns)
    base = TimeBase()
    world.learn(base)
    node_ns = world.node_ns(world.now_ns) + away_ns
    assert abs(base.to_node(base.to_common(node_ns)[0]) - node_ns) <= 2


@given(SEEDS, st.integers(2**61, 2**62), DRIFTS_PPM)
def test_huge_clocks_lose_no_precision(seed: int, offset_ns: int, ppm: int) -> None:
    """The same line with the clock near zero and near 2^62 ns (a double steps by 512 ns there) gives the same base."""
    small, large = (
        World(seed, 10**9, ppm, back_queue_ns=50_000),
        World(seed, 10**9 + offset_ns, ppm, back_queue_ns=50_000),
    )
    at_small, at_large = TimeBase(), TimeBase()
    small.learn(at_small)
    large.learn(at_large)
    for away_ns in (0, 1, 12_345_678_901):
        node_ns = small.node_ns(small.now_ns) + away_ns
        assert at_large.to_common(node_ns + offset_ns) == at_small.to_common(node_ns)
    assert at_large.sigma_ns == at_small.sigma_ns


def test_sigma_grows_with_the_distance_from_what_was_observed() -> None:
    world = World(seed=3, back_queue_ns=500_000)
    base = TimeBase()
    world.learn(base, slow=5)
    now_ns = world.node_ns(world.now_ns)
    sigmas = [base.to_common(now_ns + seconds * NS_PER_S)[1] for seconds in (0, 10, 100)]
    assert sigmas[0] < sigmas[1] < sigmas[2]


def test_what_is_no_reading_of_this_clock_is_not_covered() -> None:
    world = World(seed=1)
    base = TimeBase()
    assert not base.covers(world.node_ns(world.now_ns))
    world.learn(base)
    now_ns = world.node_ns(world.now_ns)
    assert base.covers(now_ns)
    assert base.covers(now_ns - REACH_NS + NS_PER_S)
    assert not base.covers(now_ns + REACH_NS + NS_PER_S)
    assert not base.covers(2**64 - 1)


def test_nothing_is_converted_before_enough_is_known() -> None:
    world = World(seed=1)
    base = TimeBase()
    for _ in range(MIN_OBSERVATIONS - 1):
        base.observe(world.ping(FAST_NS))
    assert base.rate_error == 0.0
    with pytest.raises(LookupError):
        base.to_common(0)
    with pytest.raises(LookupError):
        base.to_node(0)


@pytest.mark.parametrize(
    "impossible",
    [
        RoundTrip(1000, 0, 0, 900),  # back before it left
        RoundTrip(1000, 0, 5000, 2000),  # longer in the node than away
        RoundTrip(1000, 5000, 0, 2000),  # answered before it was received
    ],
)
def test_impossible_round_trips_are_ignored(impossible: RoundTrip) -> None:
    world = World(seed=1)
    base = TimeBase()
    world.learn(base)
    before = base.to_common(10**10)
    base.observe(impossible)
    assert base.to_common(10**10) == before


ANCHORED = st.builds(lambda anchor, away: anchor + away, st.sampled_from([0, 2**32, 2**63]), st.integers(0, 2**31))
STAMPS = st.one_of(st.integers(0, 2**64 - 1), ANCHORED)


@settings(max_examples=300)
@given(st.lists(st.tuples(STAMPS, st.integers(0, 1000), st.integers(0, 20 * NS_PER_S)), max_size=60), STAMPS)
def test_nonsense_from_a_node_raises_nothing(stamps: list[tuple[int, int, int]], asked_ns: int) -> None:
    base = TimeBase()
    now_ns = 0
    for received_ns, dwell_ns, trip_ns in stamps:
        now_ns += NS_PER_S
        base.observe(RoundTrip(now_ns, received_ns, received_ns + dwell_ns, now_ns + trip_ns))
        if base.ready:
            common_ns, sigma_ns = base.to_common(asked_ns)
            assert isinstance(common_ns, int)
            assert sigma_ns >= 0
            assert base.to_node(now_ns) >= 0


@pytest.mark.parametrize("node_ns_per_second", [0, NS_PER_S // 2, 2 * NS_PER_S, 10**15])
def test_stamps_that_no_clock_makes_are_never_believed(node_ns_per_second: int) -> None:
    """A stuck counter, one at half or double speed, and one that races: never ready, and every attempt is counted."""
    base = TimeBase()
    for second in range(30):
        stamp_ns = 10**9 + second * node_ns_per_second
        base.observe(RoundTrip(second * NS_PER_S, stamp_ns, stamp_ns, second * NS_PER_S + 100_000))
    assert not base.ready
    assert base.steps >= 5
