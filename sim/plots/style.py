"""What all pictures of a scenario share: size, colours, title, time axis, marks of leaks. Needs matplotlib."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Literal

from firmware_bridge.units import S_PER_DAY, S_PER_HOUR
from sim.plant.opened_plant import OpenedPlant
from sim.plots.labels import settle
from sim.scenario.scenario import ScenarioTable
from sim.truth import TrueLeak

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAK, QUIET, NODE, SHADE, MACHINE, FAINT = "#c0392b", "#1f6fb2", "#2f2f2f", "#f3d9d5", "#8e6bb0", "#8a8a8a"
SERIES = ("#1f6fb2", "#d9822b", "#3a9a55", "#8e6bb0", "#8c564b", "#c2579b", "#6b6b6b", "#b0a52a", "#2aa5b0")
LANDMARK, RACK, SHADOW = "#7c7c7c", "#c9a66b", "#ecdfc8"
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1, 2)))
DPI = 110
TIME_UNITS = (
    (2.5 * S_PER_DAY, S_PER_DAY, "d"),
    (3.0 * S_PER_HOUR, S_PER_HOUR, "h"),
    (1200.0, 60.0, "min"),
    (0.0, 1.0, "s"),
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as PNG, None where there is nothing to draw, and what is not in it and why."""

    png: bytes | None
    notes: tuple[str, ...] = ()


def new_figure(width_in: float, height_in: float) -> "Figure":
    """An empty figure that no window ever shows."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), dpi=DPI, layout="constrained")


def finished(figure: "Figure", plant: OpenedPlant, what: str) -> bytes:
    """The figure as PNG, titled with what it shows, the scenario and the seed."""
    title = plant.scenario.title or plant.scenario.name
    figure.suptitle(f"{what}\n{title} · seed {plant.seed}", fontsize=12)
    return as_png(figure)


def as_png(figure: "Figure") -> bytes:
    """The figure as it is, its labels put where they cover least."""
    settle(figure)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()


def explain(figure: "Figure", where: Literal["lower center", "outside lower center"]) -> None:
    """One legend for the labels of all axes, each once."""
    known: dict[str, Artist] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            known.setdefault(label, handle)
    figure.legend(list(known.values()), list(known), fontsize=9, loc=where, ncols=5, frameon=False)


def time_unit(span_s: float) -> tuple[float, str]:
    """Seconds of the unit in which a span is read best, and its name."""
    return next((seconds, name) for least_s, seconds, name in TIME_UNITS if span_s >= least_s)


def tidy(axes: "Axes") -> None:
    """A quiet grid, and no box."""
    axes.grid(alpha=0.25, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)


def shade_leaks(axes: "Axes", leaks: Iterable[TrueLeak], until_s: float, unit_s: float) -> None:
    """Shade when leaks are open and mark where each opens."""
    for leak in leaks:
        for start_s, end_s in leak.opening.open_intervals:
            if start_s >= until_s:
                continue
            axes.axvspan(
                start_s / unit_s, min(end_s or until_s, until_s) / unit_s, color=SHADE, alpha=0.55, lw=0, zorder=0
            )
            axes.axvline(start_s / unit_s, color=LEAK, lw=1.1, zorder=1)


def missing_parts(scenario: ScenarioTable, leaks: Iterable[TrueLeak]) -> list[str]:
    """Notes on leaks that never open within the scenario."""
    return [
        f"leak {leak.name!r} opens at {leak.opens_at_s:g} s, after the scenario's {scenario.duration_s:g} s"
        for leak in leaks
        if leak.opens_at_s >= scenario.duration_s
    ]
