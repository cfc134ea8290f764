"""Names of what happens along a time axis: beside their lines, or by number with a key where they stand too close."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from sim.plots.labels import POINT_IN, label_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LETTERS_PT, LETTER_ASPECT = 8.0, 0.62  # height of letters, and their mean width over it
NUMBER_PT = 14.0  # from one number to the next
MOST_MOMENTS = 20  # a key of more is longer than the picture is high


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happens.

    Args:
        at: when, in the unit of the axis.
        words: what.
        color: of its line.
    """

    at: float
    words: str
    color: str


def name_moments(axes: "Axes", moments: Sequence[Moment], span: float, unit: str) -> None:
    """Name moments, in the order of time, on an axis from 0 to `span` of a `unit`; their lines are drawn already."""
    width_pt = float(axes.get_window_extent().width) / axes.figure.dpi / POINT_IN
    if not _crowded(moments, span / width_pt):
        for moment in moments:
            label_line(axes, moment.at, moment.words, moment.color)
        return
    shown = moments[:MOST_MOMENTS]
    for row, (moment, at) in enumerate(zip(shown, _spread(shown, span, NUMBER_PT * span / width_pt), strict=True), 1):
        away_pt = (at - moment.at) / span * width_pt
        axes.annotate(str(row), (moment.at, 1.0), (away_pt, 10.0), xycoords=axes.get_xaxis_transform(),
                      textcoords="offset points", ha="center", fontsize=LETTERS_PT, color=moment.color,
                      arrowprops={"arrowstyle": "-", "color": moment.color, "lw": 0.6, "shrinkA": 0, "shrinkB": 0},
                      annotation_clip=False)  # fmt: skip
    lines = [f"{row}  {moment.words}, {moment.at:.2f} {unit}" for row, moment in enumerate(shown, 1)]
    lines += [f"and {len(moments) - len(shown)} later ones"] if len(moments) > len(shown) else []
    handles = [axes.plot([], [], lw=0)[0] for _ in lines]
    key = axes.figure.legend(handles, lines, loc="outside right upper", fontsize=LETTERS_PT, handlelength=0,
                             handletextpad=0, frameon=False, title="what happens", title_fontsize=LETTERS_PT,
                             alignment="left")  # fmt: skip
    for text, moment in zip(key.get_texts(), shown, strict=False):
        text.set_color(moment.color)


def _crowded(moments: Sequence[Moment], per_pt: float) -> bool:
    """Whether a name would reach over the line of the next moment; `per_pt` is what a point is on the axis."""
    wide = [len(moment.words) * LETTERS_PT * LETTER_ASPECT * per_pt for moment in moments]
    return any(one.at + width > other.at for (one, other), width in zip(pairwise(moments), wide, strict=False))


def _spread(moments: Sequence[Moment], span: float, apart: float) -> list[float]:
    """Where the numbers stand: at their moments, or as far after as keeps them apart, all before the end."""
    places: list[float] = []
    for moment in moments:
        places.append(max(moment.at, places[-1] + apart) if places else moment.at)
    latest = span
    for row in reversed(range(len(places))):
        places[row] = min(places[row], latest)
        latest = places[row] - apart
    return places
