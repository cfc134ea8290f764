"""Fixes of rigs some part of which is not what it should be: not far outside what they say, or none.

Fewer than 1 in 200 beyond three stated radii, judged by the binomial at 1 %: one node lying (its clock off by 0.1 to
2 ms), one microphone dead, one node moved by 10 cm; leaks anywhere on the hull of the shipped sites.
"""

import pytest

from controller.localize.verdict import Fix
from tests.support.ears import faulty
from tests.support.tally import most_of

pytestmark = [pytest.mark.statistical, pytest.mark.timeout(7200)]

TRIALS = 40
SITES = ("ms09-2018", "spektr-1997", "two-leaks", "bench-box")


UNSEEN = (
    "three coherent nodes and a hull hardly tell a node whose clock lies from a leak that is elsewhere: 3 of 20 such "
    "fixes, all of spektr-1997, were more than three radii off in spite of localize/one_errs.py"
)


@pytest.mark.parametrize(
    "fault",
    [
        "nothing",
        "dead",
        pytest.param("lying", marks=pytest.mark.xfail(reason=UNSEEN)),
        "moved",
    ],
)
def test_no_fix_is_far_outside_what_it_says(fault: str) -> None:
    fixes, far = 0, []
    for name in SITES:
        for trial in faulty(name, fault, range(TRIALS)):
            if isinstance(trial.verdict, Fix):
                fixes += 1
                if trial.radii > 3.0:
                    far.append(f"{name} seed {trial.seed}: {trial.error_m:.2f} m, {trial.radii:.1f} radii")
    assert len(far) <= most_of(1 / 200, fixes), f"{len(far)} of {fixes}: {far}"
