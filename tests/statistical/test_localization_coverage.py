"""Are fixes as good as they say, anywhere on the hull? Many simulated rigs, each with its own errors and noise."""

import numpy as np
import pytest

from controller.localize.verdict import Fix, NoFix
from tests.support.coverage import Trial, leaks_anywhere, tight_hulls

pytestmark = [pytest.mark.statistical, pytest.mark.timeout(1800)]

RUNS = 120


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    return leaks_anywhere(range(1000, 1000 + RUNS))


def told(trials: list[Trial]) -> str:
    return "; ".join(
        f"seed {t.seed} at {np.round(t.leak_m, 2).tolist()}: "
        + (f"{t.error_m:.3f} m, {t.radii:.2f} radii" if isinstance(t.verdict, Fix) else t.verdict.reason.value)
        for t in trials
    )


def test_nearly_all_leaks_are_fixed(trials: list[Trial]) -> None:
    """At 95 % fixed, 120 runs miss 6 with an sd of 2.4: not more than 6 + 2 x 2.4."""
    missed = [trial for trial in trials if isinstance(trial.verdict, NoFix)]
    assert len(missed) <= 11, told(missed)


def test_fixes_are_within_a_decimetre(trials: list[Trial]) -> None:
    fixes = [trial for trial in trials if isinstance(trial.verdict, Fix)]
    far = [trial for trial in fixes if trial.error_m > 0.10]
    assert len(far) <= 0.05 * len(fixes), told(far)


def test_the_truth_is_inside_the_radius_as_often_as_that_says(trials: list[Trial]) -> None:
    """95 % of fixes; of 120 that is 6 outside with an sd of 2.4, so up to three more sd: 88 % inside."""
    fixes = [trial for trial in trials if isinstance(trial.verdict, Fix)]
    outside = [trial for trial in fixes if trial.radii > 1.0]
    assert len(outside) <= 0.12 * len(fixes), told(outside)


def test_no_fix_is_confidently_wrong(trials: list[Trial]) -> None:
    """Three radii are 7.3 sigmas of two dimensions: 10^-12, so any one is a wrong place and not bad luck."""
    wrong = [trial for trial in trials if isinstance(trial.verdict, Fix) and trial.radii > 3.0]
    assert wrong == [], told(wrong)


def test_a_tight_hull_has_no_fix() -> None:
    verdicts = tight_hulls(range(5000, 5040))
    assert all(isinstance(verdict, NoFix) for verdict in verdicts)


def test_smaller_holes_are_found_or_said_to_be_too_quiet() -> None:
    """A hole of 0.7 mm is 9 dB quieter than one of 2 mm: fewer fixes may come, but none that is wrong."""
    trials = leaks_anywhere(range(3000, 3040), diameter_mm=0.7)
    fixes = [trial for trial in trials if isinstance(trial.verdict, Fix)]
    wrong = [trial for trial in fixes if trial.radii > 3.0]
    assert wrong == [], told(wrong)
    outside = [trial for trial in fixes if trial.radii > 1.0]
    assert len(outside) <= 0.05 * len(fixes) + 3 * (0.05 * 0.95 * len(fixes)) ** 0.5 + 1, told(outside)
    assert len(fixes) >= 10, told(trials)
