"""No error beyond 1.3 times the Cramér-Rao bound in free field, where the sound is no fainter than the noise."""

import numpy as np
import pytest

from controller.localize.verdict import Fix
from tests.support.bounds import bound_m2
from tests.support.tally import tangents
from tests.support.trials import Doubt, Setting, boxes

pytestmark = [pytest.mark.statistical, pytest.mark.timeout(1800)]

TRIALS = 100
ALLOWED = 1.3
# Squared errors over the bound's trace are a sum of two weighted chi-squares; over 100 trials their mean is known to
# sqrt(2 / 100) at worst (one axis alone), so its root to 7 %: two of these are granted.
TOLERANCE = 2 * 0.5 * np.sqrt(2 / TRIALS)
DOUBTFUL = {f"{snr_db:+g} dB": Setting(f"free field, {snr_db:+g} dB", snr_db, order=0) for snr_db in (0.0, 10.0, 20.0)}
EXACT = Doubt(0.0, 0.0, 0.0)


def ratio(setting: Setting) -> float:
    """Root of the mean squared error over the bound's."""
    squares = []
    for trial in boxes(setting, range(TRIALS)):
        assert isinstance(trial.verdict, Fix), trial.seed
        error_m = tangents(trial.normal).T @ np.subtract(trial.verdict.position_m, trial.leak_m)
        squares.append(float(error_m @ error_m / np.trace(bound_m2(trial, setting))))
    return float(np.sqrt(np.mean(squares)))


@pytest.mark.parametrize("name", DOUBTFUL)
def test_with_a_survey_of_2_mm(name: str) -> None:
    assert ratio(DOUBTFUL[name]) <= ALLOWED * (1 + TOLERANCE)


def test_the_bound_is_one() -> None:
    """Nobody beats it: else it is wrong."""
    assert ratio(DOUBTFUL["+10 dB"]) >= 1.0 - TOLERANCE


@pytest.mark.xfail(
    strict=False,  # on the edge of the tolerance
    reason="1.43 over 100 trials, an error of 0.02 mm: delays are weighed alike, by SIGMA_FLOOR_S (0.3 us) and the "
    "least sigma that a site may state (0.1 mm), however loud each microphone hears the leak; measure/tdoa.py",
)
def test_with_an_exact_survey() -> None:
    """Noise alone: 20 um of error at 0 dB, far below what any survey knows."""
    assert ratio(Setting("free field, 0 dB, all exact", 0.0, order=0, doubt=EXACT)) <= ALLOWED * (1 + TOLERANCE)
