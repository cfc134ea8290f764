"""How probable each compartment is as the leaking one, jointly with how much it leaks. Evidence is made elsewhere.

A hypothesis is "compartment i leaks with conductance g" (m3/s: choked outflow takes g cubic metres of cabin gas a
second, whatever the pressure), or "none of them leaks". Independent evidence multiplies; so its order has no meaning,
and evidence with the same likelihood everywhere changes nothing. g lies on a grid of logarithms: steps of 6 % are finer
than volumes are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# From a hole of 0.03 mm to one of 80 mm with a discharge coefficient of 0.85.
CONDUCTANCES_M3_S: Floats = np.geomspace(1e-7, 1.0, 281)
CONDUCTANCES_M3_S.flags.writeable = False
FARTHEST_LOG = 700.0  # e^-700 is still a number: nothing is ever quite impossible


@dataclass(frozen=True, eq=False)
class Belief:
    """Log-likelihoods of (compartments + none, conductances) and log-weights of the former; the last row is none."""

    rooms: tuple[str, ...]
    log_weight: Floats
    log_likelihood: Floats

    @staticmethod
    def flat(rooms: tuple[str, ...], no_leak: float) -> "Belief":
        """All compartments alike; none leaks with probability `no_leak`, in (0, 1).

        Raises:
            ValueError: no compartments, or `no_leak` outside (0, 1).
        """
        if not rooms or not 0.0 < no_leak < 1.0:
            raise ValueError(f"no belief about {len(rooms)} compartments with no_leak = {no_leak}: 0 < no_leak < 1")
        weight = np.full(len(rooms) + 1, np.log((1.0 - no_leak) / len(rooms)))
        weight[-1] = np.log(no_leak)
        return Belief(rooms, weight, np.zeros((len(rooms) + 1, CONDUCTANCES_M3_S.size)))

    def told(self, log_likelihood: Floats) -> "Belief":
        """With independent evidence more: log-likelihoods (compartments + none, conductances or 1), up to a constant.

        Raises:
            ValueError: another shape, or a value that is no number.
        """
        if log_likelihood.shape not in {(len(self.rooms) + 1, 1), self.log_likelihood.shape}:
            raise ValueError(f"evidence of shape {log_likelihood.shape} about {len(self.rooms)} compartments and none")
        if not np.all(np.isfinite(log_likelihood)):
            raise ValueError("evidence that is not finite")
        total = self.log_likelihood + (log_likelihood - log_likelihood.max())
        return replace(self, log_likelihood=total)

    @property
    def joint(self) -> Floats:
        """Probabilities (compartments + none, conductances), sum 1."""
        log = self.log_likelihood + self.log_weight[:, None]
        joint = np.exp(np.maximum(log - log.max(), -FARTHEST_LOG))
        return np.asarray(joint / joint.sum())

    @property
    def probabilities(self) -> Floats:
        """(compartments + none,), sum 1."""
        return np.asarray(self.joint.sum(axis=1))

    def of(self) -> Mapping[str, float]:
        """Probability of each compartment by its name; what they lack of 1 is that none leaks."""
        return dict(zip(self.rooms, self.probabilities[:-1].tolist(), strict=True))

    @property
    def no_leak(self) -> float:
        """Probability that none of the compartments leaks."""
        return float(self.probabilities[-1])

    def conductance_m3_s(self, share: float) -> float:
        """The conductance that the leak, if there is one, stays below with probability `share`."""
        mass = np.cumsum(self.joint[:-1].sum(axis=0))
        return float(CONDUCTANCES_M3_S[min(int(np.searchsorted(mass, share * mass[-1])), mass.size - 1)])
