"""The picture of a run: hull unrolled with sensors, truth, fix and region; a close-up; the pressure over time."""

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from firmware_bridge.site.hull import Hull
from sim.heard import Detection, Fix, LeakRate
from sim.report.run_record import RunRecord
from sim.score import CHI_SQUARE_95_2D, tangent_basis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLOSE_UP_RADII = 4.0
CLOSE_UP_MIN_M = 0.03
TRUTH, FIX, NODE = "#c0392b", "#1f6fb2", "#3b3b3b"


def draw(record: RunRecord) -> bytes:
    """PNG of a run."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(13, 7.6), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1.25, 1), width_ratios=(1.25, 1))
    hull = record.site.compartment(record.compartment).hull
    if hull is not None:
        _draw_hull(figure.add_subplot(grid[:, 0]), record, hull)
        _draw_close_up(figure.add_subplot(grid[0, 1]), record, hull)
    _draw_pressure(figure.add_subplot(grid[1, 1]), record)
    figure.suptitle(f"{record.scenario.title or record.scenario.name} · seed {record.seed}", fontsize=12)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    plt.close(figure)
    return buffer.getvalue()


def _draw_hull(axes: "Axes", record: RunRecord, hull: Hull) -> None:
    for outline in hull.outlines():
        axes.plot(*outline.points_m.T, color="#999999", lw=1)
        top = outline.points_m[outline.points_m[:, 1].argmax()]
        axes.annotate(outline.label, (outline.points_m[:, 0].mean(), top[1]), (0, 4), textcoords="offset points",
                      ha="center", fontsize=8, color="#777777")  # fmt: skip
    for landmark in record.site.landmarks:
        point = hull.unroll(hull.project(np.array([landmark.position_m])))[0]
        axes.plot(*point, "s", ms=4, color="#b0b0b0")
        axes.annotate(landmark.name, point, (5, 4), textcoords="offset points", fontsize=8, color="#666666")
    for node in record.site.nodes:
        microphones = record.site.microphones_m(node)
        if node.compartment == record.compartment and microphones.size:
            points = hull.unroll(hull.project(microphones))
            axes.plot(*points.T, "^", ms=5, color=NODE)
            axes.annotate(f"node {node.name}", points.mean(axis=0), (7, -10), textcoords="offset points",
                          fontsize=9, weight="bold", color=NODE)  # fmt: skip
    for leak in record.leaks:
        axes.plot(
            *hull.unroll(np.array([leak.position_m]))[0], "x", ms=13, mew=2.5, color=TRUTH, label=f"truth: {leak.name}"
        )
    fix = _last_fix(record)
    if fix is not None:
        point = hull.unroll(np.array([fix.position_m]))[0]
        axes.plot(*point, "o", ms=16, mfc="none", mew=2, color=FIX, label="fix")
        axes.annotate(fix.where or "fix", point, (14, -16), textcoords="offset points", fontsize=10, color=FIX)
    axes.set_aspect("equal")
    axes.set_xlabel("along the hull, m (unrolled)")
    axes.set_ylabel("around the hull, m")
    if record.leaks or fix is not None:  # else there is nothing to explain, and a warning about that
        axes.legend(loc="lower left", fontsize=9)


def _draw_close_up(axes: "Axes", record: RunRecord, hull: Hull) -> None:
    axes.set_title("close-up on the hull, cm", fontsize=10)
    fix = _last_fix(record)
    if fix is None:
        axes.text(0.5, 0.5, "no fix", ha="center", va="center", transform=axes.transAxes)
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
        away = basis @ np.subtract(leak.position_m, fix.position_m)
        axes.plot(*(100 * away), "x", ms=11, mew=2.5, color=TRUTH, label="truth")
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
    marks = [(leak.opens_at_s, "leak opens", TRUTH) for leak in record.leaks]
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


def _last_fix(record: RunRecord) -> Fix | None:
    return next((heard.event for heard in reversed(record.heard) if isinstance(heard.event, Fix)), None)
