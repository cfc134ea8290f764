"""Counting fixes against the truth: how many, how often inside their regions, how large errors are in their sigmas."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from controller.localize.verdict import Fix, NoFix

CHI_SQUARE_95_2D = 5.991
FAR_RADII = 3.0

Floats = NDArray[np.float64]


class Judged(Protocol):
    """A verdict beside the truth."""

    @property
    def leak_m(self) -> Sequence[float] | Floats:
        """Where the leak was."""
        ...

    @property
    def normal(self) -> Floats:
        """Of the hull there."""
        ...

    @property
    def verdict(self) -> Fix | NoFix:
        """What was said."""
        ...


def tangents(normal: Floats) -> Floats:
    """Two unit vectors (3, 2) that span the plane across `normal`."""
    return np.asarray(np.linalg.svd(normal[None, :])[2][1:].T)


@dataclass(frozen=True)
class Tally:
    """Of each fix among the trials: error (fixes, 2), covariance (fixes, 2, 2) in the wall's plane, radius (fixes,)."""

    name: str
    trials: int
    error_m: Floats
    covariance_m2: Floats
    radius95_m: Floats

    @property
    def fixes(self) -> int:
        return len(self.error_m)

    @property
    def nees(self) -> Floats:
        """Squared errors in units of their covariance: chi-square with two degrees of freedom where that is right."""
        whitened = np.linalg.solve(self.covariance_m2, self.error_m[:, :, None])[:, :, 0]
        return np.asarray(np.sum(whitened * self.error_m, axis=1))

    @property
    def radii(self) -> Floats:
        """Errors in 95 % radii."""
        return np.asarray(np.linalg.norm(self.error_m, axis=1) / self.radius95_m)

    @property
    def in_ellipse(self) -> float:
        """Share of truths inside the 95 % ellipse."""
        return float(np.mean(self.nees < CHI_SQUARE_95_2D))

    @property
    def in_circle(self) -> float:
        """Share of truths within the stated 95 % radius."""
        return float(np.mean(self.radii < 1.0))

    @property
    def far(self) -> int:
        """How many truths lie beyond three stated radii."""
        return int(np.sum(self.radii > FAR_RADII))

    @property
    def row(self) -> str:
        """A line of markdown."""
        error = 1e3 * float(np.median(np.linalg.norm(self.error_m, axis=1))) if self.fixes else float("nan")
        return (
            f"| {self.name} | {self.fixes} / {self.trials} | {self.in_ellipse:.3f} | {self.in_circle:.3f} | "
            f"{float(np.mean(self.nees)):.2f} | {float(np.median(self.nees)):.2f} | {error:.1f} | {self.far} |"
        )


HEAD = (
    "| set | fixes / trials | in 95 % ellipse | within 95 % radius | mean squared error in sigmas (2) "
    "| its median (1.39) | median error, mm | beyond three radii |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def tally(name: str, trials: Iterable[Judged]) -> Tally:
    """Count."""
    seen = list(trials)
    errors, covariances, radii = [], [], []
    for trial in seen:
        if isinstance(trial.verdict, Fix):
            plane = tangents(np.asarray(trial.normal))
            errors.append(plane.T @ np.subtract(trial.verdict.position_m, trial.leak_m))
            covariances.append(plane.T @ np.array(trial.verdict.covariance_m2) @ plane)
            radii.append(trial.verdict.radius95_m)
    return Tally(
        name,
        len(seen),
        np.array(errors).reshape(-1, 2),
        np.array(covariances).reshape(-1, 2, 2),
        np.array(radii, dtype=float),
    )


def tolerance(share: float, count: int, sigmas: float = 2.0) -> float:
    """So many standard deviations of a measured share of `count` when `share` is true."""
    return sigmas * float(np.sqrt(share * (1.0 - share) / max(count, 1)))


def most_of(share: float, count: int, chance: float = 0.01) -> int:
    """The count that is exceeded with less than `chance` where `share` is true of each of `count`: binomial."""
    total, term, k = 0.0, (1.0 - share) ** count, 0
    while True:
        total += term
        if total >= 1.0 - chance:
            return k
        term *= (count - k) / (k + 1) * share / (1.0 - share)
        k += 1
