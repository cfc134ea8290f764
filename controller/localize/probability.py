"""How probable each place is, given how far all of them stand out. Places are found elsewhere.

Of a correlation function with unit noise, steered to the source's place, the log-likelihood ratio of "a source is
here" against "there is none" is half the square of its standing z (matched filter: Van Trees 1968, Detection,
Estimation, and Modulation Theory I, 4.2). With equal priors over N independent cells, places k that stand at z_k, and
all other cells at chance, for which 1 is taken as the mean of the ratio,

    p_k = exp(z_k^2 / 2) / (sum over k of exp(z_k^2 / 2) + N).

The noise of a loud leak is its own reverberation: it is proportional to the leak and knows no independent cells, so
that z grows with loudness and certainty does not. A noise of SELF_NOISE of the standing, added in quadrature to the
unit noise, gives z / sqrt(1 + (SELF_NOISE z)^2), which never exceeds 1 / SELF_NOISE.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from controller.localize.verdict import Candidate

SELF_NOISE = 0.05  # two places at 80 and 70 sigma: 30 to 1, not e^750 to 1
LN_CELLS = 14.0  # a million cells of 5 mm: 25 m² of wall


def log_likelihood_ratio(standings: Sequence[float]) -> NDArray[np.float64]:
    """Of "a source is here" against "there is none" (n,), its own reverberation reckoned as noise."""
    standing = np.maximum(np.asarray(standings, dtype=float), 0.0)
    return np.asarray(0.5 * standing**2 / (1.0 + (SELF_NOISE * standing) ** 2))


def probabilities(standings: Sequence[float]) -> tuple[float, ...]:
    """Probability of each place; what they lack of 1 is that the source is elsewhere, or that there is none."""
    if not standings:
        return ()
    certain = log_likelihood_ratio(standings)
    top = max(float(certain.max()), LN_CELLS)
    weight = np.exp(certain - top)
    return tuple(float(value) for value in weight / (weight.sum() + np.exp(LN_CELLS - top)))


def weighed(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The candidates with their probabilities."""
    likely = probabilities([candidate.standing for candidate in candidates])
    return tuple(replace(one, probability=share) for one, share in zip(candidates, likely, strict=True))
