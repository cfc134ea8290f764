"""What if one node errs? A fix that also allows for a node that was moved, or whose clock lies, without its showing.

Three nodes and a hull hardly tell a node that stands 10 cm from where the site file has it from a leak that is
elsewhere. So the place is a mixture: all nodes right, or one of them wrong, which of them the misfits tell.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from controller.localize.forward import Model
from controller.localize.solver import Solution, solve
from controller.localize.verdict import Rejected

# Odds that a node errs, times how much likelier its own delays are where they count than where anything goes: 1 in 30,
# and 1 in 20 for its offset of 3 mm rather than 100 mm. Right nodes' four delays drop chi-square by 4, which makes 1 %.
ERRS = 1.0 / 600.0
BELIED = 0.9  # of all probability: then the node is left out and told


def weighed(models: Sequence[Model], solution: Solution) -> tuple[Solution, tuple[Rejected, ...]]:
    """The solution with what it would be without each node mixed into its covariance, or one node left out."""
    nodes = sorted({owner for model in models for owner in model.rows if owner})
    if len(nodes) < 2 or solution.chi_square < 1.0:
        return solution, ()
    states, weights, without = [solution], [1.0], [""]
    for node in nodes:
        rest = solve([part for model in models if (part := model.without(node)) is not None], solution.state)
        if rest is not None and rest.freedom > 0:
            states.append(rest)
            without.append(node)
            weights.append(ERRS * float(np.exp(0.5 * min(solution.chi_square - rest.chi_square, 60.0))))
    weight = np.array(weights) / sum(weights)
    best = int(weight.argmax())
    rejected: tuple[Rejected, ...] = ()
    if best and weight[best] > BELIED and len(nodes) > 2:
        rejected = (Rejected(without[best], "its delays contradict those of all other nodes"),)
    else:
        best = 0
    chosen = states[best]
    covariance = chosen.covariance.copy()
    for share, other in zip(weight, states, strict=True):
        apart = other.state - chosen.state
        covariance += share * np.outer(apart, apart)
    return replace(chosen, covariance=covariance), rejected
