"""The time base in bad weather: rare long waits, a crystal that the cabin warms, steps and silence, all in one.

The tolerance is that of test_timebase: no error passes BOUND_SIGMAS.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.timebase import TimeBase
from firmware_bridge.units import NS_PER_S
from tests.property.test_timebase import BOUND_SIGMAS, SLOW_NS, World

SEEDS = st.integers(0, 2**32 - 1)
SWING_PPM = 0.5  # an AT-cut crystal near 25 °C moves 0.035 ppm/K² x dT²; ±4 K of a cabin's day make about this much
SWING_S = 1200.0  # a thermostat's round
OUTLIER_SHARE = 0.05
OUTLIER_NS = 300_000_000  # a garbage collection, a Wi-Fi roam


class Weather(World):
    """As World, with waits that a queue's mean says nothing of, and a rate that swings."""

    def _queued(self, mean_ns: int) -> int:
        usual = super()._queued(mean_ns)
        rare = self.random.random() < OUTLIER_SHARE
        return usual + (int(self.random.uniform(0.1, 1.0) * OUTLIER_NS) if rare else 0)

    def node_ns(self, common_ns: int) -> int:
        turn = 2.0 * math.pi * (common_ns / NS_PER_S) / SWING_S
        swing_ns = -SWING_PPM * 1e-6 * SWING_S / (2.0 * math.pi) * math.cos(turn) * NS_PER_S
        return super().node_ns(common_ns) + round(swing_ns)


@given(SEEDS, st.integers(-100, 100), st.integers(0, 2_000_000), st.integers(0, 2_000_000))
@settings(max_examples=12)
def test_rare_long_waits_and_a_crystal_that_is_warmed(seed: int, ppm: int, path_ns: int, queue_ns: int) -> None:
    world = Weather(seed, 7_000_000_000, ppm, path_ns, path_ns, queue_ns, queue_ns)
    base = TimeBase()
    world.learn(base, slow=400)
    assert np.abs(world.errors(base)).max() < BOUND_SIGMAS
    assert base.steps == 0  # a long wait is no step


@pytest.mark.parametrize("step_ns", [-50_000_000_000, -700_000_000, 700_000_000, 3600 * NS_PER_S])
def test_a_step_amid_long_waits_is_noticed_and_learnt_anew(step_ns: int) -> None:
    for seed in range(10):
        world = Weather(seed, 10**14, 20, 200_000, 200_000, 300_000, 300_000)
        base = TimeBase()
        world.learn(base, slow=100)
        world.offset_ns += step_ns
        for _ in range(20):
            base.observe(world.ping(SLOW_NS))
        assert base.steps >= 1
        assert np.abs(world.errors(base)).max() < BOUND_SIGMAS


def test_after_a_long_silence_it_is_right_again_and_never_surer_than_right() -> None:
    for seed in range(10):
        world = Weather(seed, 5, -60, 100_000, 100_000, 500_000, 500_000)
        base = TimeBase()
        world.learn(base, slow=200)
        world.now_ns += 500 * NS_PER_S
        truth_ns = world.now_ns
        said_ns, sigma_ns = base.to_common(world.node_ns(truth_ns))
        assert abs(said_ns - truth_ns) < BOUND_SIGMAS * sigma_ns
        assert np.abs(world.errors(base)).max() < BOUND_SIGMAS
