"""Words beside points and lines, put where they cover least. Where the points are is for the pictures to say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patheffects import AbstractPathEffect
    from matplotlib.text import Annotation

FloatArray = NDArray[np.float64]
Point = tuple[float, float]

POINT_IN = 1.0 / 72.0
AROUND = tuple((float(x), float(y)) for x, y in ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)))
NEAR_PT, RINGS_PT = 3.0, (0.0, 12.0, 26.0, 44.0)  # from the mark's edge to the words; farther rings get a leader
LEVELS = tuple(float(level) for level in np.linspace(0.95, 0.07, 12))  # along a line, of the axes' height
STEP_PX = 3.0  # between the points by which curves, outlines and marks are avoided
LEAST_MARK_PT = 3.0  # smaller ones are a ground that may be written on
AREA_PX2 = 9.0  # overlap with words that is as bad as covering one point of a curve
OUTSIDE = 2.0  # out of the axes is so much worse
SHORT = 0.25  # of a point covered: what a step to a worse direction costs
STRUCK = 4.0  # a point of other words that a leader strikes through
FARTHER = 2.0  # the same for a ring; a leader is better than a covered curve, and worse than none


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the canvas, pixels."""

    left: float
    low: float
    right: float
    high: float

    def shared_px2(self, other: "Box") -> float:
        """Area in common."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.high, other.high) - max(self.low, other.low)
        return max(width, 0.0) * max(height, 0.0)

    def holds(self, points: FloatArray) -> int:
        """How many of the points (n, 2) are in it."""
        low, high = (self.left, self.low), (self.right, self.high)
        return int(np.count_nonzero(np.all((points >= low) & (points <= high), axis=1)))

    @property
    def area_px2(self) -> float:
        """Its area."""
        return (self.right - self.left) * (self.high - self.low)


def halo() -> "list[AbstractPathEffect]":
    """White around letters, so that they can be read on whatever is behind them."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.2, foreground="white")]


def label(axes: "Axes", point: Point, words: str, color: str, *, size: float = 8.0, mark_pt: float = 6.0, rank: int = 0,
          bold: bool = False) -> None:  # fmt: skip
    """Name a point that is marked; `settle` finds the place.

    Args:
        axes: in which, also the plane of axes in space.
        point: data coordinates.
        words: to be written.
        color: of the words.
        size: of the letters, points.
        mark_pt: width of the mark that is at the point, points.
        rank: of higher rank is placed first.
        bold: whether the letters are.
    """
    leader = {"arrowstyle": "-", "color": color, "lw": 0.6, "shrinkA": 0.0, "shrinkB": 0.4 * mark_pt}
    note = axes.annotate(words, point, (mark_pt, mark_pt), textcoords="offset points", fontsize=size, color=color,
                         weight="bold" if bold else "normal", path_effects=halo(), arrowprops=leader)  # fmt: skip
    note.set_zorder(10 + rank)
    note.set_gid(f"beside {mark_pt}")


def label_line(axes: "Axes", at: float, words: str, color: str, *, size: float = 8.0, rank: int = 0) -> None:
    """Name an upright line at `at`, on either side of it and as high as there is room."""
    note = axes.annotate(words, (at, LEVELS[0]), (4, 0), xycoords=axes.get_xaxis_transform(),
                         textcoords="offset points", fontsize=size, color=color, va="center",
                         path_effects=halo())  # fmt: skip
    note.set_zorder(10 + rank)
    note.set_gid("along")


def settle(figure: "Figure") -> None:
    """Put every label of a figure where it covers least, those of highest rank first; the rest must be drawn."""
    waiting = [(axes, note) for axes in figure.axes for note in _waiting(axes)]
    if not waiting:
        return
    figure.draw_without_rendering()  # layout and projections are known from here on
    if figure.get_layout_engine() is not None:
        figure.set_layout_engine("none")  # else labels would move the axes that they were placed in
    for axes in dict.fromkeys(axes for axes, _ in waiting):
        _settle(axes, [note for own, note in waiting if own is axes])


def _waiting(axes: "Axes") -> "list[Annotation]":
    notes: list[Any] = [text for text in axes.texts if str(text.get_gid() or "").startswith(("beside", "along"))]
    return sorted(notes, key=lambda note: -float(note.get_zorder()))


def _settle(axes: "Axes", notes: "Sequence[Annotation]") -> None:
    marks = _marks(axes)
    frame = _box(axes.get_window_extent())
    mine = set(notes)
    taken = [_box(text.get_window_extent()) for text in axes.texts if text not in mine and text.get_text()]
    legend = axes.get_legend()
    taken += [] if legend is None else [_box(legend.get_window_extent())]
    for note in notes:
        width, height = _size(note)
        tried = [
            (_cost(box, frame, taken, marks) + extra + (_struck(axes, note, box, taken) if far else 0), box, far, place)
            for box, extra, far, place in _places(axes, note, width, height)
        ]
        _, box, far, (anchor, offset_px, sides) = min(tried, key=lambda one: one[0])
        px_per_pt = axes.figure.dpi * POINT_IN
        note.xy = anchor
        note.set_position((offset_px[0] / px_per_pt, offset_px[1] / px_per_pt))
        note.set_horizontalalignment(sides[0])  # type: ignore[arg-type]  # one of three words, by the tables below
        note.set_verticalalignment(sides[1])  # type: ignore[arg-type]
        if note.arrow_patch is not None:
            note.arrow_patch.set_visible(far)
        note.set_gid("settled")
        taken.append(box)
        if far:
            marks = np.vstack([marks, _leader(axes, note, box)])


Place = tuple[Point, Point, tuple[str, str]]  # what it hangs on, how far from there in pixels, on which sides


def _places(axes: "Axes", note: "Annotation", width: float, height: float) -> Iterable[tuple[Box, float, bool, Place]]:
    """Where words may go: their box, what that costs, whether a leader is needed, and how to put them there."""
    px_per_pt = axes.figure.dpi * POINT_IN
    kind, _, mark_pt = str(note.get_gid()).partition(" ")
    if kind == "along":
        gap = 4.0 * px_per_pt
        for row, level in enumerate(LEVELS):
            x, y = axes.get_xaxis_transform().transform((note.xy[0], level))
            for side in (1.0, -1.0):
                left = x + gap if side > 0 else x - gap - width
                box = Box(left, y - height / 2, left + width, y + height / 2)
                place = (note.xy[0], level), (side * gap, 0.0), ("left" if side > 0 else "right", "center")
                yield box, SHORT * (row + (side < 0)), False, place
        return
    x, y = axes.transData.transform(note.xy)
    for ring, ring_pt in enumerate(RINGS_PT):
        away = (0.5 * float(mark_pt) + NEAR_PT + ring_pt) * px_per_pt
        for step, (right, up) in enumerate(AROUND):
            slant = np.sqrt(0.5) if right and up else 1.0
            dx, dy = right * away * slant, up * away * slant
            left = x + dx - (0.0, width / 2, width)[1 - int(right)]
            low = y + dy - (0.0, height / 2, height)[1 - int(up)]
            sides = ("left", "center", "right")[1 - int(right)], ("bottom", "center", "top")[1 - int(up)]
            box = Box(left, low, left + width, low + height)
            yield box, SHORT * step + FARTHER * ring, ring > 0, ((note.xy[0], note.xy[1]), (dx, dy), sides)


def _cost(box: Box, frame: Box, taken: Sequence[Box], marks: FloatArray) -> float:
    """In points of a curve that are covered."""
    words = sum(box.shared_px2(other) for other in taken)
    outside = box.area_px2 - box.shared_px2(frame)
    return (words + OUTSIDE * outside) / AREA_PX2 + box.holds(marks)


def _leader(axes: "Axes", note: "Annotation", box: Box) -> FloatArray:
    """Points (n, 2) from the named point to the words."""
    centre = (box.left + box.right) / 2, (box.low + box.high) / 2
    return _along(np.array([axes.transData.transform(note.xy), centre]))


def _struck(axes: "Axes", note: "Annotation", box: Box, taken: Sequence[Box]) -> float:
    """How much of other words a leader would strike through."""
    leader = _leader(axes, note, box)
    return STRUCK * sum(other.holds(leader) for other in taken)


def _size(note: "Annotation") -> tuple[float, float]:
    """Width and height of the words alone, pixels, with a little air."""
    from matplotlib.text import Text

    extent = Text.get_window_extent(note)
    return float(extent.width) + 2.0, float(extent.height) + 1.0


def _box(extent: Any) -> Box:  # noqa: ANN401 - matplotlib's Bbox has no useful types
    return Box(float(extent.x0), float(extent.y0), float(extent.x1), float(extent.y1))


def _marks(axes: "Axes") -> FloatArray:
    """Points (n, 2), pixels, along curves and outlines and within marks."""
    found = []
    px_per_pt = axes.figure.dpi * POINT_IN
    for line in axes.get_lines():
        points = np.asarray(line.get_transform().transform(np.asarray(line.get_xydata(), dtype=float)))
        points = points[np.all(np.isfinite(points), axis=1)]
        if not len(points):
            continue
        if line.get_linestyle() not in {"None", "", " "}:
            found.append(_along(points))
        if line.get_marker() not in {"None", "", " ", None} and line.get_markersize() >= LEAST_MARK_PT:
            half = 0.5 * line.get_markersize() * px_per_pt
            steps = np.linspace(-half, half, max(2, int(2 * half / STEP_PX) + 1))
            cell = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
            found.append((points[:, None] + cell).reshape(-1, 2))
    for patch in axes.patches:
        outline = patch.get_transform().transform_path(patch.get_path())
        found += [_along(np.asarray(part)) for part in outline.to_polygons(closed_only=False) if patch.get_linewidth()]
    return np.vstack(found) if found else np.empty((0, 2))


def _along(points: FloatArray) -> FloatArray:
    """Points a step apart along a line."""
    if len(points) == 1:
        return points
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.linspace(0.0, lengths[-1], int(lengths[-1] / STEP_PX) + 2)
    return np.stack([np.interp(at, lengths, points[:, 0]), np.interp(at, lengths, points[:, 1])], axis=1)
