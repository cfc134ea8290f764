"""How good fixes are against the truth, over many rigs and places."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from controller.localize.locate import Locator, Settings
from controller.localize.verdict import Fix, NoFix
from tests.support.rig import COMPARTMENT, Position, RigEar, anywhere_on, leaking_at, tube, without_leak
from tests.support.shipped import shipped


@dataclass(frozen=True)
class Trial:
    """One rig with one leak: where it was, and the verdict on it."""

    seed: int
    leak_m: Position
    verdict: Fix | NoFix

    @property
    def error_m(self) -> float:
        """Distance of the fix from the leak; infinite where there is no fix."""
        if isinstance(self.verdict, NoFix):
            return float("inf")
        return float(np.linalg.norm(np.subtract(self.verdict.position_m, self.leak_m)))

    @property
    def radii(self) -> float:
        """The same in 95 % radii."""
        return self.error_m / self.verdict.radius95_m if isinstance(self.verdict, Fix) else float("inf")


def leaks_anywhere(seeds: Iterable[int], **leak: object) -> list[Trial]:
    """One leak a seed, uniform over the wall; each with its own survey errors, noise and level."""
    scenario, site = shipped()
    locator = Locator(site, COMPARTMENT, Settings())
    trials = []
    for seed in seeds:
        at = anywhere_on(tube(site), np.random.default_rng([seed, 77]))
        ear = RigEar(leaking_at(scenario, at, **leak), site, seed)
        trials.append(Trial(seed, at, locator.locate(replace(ear.job(), generation=seed))))
    return trials


def tight_hulls(seeds: Iterable[int]) -> list[Fix | NoFix]:
    """The verdicts on rigs without a leak, machines running."""
    scenario, site = shipped()
    locator = Locator(site, COMPARTMENT, Settings())
    return [
        locator.locate(replace(RigEar(without_leak(scenario), site, seed).job(), generation=seed)) for seed in seeds
    ]
