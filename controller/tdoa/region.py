"""Where a source may be: bounds and hulls that exclude candidates. Nothing is pulled toward them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from controller.tdoa.epoch import Floats

AXES = {"x": 0, "y": 1, "z": 2}


class Region(Protocol):
    """A convex set of points."""

    def excess_m(self, points: Floats) -> Floats:
        """How far points (n, dims) are outside; zero within."""


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """Between two corners; infinities leave a side open."""

    low_m: Floats
    high_m: Floats

    def excess_m(self, points: Floats) -> Floats:
        """Distance to the box."""
        dims = points.shape[1]
        outside = np.maximum(np.maximum(self.low_m[:dims] - points, points - self.high_m[:dims]), 0.0)
        return np.asarray(np.linalg.norm(outside, axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Cylinder:
    """Axis along `axis` from `origin_m` for `length_m`."""

    radius_m: float
    length_m: float
    axis: int
    origin_m: Floats

    def excess_m(self, points: Floats) -> Floats:
        """Distance to the cylinder; in two dimensions to its flat section through the axis or across it."""
        dims = points.shape[1]
        own = points - self.origin_m[:dims]
        radial = np.linalg.norm(np.delete(own, self.axis, axis=1) if self.axis < dims else own, axis=1)
        along = own[:, self.axis] if self.axis < dims else np.full(len(own), 0.5 * self.length_m)
        beyond = np.maximum(np.maximum(-along, along - self.length_m), 0.0)
        return np.asarray(np.hypot(np.maximum(radial - self.radius_m, 0.0), beyond))


def parse_hull(text: str) -> Region:
    """Read box:LX,LY,LZ or cylinder:RADIUS,LENGTH[,x|y|z], each perhaps with @X,Y,Z; ValueError says what is wrong.

    A box has one corner at its origin; a cylinder's axis starts there.
    """
    shape, _, where = text.partition("@")
    kind, _, sizes = shape.partition(":")
    parts = [part.strip() for part in sizes.split(",") if part.strip()]
    origin = np.zeros(3)
    if where:
        given = [_metres(part) for part in where.split(",")]
        if len(given) not in {2, 3}:
            raise ValueError(f"the hull's origin {where!r} needs two or three numbers")
        origin[: len(given)] = given
    if kind.strip().lower() == "box" and len(parts) in {2, 3}:
        size = np.array([_size(part) for part in parts] + [np.inf] * (3 - len(parts)))
        return Box(np.where(np.isfinite(size), origin, -np.inf), origin + size)
    if kind.strip().lower() == "cylinder" and len(parts) in {2, 3}:
        axis = parts[2].lower() if len(parts) == 3 else "x"
        if axis not in AXES:
            raise ValueError(f"a cylinder's axis is x, y or z, not {axis!r}")
        return Cylinder(_size(parts[0]), _size(parts[1]), AXES[axis], origin)
    raise ValueError(f"hull {text!r} is neither box:LX,LY,LZ nor cylinder:RADIUS,LENGTH[,AXIS], perhaps with @X,Y,Z")


def parse_bounds(text: str) -> Box:
    """Read XMIN,XMAX,YMIN,YMAX[,ZMIN,ZMAX], nothing for an open side; ValueError says what is wrong."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in {4, 6}:
        raise ValueError(f"bounds {text!r} need four or six numbers: XMIN,XMAX,YMIN,YMAX[,ZMIN,ZMAX]")
    parts += [""] * (6 - len(parts))
    low = np.array([_metres(part) if part else -np.inf for part in parts[0::2]])
    high = np.array([_metres(part) if part else np.inf for part in parts[1::2]])
    if np.any(low >= high):
        raise ValueError(f"bounds {text!r}: each minimum must be below its maximum")
    return Box(low, high)


def _metres(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if np.isnan(value):
        raise ValueError(f"{text!r} is not a number")
    return value


def _size(text: str) -> float:
    value = _metres(text)
    if not 0.0 < value < np.inf:
        raise ValueError(f"a hull's size must be above zero, not {text!r}")
    return value
