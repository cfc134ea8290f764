"""What was measured: sensors, and the delays of one epoch between them. No estimation lives here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

FLAT_SHARE = 1e-4  # sensors that leave a plane by less than this part of their spread are in it


@dataclass(frozen=True, slots=True, eq=False)
class SensorArray:
    """Named sensors at `position_m` (sensors, dims), all in one right-handed frame."""

    names: tuple[str, ...]
    position_m: Floats

    @property
    def dims(self) -> int:
        """2 or 3."""
        return int(self.position_m.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Epoch:
    """Delays of one moment: row k says that sensor `first[k]` heard it `delay_s[k]` after `second[k]`.

    `sigma_s` is NaN where the table has none; `line` is where the row stood in its file. `arrivals` says that the
    rows were made from arrival times, whose errors they share; `arrival_sigma_s` is then that of the arrival at
    `first[k]`, and the rest of `sigma_s[k]` is the other end's.
    """

    label: str
    time_s: float
    first: Indices
    second: Indices
    delay_s: Floats
    sigma_s: Floats
    line: Indices
    skipped: int = 0
    arrivals: bool = False
    arrival_sigma_s: Floats | None = None


def spread_axes(points_m: Floats) -> tuple[Floats, Floats]:
    """Root-mean-square spread along principal axes (largest first) and the axes as rows."""
    centred = points_m - points_m.mean(axis=0)
    _, values, axes = np.linalg.svd(centred, full_matrices=True)
    full = np.zeros(points_m.shape[1])
    full[: len(values)] = values / np.sqrt(len(points_m))
    return full, np.asarray(axes)


def rank_of(points_m: Floats) -> int:
    """How many dimensions the points span."""
    spread, _ = spread_axes(points_m)
    return int(np.sum(spread > FLAT_SHARE * spread[0])) if spread[0] > 0.0 else 0
