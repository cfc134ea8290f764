"""What every hull surface can answer; the shapes themselves are neighbours. Site frame, metres, points as (n, 3)."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outline:
    """One closed polyline of the unrolled hull, for drawing: `points_m` is (n, 2)."""

    label: str
    points_m: NDArray[np.float64]


class Hull(Protocol):
    """The pressure wall of one compartment."""

    def signed_distance_m(self, points_m: Points) -> NDArray[np.float64]:
        """Distance to the wall (n,), negative inside."""
        ...

    def outward(self, points_m: Points) -> Points:
        """Unit gradient of the signed distance (n, 3): the outward normal of the nearest wall point."""
        ...

    def project(self, points_m: Points) -> Points:
        """The nearest wall points (n, 3)."""
        ...

    def grid(self, spacing_m: float) -> Points:
        """Wall points (n, 3) such that no wall point is farther than `spacing_m` from one of them."""
        ...

    def unroll(self, points_m: Points) -> NDArray[np.float64]:
        """Where wall points lie on the flat picture of the hull (n, 2), metres.

        Seen from inside. Areas are true; lengths are where the wall is flat or a cylinder.
        """
        ...

    def outlines(self) -> tuple[Outline, ...]:
        """The flat picture's faces."""
        ...

    @property
    def corners_m(self) -> tuple[Points, Points]:
        """Lowest and highest corner (3,) of a box around the hull."""
        ...

    @property
    def area_m2(self) -> float:
        """Area of the whole wall."""
        ...

    @property
    def volume_m3(self) -> float:
        """Volume that the wall encloses."""
        ...


def centred_steps(low: float, high: float, spacing_m: float) -> NDArray[np.float64]:
    """Midpoints of equal cells no wider than `spacing_m` that fill [low, high]."""
    cells = max(1, int(np.ceil((high - low) / spacing_m)))
    return low + (high - low) * (np.arange(cells) + 0.5) / cells
