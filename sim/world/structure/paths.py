"""What a way over a hull's skin is, what it crosses, and what every shell can answer; the shells are neighbours.

Ways are geodesics: a plate of one thickness bends no ray. What a crossing costs lives in `losses`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

NEAREST_M = 0.01  # a sensor nearer to a source than this hears it from here; below lies the near field
FOCUS_LIMIT = 3.0  # amplitude gained at most where rays are bundled; the ray law has no bound at a focus
OFF_SHELL_M = 0.05  # a point this far from the skin is not mounted on it
WRAPS_MAX = 3  # turns about the axis that a way may make more than the shortest


class Joint(IntEnum):
    """A line on the skin that costs what crosses it some of its strength."""

    RIB = 0  # a frame about the axis or a stringer along it
    SEAM = 1  # a weld
    EDGE = 2  # a corner of the hull: rim of an end, edge of a box


@dataclass(frozen=True, slots=True)
class Crossing:
    """A joint on the way, `distance_m` after its start."""

    distance_m: float
    joint: Joint


@dataclass(frozen=True, slots=True)
class SurfacePath:
    """One geodesic from a source to a receiver.

    Args:
        length_m: its length, at least 10 mm.
        spreading_m: width of a pencil of rays at its end per radian of launch angle; the length where the shell
            can be unrolled, R sin(length / R) on a sphere; bounded below at a ninth of the length.
        wraps: turns about the axis (or the centre) more than the direct way, signed; 0 on boxes.
        foci: focal points passed; each advances the phase by a quarter turn.
        crossings: in the order in which they are met.
    """

    length_m: float
    spreading_m: float
    wraps: int = 0
    foci: int = 0
    crossings: tuple[Crossing, ...] = ()


@dataclass(frozen=True, slots=True)
class Joints:
    """Where ribs and seams run: across the axis at x, and along it at an angle about it (from +y toward +z).

    The axis is the x axis of the shell's frame; of a box it passes through the middle.
    """

    ribs_x_m: tuple[float, ...] = ()
    stringers_rad: tuple[float, ...] = ()
    seams_x_m: tuple[float, ...] = ()
    seams_rad: tuple[float, ...] = ()

    def crossed(self, length_m: FloatArray, x_m: FloatArray, angle_rad: FloatArray) -> list[Crossing]:
        """Joints that a way crosses, given x and the unwrapped angle at the rising lengths `length_m`, all (n,)."""
        turned = angle_rad / (2.0 * np.pi)
        found = passed(length_m, x_m, self.ribs_x_m, Joint.RIB) + passed(length_m, x_m, self.seams_x_m, Joint.SEAM)
        for angles, joint in ((self.stringers_rad, Joint.RIB), (self.seams_rad, Joint.SEAM)):
            for angle in angles:
                turn = angle / (2.0 * np.pi)
                near = np.arange(np.floor(turned.min() - turn), np.ceil(turned.max() - turn) + 1.0)
                found += passed(length_m, turned, near + turn, joint)
        return found


class Shell(Protocol):
    """The skin of one compartment as a surface; lengths in m, points in its own frame."""

    @property
    def area_m2(self) -> float:
        """Area of the skin."""
        ...

    def paths(
        self, source_m: FloatArray, receiver_m: FloatArray, joints: Joints, wraps: int = 1
    ) -> tuple[SurfacePath, ...]:
        """Geodesics from `source_m` (3,) to `receiver_m` (3,), shortest first, each turn up to `wraps` included.

        Raises:
            ValueError: a point more than 5 cm off the skin, or wraps out of range.
        """
        ...


def surface_path(
    length_m: float, spreading_m: float, crossings: Iterable[Crossing] = (), *, wraps: int = 0, foci: int = 0
) -> SurfacePath:
    """A path with the bounds of `SurfacePath` kept and its crossings in order."""
    length_m = max(float(length_m), NEAREST_M)
    spreading_m = max(abs(float(spreading_m)), length_m / FOCUS_LIMIT**2, NEAREST_M)
    ordered = tuple(sorted(crossings, key=lambda crossing: (crossing.distance_m, crossing.joint)))
    return SurfacePath(length_m, spreading_m, wraps, foci, ordered)


def check_wraps(wraps: int) -> None:
    """Refuse a number of turns that no signal survives."""
    if not 0 <= wraps <= WRAPS_MAX:
        raise ValueError(f"cannot follow ways that turn {wraps} times about the hull; 0 to {WRAPS_MAX}")


def passed(length_m: FloatArray, value: FloatArray, stations: Iterable[float], joint: Joint) -> list[Crossing]:
    """A crossing of kind `joint` for every time that `value`, linear between its points, passes one of the stations."""
    found = []
    for station in stations:
        above = value > station
        for i in np.flatnonzero(above[1:] != above[:-1]):
            share = (station - value[i]) / (value[i + 1] - value[i])
            found.append(Crossing(float(length_m[i] + share * (length_m[i + 1] - length_m[i])), joint))
    return found
