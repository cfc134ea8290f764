"""Is the truth inside the stated region as often as that says, with survey, hull and thermometer as wrong as they say?

95 % are to be inside, and 92 to 98 % are allowed; a share of n fixes is measured to within two standard deviations of
the binomial, which are added. Squared errors in units of their covariance have a chi-square of 2 n degrees of freedom.
"""

from functools import cache

import numpy as np
import pytest
from scipy.stats import chi2

from tests.support.ears import faulty
from tests.support.tally import Tally, most_of, tally, tolerance
from tests.support.trials import Doubt, Setting, boxes

pytestmark = [pytest.mark.statistical, pytest.mark.timeout(3600)]

LEAST, MOST = 0.92, 0.98
TRIALS, FAINT_TRIALS, RIGS = 150, 60, 100
CAREFUL = Doubt(microphone_m=3e-4)  # what is faint needs a survey that keeps all pairs in step
LOUD = {
    "+10 dB": Setting("box, +10 dB", 10.0),
    "0 dB": Setting("box, 0 dB", 0.0),
}
FAINT = {
    "-10 dB, 2 mm": Setting("box, -10 dB", -10.0),
    "-10 dB": Setting("box, -10 dB, microphones to 0.3 mm", -10.0, doubt=CAREFUL),
    "-15 dB": Setting("box, -15 dB, microphones to 0.3 mm", -15.0, doubt=CAREFUL),
    "-20 dB, ten bursts": Setting("box, -20 dB, ten bursts, microphones to 0.3 mm", -20.0, bursts=10, doubt=CAREFUL),
}

ALLOWING = (
    "each fix also allows for a node that errs unseen, which widens it where none does: mean squared errors are 1.44 "
    "and 1.45 of 2 (150 of 150 fixes each), 99.3 % within the radius; with an eighth of those odds 1.68 of 2, and two "
    "of 17 fixes of rigs with a node moved by 10 cm beyond three radii; localize/one_errs.py"
)


def told(one: Tally) -> str:
    return f"fixes, in ellipse, in circle, mean, median, error, far: {one.row}"


@cache
def in_a_box(name: str) -> Tally:
    setting = (LOUD | FAINT)[name]
    return tally(setting.name, boxes(setting, range(TRIALS if name in LOUD else FAINT_TRIALS)))


@cache
def in_the_tube() -> Tally:
    return tally("shipped tube, hole of 2 mm", faulty("ms09-2018", "nothing", range(RIGS)))


@pytest.mark.parametrize("name", LOUD)
def test_loud_leaks_are_nearly_all_fixed(name: str) -> None:
    """95 % of them at least."""
    one = in_a_box(name)
    assert one.trials - one.fixes <= most_of(0.05, one.trials), told(one)


@pytest.mark.parametrize("name", LOUD)
def test_the_ellipse_holds_the_truth_as_often_as_it_says(name: str) -> None:
    one = in_a_box(name)
    assert LEAST - tolerance(LEAST, one.fixes) <= one.in_ellipse <= MOST + tolerance(MOST, one.fixes), told(one)


@pytest.mark.xfail(reason=ALLOWING)
@pytest.mark.parametrize("name", LOUD)
def test_errors_are_as_large_as_their_covariance(name: str) -> None:
    """99.8 % of a chi-square."""
    one = in_a_box(name)
    low, high = (float(chi2.ppf(share, 2 * one.fixes)) / one.fixes for share in (0.001, 0.999))
    assert low <= float(np.mean(one.nees)) <= high, told(one)


def test_in_the_shipped_tube_too() -> None:
    one = in_the_tube()
    assert LEAST - tolerance(LEAST, one.fixes) <= one.in_ellipse <= MOST + tolerance(MOST, one.fixes), told(one)


@pytest.mark.parametrize("name", LOUD)
def test_the_radius_holds_the_truth_as_often_as_it_says(name: str) -> None:
    one = in_a_box(name)
    assert LEAST - tolerance(LEAST, one.fixes) <= one.in_circle <= MOST + tolerance(MOST, one.fixes), told(one)


def test_faint_fixes_are_rarely_far_off() -> None:
    """Beyond three stated radii: 1 in 200 over all faint sets together, judged by the binomial at 5 %."""
    sets = [in_a_box(name) for name in FAINT]
    far, fixes = sum(one.far for one in sets), sum(one.fixes for one in sets)
    assert far <= most_of(1 / 200, fixes, 0.05), [told(one) for one in sets]


@pytest.mark.parametrize("name", FAINT)
def test_the_ellipse_of_faint_fixes(name: str) -> None:
    one = in_a_box(name)
    assert LEAST - tolerance(LEAST, one.fixes) <= one.in_ellipse <= MOST + tolerance(MOST, one.fixes), told(one)
