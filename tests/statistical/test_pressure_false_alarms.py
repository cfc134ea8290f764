"""How often a restless cabin without a leak looks like one, over many simulated years."""

import numpy as np
import pytest

from controller.detect.pressure import Settings
from tests.support.pressing import BLOCK_S, episodes_of_false_falls, random_walk

pytestmark = pytest.mark.statistical

YEARS = 30
BLOCKS_A_YEAR = round(365.25 * 86_400 / BLOCK_S)


def test_decades_of_a_restless_cabin_keep_to_the_declared_rate() -> None:
    """At most 0.62 false falls a year by Slepian's crossing rate, see tests/unit; 30 years, so 19 and four sigmas."""
    counts = [
        episodes_of_false_falls(random_walk(np.random.default_rng([7, year]), BLOCKS_A_YEAR, 0.09), Settings())
        for year in range(YEARS)
    ]
    assert sum(counts) <= 19 + 4 * 19**0.5, counts
    assert max(counts) <= 4, counts  # more than 4 of 0.62: one year in 2,000
