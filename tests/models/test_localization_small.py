"""Localization on a few simulated rigs; tests/statistical has the many that its claims rest on."""

from controller.localize.verdict import Fix, NoFix, Reason
from tests.support.coverage import leaks_anywhere, tight_hulls


def test_leaks_anywhere_on_the_hull_are_found_within_a_decimetre() -> None:
    trials = leaks_anywhere(range(101, 107))
    fixes = [trial for trial in trials if isinstance(trial.verdict, Fix)]
    # Nineteen of twenty are fixed (see tests/statistical): fewer than four of six would be one run in 10^4.
    assert len(fixes) >= 4, trials
    assert all(trial.error_m < 0.10 for trial in fixes), trials
    assert all(trial.radii < 3.0 for trial in fixes), trials


def test_machines_alone_are_no_leak() -> None:
    verdicts = tight_hulls(range(201, 203))
    assert all(isinstance(verdict, NoFix) and verdict.reason is Reason.TOO_QUIET for verdict in verdicts), verdicts
