"""Straight paths in a circle that bounce off its rim by the law of reflection, from one point to others.

The third dimension, flat ends and losses at the wall are added by `room`.

A ray with direction angle phi keeps its moment about the centre, p = rho_s sin(phi - theta_s), through every
bounce; it meets the rim at the angle iota = asin(p / R) to the normal, and each bounce turns its direction by
pi - 2 iota. After k bounces it passes the receiver exactly when
    F(phi) = rho_r sin(phi + k (pi - 2 iota) - theta_r) - p = 0,
and |dF/dphi| is the width that a pencil of rays has there per radian of launch angle.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SCAN_POINTS = 4096  # launch angles tried; two paths closer than 0.09 degrees (beside a caustic) can be missed
SCAN_OFFSET = 0.3819660  # of a step: keeps the scan off the exact roots of symmetric cases
BISECTIONS = 48  # 0.09 degrees halved so often is below the resolution of a double
RIM_SKIN_M = 2e-3  # a source nearer to the rim sits on it; half a wavelength at 80 kHz
CENTRE_SKIN_M = 1e-9  # a receiver nearer to the centre than this is taken this far off it


@dataclass(frozen=True, slots=True)
class RimPaths:
    """All paths found for one number of bounces; every array is (n,), one entry a path.

    Args:
        receiver: index of the receiver that the path ends at.
        launch_rad: direction in which the path leaves the source, radians from the first axis of the plane.
        length_m: length in the plane, m.
        width_m: width of the pencil of rays at the receiver per radian of launch angle, m; 0 on a caustic.
    """

    receiver: NDArray[np.intp]
    launch_rad: FloatArray
    length_m: FloatArray
    width_m: FloatArray


@dataclass(frozen=True, slots=True)
class _Rays:
    """Rays of given launch angles after `bounces` bounces, as seen by receivers of matching shape."""

    miss_m: FloatArray  # F: distance by which the ray passes the receiver, signed
    length_m: FloatArray
    width_m: FloatArray


def rim_paths(radius_m: float, source_m: FloatArray, receivers_m: FloatArray, bounces: int) -> RimPaths:
    """Paths from `source_m` (2,) to `receivers_m` (m, 2) with exactly `bounces` (1 or more) bounces.

    The centre is the origin. A source within 2 mm of the rim is put on it and sends inwards only, so the rim
    under it reflects nothing.
    """
    source = settled(radius_m, source_m)
    launch_rad = _scan(radius_m, source)
    central = np.hypot(*receivers_m.T) < CENTRE_SKIN_M
    receivers = np.where(central[:, None], [[CENTRE_SKIN_M, 0.0]], receivers_m)
    above = _trace(radius_m, source, receivers[:, None, :], launch_rad, bounces).miss_m >= 0.0
    receiver, step = np.nonzero(above[:, 1:] != above[:, :-1])
    low, high = launch_rad[step], launch_rad[step + 1]
    low_above, ends = above[receiver, step], receivers[receiver]
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        same = (_trace(radius_m, source, ends, middle, bounces).miss_m >= 0.0) == low_above
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    root = 0.5 * (low + high)
    found = _trace(radius_m, source, ends, root, bounces)
    return RimPaths(receiver, root, found.length_m, found.width_m)


def rim_corners(
    radius_m: float,
    source_m: FloatArray,
    receivers_m: FloatArray,
    launch_rad: FloatArray,
    bounces: int,
) -> FloatArray:
    """Corners (n, bounces + 2, 2) of paths launched so: the source, its points on the rim, and receivers (n, 2)."""
    heading = np.stack([np.cos(launch_rad), np.sin(launch_rad)], axis=1)
    place = np.broadcast_to(source_m, heading.shape)
    corners = [place]
    for _ in range(bounces):
        middle = np.sum(place * heading, axis=1)
        room = np.square(middle) - np.sum(np.square(place), axis=1) + radius_m**2
        place = place + (np.sqrt(np.maximum(room, 0.0)) - middle)[:, None] * heading
        heading = heading - 2.0 / radius_m**2 * np.sum(heading * place, axis=1)[:, None] * place
        corners.append(place)
    return np.stack([*corners, receivers_m], axis=1)


def settled(radius_m: float, source_m: FloatArray) -> FloatArray:
    """The source (2,), m, put on the rim if it is within 2 mm of it or outside."""
    distance = math.hypot(*source_m)
    if distance <= radius_m - RIM_SKIN_M:
        return source_m
    on_rim: FloatArray = source_m * (radius_m / distance)
    return on_rim


def _scan(radius_m: float, source: FloatArray) -> FloatArray:
    """Launch angles in rising order: all around and closed, or from the rim inwards, denser along the rim."""
    if math.hypot(*source) < radius_m - 0.5 * RIM_SKIN_M:
        return math.tau * (np.arange(SCAN_POINTS + 1.0) + SCAN_OFFSET) / SCAN_POINTS
    spread = math.pi * ((np.arange(SCAN_POINTS + 0.0) + SCAN_OFFSET) / SCAN_POINTS - 0.5)
    inwards = math.atan2(source[1], source[0]) + math.pi
    launch_rad: FloatArray = inwards + math.pi / 2.0 * np.sin(spread)
    return launch_rad


def _trace(
    radius_m: float,
    source: FloatArray,
    receivers: FloatArray,
    launch_rad: FloatArray,
    bounces: int,
) -> _Rays:
    """Follow rays by the module's formulas; `receivers` (..., 2) and `launch_rad` broadcast together."""
    cosine, sine = np.cos(launch_rad), np.sin(launch_rad)
    moment = source[0] * sine - source[1] * cosine
    start = source[0] * cosine + source[1] * sine  # of the source along the first chord, from its middle
    incidence = np.arcsin(np.clip(moment / radius_m, -1.0, 1.0))
    half_chord = radius_m * np.cos(incidence)
    direction = launch_rad + bounces * (math.pi - 2.0 * incidence)
    cosine, sine = np.cos(direction), np.sin(direction)
    end = receivers[..., 0] * cosine + receivers[..., 1] * sine  # of the receiver along the last chord
    miss = receivers[..., 0] * sine - receivers[..., 1] * cosine - moment
    turning = 1.0 - 2.0 * bounces * start / half_chord
    length = 2.0 * bounces * half_chord - start + end
    return _Rays(miss, length, np.abs(end * turning - start))
