"""The picture of a run: hull unrolled with sensors, truth, fix and region; a close-up; the pressure over time."""

from typing import TYPE_CHECKING

import numpy as np

from firmware_bridge.site.hull import Hull
from sim.heard import Detection, Fix, LeakRate
from sim.plots.flat import draw_flat
from sim.plots.furnishing import furnished
from sim.plots.style import LEAK, QUIET, as_png, halo, new_figure
from sim.run_record import RunRecord
from sim.score import CHI_SQUARE_95_2D, hull_of_fix, nearest_leak, tangent_basis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLOSE_UP_RADII = 4.0
CLOSE_UP_MIN_M = 0.03
FIX = QUIET


def draw(record: RunRecord) -> bytes:
    """PNG of a run."""
    figure = new_figure(13.0, 7.6)
    grid = figure.add_gridspec(2, 2, height_ratios=(1.25, 1), width_ratios=(1.25, 1))
    hull = record.site.compartment(record.compartment).hull
    if hull is not None:
        _draw_hull(figure.add_subplot(grid[:, 0]), record, hull)
        _draw_close_up(figure.add_subplot(grid[0, 1]), record)
    _draw_pressure(figure.add_subplot(grid[1, 1]), record)
    figure.suptitle(f"{record.scenario.title or record.scenario.name} · seed {record.seed}", fontsize=12)
    return as_png(figure)


def _draw_hull(axes: "Axes", record: RunRecord, hull: Hull) -> None:
    """The watched compartment as it was surveyed, and the last fix if it is in it."""
    site = record.site
    nodes = {
        node.name: places
        for node in site.nodes
        if node.compartment == record.compartment and (places := site.microphones_m(node)).size
    }
    draw_flat(axes, furnished(record.compartment, hull, record.scenario, site, nodes))
    fix, _ = _last_fix(record)
    if fix is not None and fix.compartment not in {None, record.compartment}:
        axes.set_title(f"{record.compartment}, unrolled; the last fix is in {fix.compartment}", fontsize=10)
    elif fix is not None:
        point = hull.unroll(np.array([fix.position_m]))[0]
        axes.plot(*point, "o", ms=16, mfc="none", mew=2, color=FIX, ls="", label="fix", zorder=6)
        axes.annotate(fix.where or "fix", point, (14, -30), textcoords="offset points", fontsize=10, color=FIX,
                      zorder=7, path_effects=halo())  # fmt: skip
    if axes.get_legend_handles_labels()[0]:  # else there is nothing to explain, and a warning about that
        axes.legend(loc="lower left", fontsize=9)


def _draw_close_up(axes: "Axes", record: RunRecord) -> None:
    """The last fix on its own hull, whichever that is, with the leaks of that compartment."""
    axes.set_title("close-up on the hull, cm", fontsize=10)
    fix, at_s = _last_fix(record)
    if fix is None:
        _say(axes, "no fix")
        return
    hull = hull_of_fix(fix, record.site, nearest_leak(fix, at_s, record.leaks))
    if hull is None:
        _say(axes, "a fix where the site has no hull")
        return
    basis = tangent_basis(hull, fix.position_m)
    covariance = basis @ np.array(fix.covariance_m2) @ basis.T
    values, vectors = np.linalg.eigh(covariance)
    angle = np.linspace(0, 2 * np.pi, 181)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    ellipse = vectors @ (np.sqrt(CHI_SQUARE_95_2D * np.maximum(values, 0))[:, None] * circle)
    axes.fill(*(100 * ellipse), color=FIX, alpha=0.2, label="95 % region")
    axes.plot(0, 0, "o", ms=9, mfc="none", mew=2, color=FIX, label="fix")
    shown_m = max(CLOSE_UP_RADII * fix.radius95_m, CLOSE_UP_MIN_M)
    for leak in record.leaks:
        if fix.compartment not in {None, leak.compartment}:
            continue
        away = basis @ np.subtract(leak.position_m, fix.position_m)
        axes.plot(*(100 * away), "x", ms=11, mew=2.5, color=LEAK, label="truth")
        shown_m = max(shown_m, 1.2 * float(np.abs(away).max()))
    axes.set_xlim(-100 * shown_m, 100 * shown_m)
    axes.set_ylim(-100 * shown_m, 100 * shown_m)
    axes.set_aspect("equal")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper right")


def _draw_pressure(axes: "Axes", record: RunRecord) -> None:
    times = [sample.at_s for sample in record.pressure]
    axes.plot(times, [sample.pressure_pa / 100 for sample in record.pressure], color="#555555", lw=1.2)
    axes.set_title(f"pressure in {record.compartment} (true), hPa", fontsize=10)
    axes.set_xlabel("scenario time, s")
    marks = [(leak.opens_at_s, "leak opens", LEAK) for leak in record.leaks]
    for kind, words in ((Detection, "heard"), (Fix, "fix"), (LeakRate, "pressure falls")):
        first = next((heard.at_s for heard in record.heard if isinstance(heard.event, kind)), None)
        marks += [] if first is None else [(first, words, FIX)]
    for row, (at_s, words, color) in enumerate(marks):
        axes.axvline(at_s, color=color, lw=1)
        late = at_s > 0.7 * max(times, default=0.0)
        axes.annotate(words, (at_s, 0.92 - 0.13 * row), (-3 if late else 3, 0), xycoords=("data", "axes fraction"),
                      textcoords="offset points", ha="right" if late else "left", fontsize=8, color=color)  # fmt: skip
    axes.grid(alpha=0.3)
    axes.ticklabel_format(axis="y", useOffset=False)


def _say(axes: "Axes", words: str) -> None:
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes)


def _last_fix(record: RunRecord) -> tuple[Fix | None, float]:
    """The fix that was heard last and when, s; None where there was none."""
    fixes = ((heard.event, heard.at_s) for heard in reversed(record.heard) if isinstance(heard.event, Fix))
    return next(fixes, (None, 0.0))
