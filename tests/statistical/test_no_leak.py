"""Where nothing leaks there is no fix: fewer than one in 1,000 windows.

1,000 windows each; were one in 1,000 wrong, up to `most_of` of them would be with a chance of 99 %. None at all bounds
the rate by 3 in 1,000 at 95 % a set, 1 in 1,000 over the three sets together.
"""

import pytest

from controller.localize.verdict import Fix
from tests.support.silence import machines_alone, noise_alone
from tests.support.tally import most_of

pytestmark = [pytest.mark.statistical, pytest.mark.timeout(7200)]

WINDOWS = 1000


def test_noise_alone_is_no_leak() -> None:
    false = [verdict for verdict in noise_alone(WINDOWS) if isinstance(verdict, Fix)]
    assert len(false) <= most_of(1 / 1000, WINDOWS, 0.05), false


@pytest.mark.parametrize("name", ["ms09-2018", "two-leaks"])
def test_machines_alone_are_no_leak(name: str) -> None:
    """Reverberant machines that sounded in the baseline as well."""
    false = [verdict for verdict in machines_alone(name, WINDOWS) if isinstance(verdict, Fix)]
    assert len(false) <= most_of(1 / 1000, WINDOWS, 0.05), false
