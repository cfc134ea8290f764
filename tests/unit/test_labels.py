"""Labels are put where they cover neither each other nor what is drawn, as far as there is room."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from sim.plots.labels import label, label_line, settle
from sim.plots.moments import Moment, name_moments
from sim.plots.style import new_figure


def empty(width_in: float = 8.0) -> tuple[Figure, Axes]:
    figure = new_figure(width_in, 5.0)
    axes = figure.subplots()
    axes.set_xlim(0.0, 10.0)
    axes.set_ylim(0.0, 10.0)
    return figure, axes


def extents(figure: Figure) -> dict[str, tuple[float, float, float, float]]:
    """Left, right, bottom and top of all words, pixels."""
    figure.draw_without_rendering()
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in figure.axes[0].texts]
    return {words: (box.x0, box.x1, box.y0, box.y1) for words, box in boxes}


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


@pytest.mark.parametrize("seed", range(3))
def test_names_of_a_heap_do_not_cover_each_other(seed: int) -> None:
    figure, axes = empty()
    places = 5.0 + np.random.default_rng(seed).normal(0.0, 0.4, (7, 2))
    for row, (x, y) in enumerate(places):
        axes.plot(x, y, "s", ms=5)
        label(axes, (x, y), f"the thing number {row}", "black")
    settle(figure)
    placed = extents(figure)
    assert len(placed) == len(places)
    assert not any(overlap(one, other) for one, other in combinations(placed.values(), 2))


def test_a_name_stays_beside_its_mark_and_in_the_axes() -> None:
    figure, axes = empty()
    for place in ((9.95, 5.0), (0.05, 5.0), (5.0, 9.95), (5.0, 0.05)):
        axes.plot(*place, "s", ms=5)
        label(axes, place, f"at {place[0]:g} and {place[1]:g}", "black")
    settle(figure)
    frame = axes.get_window_extent()
    for left, right, low, high in extents(figure).values():
        assert frame.x0 <= left
        assert right <= frame.x1
        assert frame.y0 <= low
        assert high <= frame.y1


def test_a_leader_is_drawn_only_where_the_words_had_to_move() -> None:
    figure, axes = empty()
    label(axes, (2.0, 2.0), "alone", "black")
    label(axes, (7.0, 7.0), "first", "black", size=30, rank=1)
    for step in np.linspace(6.4, 7.6, 30):  # so full of curves that near its mark no place is free
        axes.plot([5.9, 8.1], [step, step])
    label(axes, (7.0, 7.0), "moved", "black")
    settle(figure)
    led = {
        note.get_text(): note.arrow_patch is not None and note.arrow_patch.get_visible()
        for note in axes.texts
        if isinstance(note, Annotation)
    }
    assert not led["alone"]
    assert led["moved"]


def test_a_name_of_a_line_keeps_off_other_lines_and_curves() -> None:
    figure, axes = empty()
    axes.plot([0.0, 10.0], [9.6, 9.6])
    for at in (4.9, 5.0):
        axes.axvline(at)
    label_line(axes, 4.9, "the earlier one", "black")
    label_line(axes, 5.0, "the later one", "black")
    settle(figure)
    placed = extents(figure)
    early_px, late_px = (float(axes.transData.transform((at, 0.0))[0]) for at in (4.9, 5.0))
    curve_px = float(axes.transData.transform((0.0, 9.6))[1])
    assert placed["the earlier one"][1] < early_px
    assert placed["the later one"][0] > late_px
    assert not any(low <= curve_px <= high for _, _, low, high in placed.values())


def test_moments_are_named_where_there_is_room_and_numbered_where_not() -> None:
    figure, axes = empty()
    name_moments(axes, [Moment(1.0, "hatch shut", "black"), Moment(6.0, "hatch open", "black")], 10.0, "h")
    assert {text.get_text() for text in axes.texts} == {"hatch shut", "hatch open"}
    assert not figure.legends
    figure, axes = empty()
    crowd = [Moment(0.1 * row, f"hatch {row} shut", "black") for row in range(5)]
    name_moments(axes, crowd, 10.0, "h")
    assert [text.get_text() for text in figure.legends[0].get_texts()][3] == "4  hatch 3 shut, 0.30 h"
    numbers = extents(figure)
    assert list(numbers) == ["1", "2", "3", "4", "5"]
    assert not any(overlap(one, other) for one, other in combinations(numbers.values(), 2))
    last = [Moment(9.99, "shut", "black"), Moment(10.0, "open", "black")]
    figure, axes = empty()
    name_moments(axes, last, 10.0, "h")
    assert extents(figure)["2"][0] < axes.get_window_extent().x1
