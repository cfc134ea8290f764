"""The picture of a run: hull unrolled with sensors, truth, fix and region; a close-up; the pressure over time."""

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from firmware_bridge.site.hull import Hull
from firmware_bridge.units import PA_PER_HPA, S_PER_HOUR
from sim.heard import Detection, Fix, LeakRate
from sim.plant.opened_plant import OpenedPlant
from sim.plots.flat import draw_flat
from sim.plots.furnishing import furnished
from sim.plots.labels import label, label_line
from sim.plots.pressures import gas_history
from sim.plots.style import LEAK, QUIET, as_png, new_figure
from sim.run_record import RunRecord
from sim.score import CHI_SQUARE_95_2D, hull_of_fix, nearest_leak, tangent_basis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLOSE_UP_RADII = 4.0
CLOSE_UP_MIN_M = 0.03
WHERE_WIDTH = 34  # letters of a line of words beside the fix
TOGETHER_SHARE = 0.04  # of the time shown: lines closer than that share a name
MOST_OTHERS = 3  # leaks that are told of and not shown
ALONE_S = 3.0 * S_PER_HOUR  # up to here the weather may hide a leak, and stepping the gas anew takes seconds
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
        across, up = hull.unroll(np.array([fix.position_m]))[0]
        axes.plot(across, up, "o", ms=16, mfc="none", mew=2, color=FIX, ls="", label="fix", zorder=4.5)
        where = fill(fix.where or "fix", WHERE_WIDTH)
        label(axes, (float(across), float(up)), where, FIX, size=9, mark_pt=20, rank=5)
    handles, labels = axes.get_legend_handles_labels()
    if handles:  # else there is nothing to explain, and a warning about that
        axes.figure.legend(handles, labels, loc="outside lower left", ncols=len(handles), frameon=False, fontsize=8)


def _draw_close_up(axes: "Axes", record: RunRecord) -> None:
    """The last fix on its own hull, whichever that is, with the leak that is nearest to it."""
    axes.set_title("close-up on the hull, cm", fontsize=10)
    fix, at_s = _last_fix(record)
    if fix is None:
        _say(axes, "no fix")
        return
    leak = nearest_leak(fix, at_s, record.leaks)
    hull = hull_of_fix(fix, record.site, leak)
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
    if leak is not None and fix.compartment in {None, leak.compartment}:
        away = basis @ np.subtract(leak.position_m, fix.position_m)
        axes.plot(*(100 * away), "x", ms=11, mew=2.5, color=LEAK, ls="", label=f"truth: {leak.name}")
        shown_m = max(shown_m, 1.2 * float(np.abs(away).max()))
    others = [other for other in record.leaks if other is not leak and fix.compartment in {None, other.compartment}]
    for row, other in enumerate(others[:MOST_OTHERS]):
        away_m = float(np.linalg.norm(np.subtract(other.position_m, fix.position_m)))
        axes.text(0.03, 0.03 + 0.06 * row, f"{other.name}: {away_m:.2g} m away, not shown", fontsize=8, color=LEAK,
                  transform=axes.transAxes)  # fmt: skip
    axes.set_xlim(-100 * shown_m, 100 * shown_m)
    axes.set_ylim(-100 * shown_m, 100 * shown_m)
    axes.set_aspect("equal")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper right")


def _draw_pressure(axes: "Axes", record: RunRecord) -> None:
    times = [sample.at_s for sample in record.pressure]
    axes.plot(times, [sample.pressure_pa / PA_PER_HPA for sample in record.pressure], color="#555555", lw=1.2,
              label="true")  # fmt: skip
    if record.leaks and 0.0 < max(times, default=0.0) <= ALONE_S:
        _draw_leaks_alone(axes, record)
    axes.set_title(f"pressure in {record.compartment}, hPa", fontsize=10)
    axes.set_xlabel("scenario time, s")
    named = len(record.leaks) > 1
    marks = [(leak.opens_at_s, f"{leak.name} opens" if named else "leak opens", LEAK) for leak in record.leaks]
    for kind, words in ((Detection, "heard"), (Fix, "fix"), (LeakRate, "pressure falls")):
        first = next((heard.at_s for heard in record.heard if isinstance(heard.event, kind)), None)
        marks += [] if first is None else [(first, words, FIX)]
    for at_s, _, color in marks:
        axes.axvline(at_s, color=color, lw=1)
    close_s = TOGETHER_SHARE * max(times, default=0.0)
    while marks:  # what comes almost at once is said together
        first_s, _, color = marks[0]
        said = [mark for mark in marks if mark[2] == color and abs(mark[0] - first_s) <= close_s]
        marks = [mark for mark in marks if mark not in said]
        label_line(axes, said[-1][0], ", ".join(words for _, words, _ in said), color)
    axes.grid(alpha=0.3)
    axes.ticklabel_format(axis="y", useOffset=False)


def _draw_leaks_alone(axes: "Axes", record: RunRecord) -> None:
    """What the leaks take, without the weather: the same gas in the same weather with them less that without them."""
    last = record.pressure[-1]
    lasting = {"duration_s": last.at_s}
    with_them, without = (
        gas_history(OpenedPlant(record.scenario.model_copy(update={**lasting, **more}), record.site, record.seed))
        for more in ({}, {"leaks": ()})
    )
    room = record.compartment
    fall_pa = np.subtract(with_them.pressure_pa[room], without.pressure_pa[room])
    opens_s = max(min(leak.opens_at_s for leak in record.leaks), 0.0)
    times_s = np.asarray(with_them.times_s)
    after = times_s >= opens_s
    true_pa = np.interp(opens_s, *np.array([(sample.at_s, sample.pressure_pa) for sample in record.pressure]).T)
    axes.plot(times_s[after], (true_pa + fall_pa[after]) / PA_PER_HPA, color=LEAK, lw=1.4, ls="--",
              label="by the leak alone" if len(record.leaks) == 1 else "by the leaks alone")  # fmt: skip
    axes.legend(fontsize=8, loc="lower left", framealpha=0.85)


def _say(axes: "Axes", words: str) -> None:
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes)


def _last_fix(record: RunRecord) -> tuple[Fix | None, float]:
    """The fix that was heard last and when, s; None where there was none."""
    fixes = ((heard.event, heard.at_s) for heard in reversed(record.heard) if isinstance(heard.event, Fix))
    return next(fixes, (None, 0.0))
