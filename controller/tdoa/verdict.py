"""The answer to one epoch: where, how sure, and what was left out, or why there is none. It decides nothing."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import numpy as np
from scipy.special import chdtri, fdtri, ndtri

from controller.tdoa.epoch import Floats

LATTICE = 4096  # points of the normal distribution: its 95 % quantiles to 1 %


class Reason(StrEnum):
    """Why there is no fix."""

    TOO_FEW_DELAYS = "too_few_delays"
    GEOMETRY = "geometry"
    INCONSISTENT = "inconsistent"
    AMBIGUOUS = "ambiguous"
    RANGE_UNOBSERVABLE = "range_unobservable"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A delay (`second` and `line` are given) or all arrivals at sensor `first`, and by how much it is off."""

    first: str
    second: str | None
    line: int | None
    off_s: float
    why: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place or direction with its covariance, and its probability among the candidates."""

    where: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...] | None
    probability: float
    used: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One epoch's answer: `best` is the fix; without one `reason` and `explanation` say why.

    Positions are in the sensors' frame; directions are unit vectors toward the source, with the covariance of
    (azimuth times cosine of elevation, elevation) in rad^2. `sigma_s` is that of one delay.
    """

    label: str
    time_s: float
    far: bool
    best: Candidate | None
    reason: Reason | None
    explanation: str
    radius95: float | None = None
    residual_rms_s: float | None = None
    rejected: tuple[Rejected, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    delays: int = 0
    used: int = 0
    freedom: int = 0
    misfit: float | None = None
    sigma_s: float | None = None
    sigma_freedom: float | None = None
    dilution: float | None = None
    speed_m_s: float | None = None
    skipped: int = 0
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """What `--json` shows; lengths in m, angles in degrees, null for what cannot be told."""
        shown: dict[str, Any] = {
            "t_s": self.time_s if np.isfinite(self.time_s) else None,
            "epoch": self.label,
            "status": "fix" if self.best else "no_fix",
            "reason": str(self.reason) if self.reason else None,
            "explanation": self.explanation or None,
        }
        shown |= _told(self.best, self.far)
        shown["radius95_deg" if self.far else "radius95_m"] = self.radius95
        return shown | {
            "residual_rms_s": self.residual_rms_s,
            "misfit": self.misfit,
            "sigma_s": self.sigma_s,
            "sigma_freedom": self.sigma_freedom,
            "dilution": self.dilution,
            "speed_m_s": self.speed_m_s,
            "delays": self.delays,
            "used": self.used,
            "skipped": self.skipped,
            "freedom": self.freedom,
            "rejected": [
                {"a": one.first, "b": one.second, "line": one.line, "off_s": one.off_s, "why": one.why}
                if one.second is not None
                else {"sensor": one.first, "off_s": one.off_s, "why": one.why}
                for one in self.rejected
            ],
            "candidates": [
                _told(one, self.far) | {"probability": one.probability, "used": one.used} for one in self.candidates
            ],
            "note": self.note or None,
        }


def _told(one: Candidate | None, far: bool) -> dict[str, Any]:
    covariance = [list(row) for row in one.covariance] if one and one.covariance else None
    if not far:
        return {"position_m": list(one.where) if one else None, "covariance_m2": covariance}
    angles = bearing_deg(one.where) if one else (None, None)
    if covariance is not None:
        covariance = [[value * np.degrees(1.0) ** 2 for value in row] for row in covariance]
    return {
        "azimuth_deg": angles[0],
        "elevation_deg": angles[1],
        "direction": list(one.where) if one else None,
        "covariance_deg2": covariance,
    }


def bearing_deg(direction: tuple[float, ...]) -> tuple[float, float | None]:
    """Azimuth from +x toward +y in (-180, 180], and elevation above the x-y plane (None in two dimensions)."""
    azimuth = float(np.degrees(np.arctan2(direction[1], direction[0])))
    if len(direction) == 2:
        return azimuth, None
    return azimuth, float(np.degrees(np.arctan2(direction[2], np.hypot(direction[0], direction[1]))))


@cache
def _lattice(dims: int) -> Floats:
    """Squares of normal deviates (LATTICE, dims) that fill their space evenly."""
    golden = {1: 1.618033988749895, 2: 1.3247179572447460, 3: 1.2207440846057596}[dims]
    steps = (np.arange(LATTICE)[:, None] + 0.5) * golden ** -np.arange(1.0, dims + 1.0)
    return np.asarray(ndtri(np.clip(np.mod(steps, 1.0), 1e-9, 1.0 - 1e-9)) ** 2)


def radius95(covariance: Floats) -> float:
    """Radius of the sphere, circle or interval around the answer that holds the source with 95 %."""
    dims = len(covariance)
    values = np.maximum(np.linalg.eigvalsh(covariance), 0.0)
    at = int(0.95 * LATTICE)
    return float(np.sqrt(np.partition(_lattice(dims) @ values, at)[at]))


def student_growth(dims: int, freedom: float) -> float:
    """By how much a variance of `freedom` must grow for its normal 95 % region to be the one of Fisher's F."""
    return float(dims * fdtri(dims, freedom, 0.95) / chdtri(dims, 0.05))
