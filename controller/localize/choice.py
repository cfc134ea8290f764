"""Which of several attempts is the answer, and when another one forbids it. Attempts are made next door."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from controller.localize.attempt import Attempt, Refusal
from controller.localize.probability import log_likelihood_ratio
from controller.localize.verdict import Candidate, NoFix, Reason

APART_M = 0.05  # solutions nearer than this, or within their regions, are one place
LEAST_ODDS = 100.0  # of a faint place against any other
LEAST_LOUD_ODDS = 20.0  # of a loud place against one that as many pairs support: beside an edge, its mirror image
LEFT = 0.5  # of its pairs must stay behind another place that is a source of its own


def chosen(
    attempts: Sequence[Attempt | Refusal],
    shown: tuple[Candidate, ...],
    bursts: int,
    rival_support: float,
    min_standing: float,
    *,
    left_of: Callable[[Attempt, Attempt], int] | None = None,
) -> Attempt | NoFix:
    """The attempt that stands out most of those that many pairs support, unless another is nearly as likely.

    `rival_support` is the share of the most pairs that a place needs to be a rival. Where several sources may sound at
    once, `left_of(best, rival)` says how many pairs still support a rival after the best place's sound was struck out:
    one that keeps half of them is another source, not another explanation. Where the place that stands out most came to
    nothing, a lower one is no answer unless single pairs hear it and it stands out by `min_standing` itself.
    """
    solved = [a for a in attempts if isinstance(a, Attempt)]
    if not solved:
        refusal = next(a for a in attempts if isinstance(a, Refusal))
        return NoFix(refusal.reason, refusal.explanation, shown, bursts)
    faint = any(a.steered for a in solved)
    if not faint:
        most = max(a.support for a in solved)
        solved = [a for a in solved if a.support >= rival_support * most]
    solved.sort(key=lambda a: -a.candidate.standing)
    best = solved[0]
    rivals = [rival for rival in solved[1:] if apart(best, rival) and _rivals(best, rival, faint=faint)]
    if left_of is not None:
        rivals = [rival for rival in rivals if left_of(best, rival) < LEFT * rival.support]
    first = attempts[0]
    if isinstance(first, Refusal) and (best.steered or best.candidate.standing < min_standing):
        return NoFix(first.reason, first.explanation, shown, bursts)
    if not rivals:
        return best
    return NoFix(
        Reason.AMBIGUOUS,
        f"{1 + len(rivals)} places explain the sound almost alike ({best.support} and {rivals[0].support} "
        "pairs of microphones); another node or a longer listen would tell",
        shown,
        bursts,
    )


def apart(one: Attempt, other: Attempt) -> bool:
    """Whether two solutions are two places."""
    distance_m = float(np.linalg.norm(one.solution.state[:3] - other.solution.state[:3]))
    return distance_m > max(APART_M, one.radius95_m + other.radius95_m)


def _rivals(best: Attempt, other: Attempt, *, faint: bool) -> bool:
    """Whether another place is too likely to be passed over.

    Of faint sound the log-likelihood of a place is half the square of its standing (the matched filter's, unit noise);
    of loud sound reverberation is the noise.
    """
    if faint:
        return best.candidate.standing**2 - other.candidate.standing**2 < 2.0 * math.log(LEAST_ODDS)
    stronger, weaker = log_likelihood_ratio((best.candidate.standing, other.candidate.standing))
    return bool(stronger - weaker < math.log(LEAST_LOUD_ODDS))
