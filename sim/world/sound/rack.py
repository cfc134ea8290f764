"""Racks: boxes that stand in the way of sound, what passes through them, and the shortest way around their edges.

How much weaker the way around is lives here too (a thin screen's law); where racks stand is the scenario's.
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

TOUCH_M = 1e-6  # a segment that only grazes a face or an edge does not cross the rack
SWEEPS = 40  # of reweighted least squares; the length is then good to 1e-6 of itself
SMALLEST_M = 0.01  # an edge of a rack; thinner things do not shade 40 kHz (8.6 mm)
DEEPEST_DB = 40.0  # scattering by air and fittings fills deeper shadows; smoothly, by its power
MOST_LOSS_DB = 120.0  # nothing is heard through that


@dataclass(frozen=True, slots=True)
class Rack:
    """An axis-aligned cuboid full of equipment.

    Args:
        low_m: corner with the smallest coordinates, room's frame.
        high_m: opposite corner.
        transmission_db: level lost on the way through, 0 to 120 dB, at all frequencies.

    Raises:
        ValueError: a rack thinner than 1 cm or inside out, or a loss out of range.
    """

    low_m: tuple[float, float, float]
    high_m: tuple[float, float, float]
    transmission_db: float

    def __post_init__(self) -> None:
        """Refuse what is not a box."""
        if not all(high - low >= SMALLEST_M for low, high in zip(self.low_m, self.high_m, strict=True)):
            raise ValueError(f"rack from {self.low_m} to {self.high_m} m: each side must be 1 cm or more")
        if not 0.0 <= self.transmission_db <= MOST_LOSS_DB:
            raise ValueError(f"transmission loss {self.transmission_db} dB is outside 0 to {MOST_LOSS_DB:g}")

    @property
    def transmission(self) -> float:
        """Pressure amplitude that passes, 0 to 1."""
        return math.pow(10.0, -self.transmission_db / 20.0)

    def crossed(self, starts_m: FloatArray, ends_m: FloatArray) -> NDArray[np.bool_]:
        """Whether straight segments (..., 3) pass through the inside."""
        step = ends_m - starts_m
        still = np.abs(step) < 1e-12
        with np.errstate(divide="ignore", invalid="ignore"):
            near = (np.array(self.low_m) + TOUCH_M - starts_m) / step
            far = (np.array(self.high_m) - TOUCH_M - starts_m) / step
        inside = (starts_m > np.array(self.low_m) + TOUCH_M) & (starts_m < np.array(self.high_m) - TOUCH_M)
        entry = np.where(still, np.where(inside, -np.inf, np.inf), np.minimum(near, far)).max(axis=-1)
        leave = np.where(still, np.where(inside, np.inf, -np.inf), np.maximum(near, far)).min(axis=-1)
        through: NDArray[np.bool_] = (entry < leave) & (leave > 0.0) & (entry < 1.0)
        return through

    def ways_around(self, source_m: FloatArray, receiver_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Lengths (q,), rising, and edge points (q, 3, 3) of the taut ways over one to three edges.

        The first is the shortest path around the box (where that crosses four edges, along a long box from end to
        end, it is missed by up to 2 %); the others serve where a wall closes that one. The points
        of a way over fewer edges repeat its last. Nothing (q = 0) if either end is inside.
        """
        low, high = np.array(self.low_m), np.array(self.high_m)
        lines = low + _edge_sequences() * (high - low)  # (q, 3, 2, 3)
        points = _taut(source_m, receiver_m, lines)
        chain = np.concatenate([
            np.broadcast_to(source_m, (len(points), 1, 3)), points, np.broadcast_to(receiver_m, (len(points), 1, 3))
        ], axis=1)  # fmt: skip
        free = ~self.crossed(chain[:, 0], chain[:, 1]) & ~self.crossed(chain[:, 3], chain[:, 4])
        length_m = np.linalg.norm(np.diff(chain, axis=1), axis=2).sum(axis=1)
        order = np.argsort(np.where(free, length_m, np.inf), kind="stable")[: int(free.sum())]
        return length_m[order], points[order]


def screen_amplitude(detour_m: float, frequency_hz: FloatArray, speed_m_s: float) -> FloatArray:
    """Pressure amplitude behind a screen over that at the same distance without it, same shape as `frequency_hz`.

    5 dB + 20 log10(sqrt(2 pi N) / tanh sqrt(2 pi N)), N = 2 detour / wavelength: Kurze and Anderson 1971, within
    0.6 dB of the chart of Maekawa 1968 (10 log10(3 + 20 N)) from N = 0.01 on. Deep shadow is cut off at 40 dB.
    """
    root = np.sqrt(2.0 * math.pi * 2.0 * detour_m / speed_m_s * np.maximum(frequency_hz, 0.0))
    small = root < 1e-4
    ratio = np.where(small, 1.0, np.tanh(root) / np.where(small, 1.0, root))
    floor = math.pow(10.0, -DEEPEST_DB / 20.0)
    amplitude: FloatArray = np.hypot(math.pow(10.0, -5.0 / 20.0) * ratio, floor)
    return amplitude


@cache
def _edge_sequences() -> FloatArray:
    """All sequences of one to three neighbouring edges of a unit cube as lines (q, 3, 2, 3); the last is repeated.

    Two edges are neighbours if they bound the same face; three in a row use two different faces.
    """
    edges = []
    for axis in range(3):
        first, second = (other for other in range(3) if other != axis)
        for sides in product((0.0, 1.0), repeat=2):
            line = np.zeros((2, 3))
            line[:, first], line[:, second] = sides
            line[1, axis] = 1.0
            edges.append((line, {(first, sides[0]), (second, sides[1])}))
    found = []
    for line, faces in edges:
        found.append([line, line, line])
        for other, other_faces in edges:
            if other is line or not faces & other_faces:
                continue
            found.append([line, other, other])
            onward = other_faces - faces
            found += [[line, other, last] for last, its in edges if last is not other and its & onward]
    return np.array(found)


def _taut(source_m: FloatArray, receiver_m: FloatArray, lines: FloatArray) -> FloatArray:
    """Points (q, 3, 3), one on each of three edges, where a string over them would lie; by reweighted squares."""
    count = len(lines)
    start, along = lines[:, :, 0], lines[:, :, 1] - lines[:, :, 0]
    # a repeated edge is the same point: its share is tied to the one before it
    tied = np.all(lines[:, 1:] == lines[:, :-1], axis=(2, 3))
    share = np.full((count, 3), 0.5)
    ends = (np.broadcast_to(source_m, (count, 1, 3)), np.broadcast_to(receiver_m, (count, 1, 3)))
    for _ in range(SWEEPS):
        points = start + share[:, :, None] * along
        steps = np.diff(np.concatenate([ends[0], points, ends[1]], axis=1), axis=1)
        weight = 1.0 / np.maximum(np.linalg.norm(steps, axis=2), 1e-9)
        weight[:, 1:3] = np.where(tied, 1e9, weight[:, 1:3])
        matrix, right = np.zeros((count, 3, 3)), np.zeros((count, 3))
        fixed = np.concatenate([ends[0], start, ends[1]], axis=1)
        slope = np.concatenate([np.zeros((count, 1, 3)), along, np.zeros((count, 1, 3))], axis=1)
        for piece in range(4):
            offset = fixed[:, piece + 1] - fixed[:, piece]
            for sign, row in ((-1.0, piece - 1), (1.0, piece)):
                if not 0 <= row < 3:
                    continue
                here = sign * slope[:, row + 1]
                right[:, row] -= weight[:, piece] * np.sum(here * offset, axis=1)
                for other_sign, column in ((-1.0, piece - 1), (1.0, piece)):
                    if 0 <= column < 3:
                        there = other_sign * slope[:, column + 1]
                        matrix[:, row, column] += weight[:, piece] * np.sum(here * there, axis=1)
        share = np.clip(np.linalg.solve(matrix, right[:, :, None])[:, :, 0], 0.0, 1.0)
    return start + share[:, :, None] * along
