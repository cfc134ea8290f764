"""Specular paths as tables: their lengths, corners and gains, one row a receiver.

How a room finds them lives with the rooms; what air, walls and racks take away from them in `transfer`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WALL_SKIN_M = 2e-3  # a source nearer to a wall sits on it; a point further outside is refused
NEAREST_M = 0.01  # gain stops rising here: no source of ours is smaller
FOCUS_LIMIT = 3.0  # wave theory bounds a fold caustic near (k R)^(1/6), 3.4 at 40 kHz in a hull of R = 2 m


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths from one source to m receivers, each row by rising length and padded to k columns.

    Args:
        length_m: (m, k) length, m; infinity where there is no path.
        bounces: (m, k) number of reflections on the way; 0 where there is no path.
        gain: (m, k) pressure amplitude relative to 1 m in the open, from spreading alone; 0 where none.
        corners_m: (m, k, n, 3) source, points of reflection, receiver, room's frame; the receiver is repeated
            to the end of a shorter path, and a missing path is all zeros.
    """

    length_m: FloatArray
    bounces: IntArray
    gain: FloatArray
    corners_m: FloatArray

    @property
    def launch(self) -> FloatArray:
        """Unit directions (m, k, 3) in which the paths leave the source; zeros for none or no length."""
        step = self.corners_m[:, :, 1] - self.corners_m[:, :, 0]
        long_m = np.linalg.norm(step, axis=2, keepdims=True)
        direction: FloatArray = np.divide(step, long_m, out=np.zeros_like(step), where=long_m > 0.0)
        return direction


def laid_out(
    count: int,
    receiver: NDArray[np.intp],
    length: FloatArray,
    bounces: IntArray,
    gain: FloatArray,
    corners: FloatArray,
) -> Paths:
    """Lay out flat lists of paths as one padded row for each of `count` receivers; `corners` is (p, n, 3)."""
    order = np.lexsort((bounces, length, receiver))
    receiver, length, bounces = receiver[order], length[order], bounces[order]
    gain, corners = gain[order], corners[order]
    column = np.arange(len(receiver)) - np.searchsorted(receiver, receiver)
    shape = (count, int(column.max(initial=0)) + 1)
    lengths, counts, gains = np.full(shape, np.inf), np.zeros(shape, dtype=np.int64), np.zeros(shape)
    places = np.zeros((*shape, *corners.shape[1:]))
    lengths[receiver, column], counts[receiver, column], gains[receiver, column] = length, bounces, gain
    places[receiver, column] = corners
    for table in (lengths, counts, gains, places):
        table.setflags(write=False)
    return Paths(lengths, counts, gains, places)


def check_paths(reflections: int, clearance_m: FloatArray) -> None:
    """Refuse a negative number of reflections, and points further outside (negative clearance) than the skin."""
    if reflections < 0:
        raise ValueError(f"cannot reflect {reflections} times")
    if not np.all(clearance_m >= -WALL_SKIN_M):
        raise ValueError("a source or receiver lies outside the room: move it inside or enlarge the room")
