"""The picture of `leakctl plan --plot`: the unrolled hull coloured by expected radius. Nothing is planned here."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from controller.errors import ControllerError
from controller.plan.map import Blind
from controller.plan.plan import Plan
from controller.plan.telling import WHY, worst

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PIXELS = 900  # of the longer side of the map
LOWEST_M, HIGHEST_M = 2e-3, 0.5
HATCHES = {Blind.TOO_QUIET: "///", Blind.TOO_FEW: "xxx", Blind.TOO_VAGUE: "...", Blind.AMBIGUOUS: "\\\\\\"}
INK = "#1b2631"


def draw(path: Path, plan: Plan) -> None:
    """Write the picture.

    Raises:
        ControllerError: there is no matplotlib, or the file cannot be written.
    """
    try:
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ControllerError("no matplotlib for --plot", remedy="pip install 'leakloc[report]'") from error
    corners = np.vstack([outline.points_m for outline in plan.hull.outlines()])
    width, height = np.ptp(corners, axis=0)
    scale = 10.0 / max(width, height)
    figure, axes = plt.subplots(
        figsize=(max(6.5, width * scale + 2.2), max(4.5, height * scale + 1.8)), layout="constrained"
    )
    try:
        _draw_map(axes, plan)
        _draw_things(axes, plan)
        axes.set_aspect("equal")
        pad = 0.03 * max(width, height)
        (left, low), (right, high) = corners.min(axis=0) - pad, corners.max(axis=0) + pad
        axes.set(xlim=(left, right), ylim=(low, high))
        axes.set_xlabel("along the hull, m")
        axes.set_ylabel("around the hull, m")
        asked, drawn = plan.asked, plan.drawn
        axes.set_title(
            f"{plan.site.title}, {plan.compartment}: how well a leak of {asked.leak.diameter_m * 1e3:g} mm would be "
            f"located\n{drawn.share_within(0.02):.0%} of the hull within 2 cm, {drawn.share_within(0.1):.0%} within "
            f"10 cm, {drawn.blind_share:.0%} blind; unrolled, seen from inside",
            fontsize=10,
        )
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8, frameon=False)
        figure.savefig(path, dpi=130)
    except (OSError, ValueError) as error:
        raise ControllerError(f"{path} cannot be drawn ({error})", remedy="choose a .png, .svg or .pdf") from error
    finally:
        plt.close(figure)


def _draw_map(axes: "Axes", plan: Plan) -> None:
    """Colours and hatches, pixel by pixel: each takes the nearest place's."""
    from matplotlib.colors import LogNorm
    from matplotlib.path import Path as Outline

    outlines = plan.hull.outlines()
    corners = np.vstack([outline.points_m for outline in outlines])
    low, high = corners.min(axis=0), corners.max(axis=0)
    step = float((high - low).max()) / PIXELS
    across, up = (np.arange(a + step / 2, b, step) for a, b in zip(low, high, strict=True))
    pixels = np.column_stack([axis.ravel() for axis in np.meshgrid(across, up)])
    inside = np.zeros(len(pixels), dtype=bool)
    for outline in outlines:
        inside |= Outline(outline.points_m).contains_points(pixels)
    drawn = plan.drawn
    nearest = cKDTree(plan.hull.unroll(drawn.points_m)).query(pixels[inside])[1]
    shape = (len(up), len(across))
    radius = np.full(len(pixels), np.nan)
    radius[inside] = np.clip(drawn.bounds.radius95_m[nearest], LOWEST_M, HIGHEST_M) * 100.0
    blind = np.full(len(pixels), int(Blind.NOT))
    blind[inside] = drawn.blind[nearest]
    extent = (float(low[0]), float(low[0] + step * shape[1]), float(low[1]), float(low[1] + step * shape[0]))
    image = axes.imshow(
        np.ma.masked_invalid(radius.reshape(shape)),
        origin="lower",
        extent=extent,
        norm=LogNorm(LOWEST_M * 100, HIGHEST_M * 100),
        cmap="viridis_r",
        interpolation="nearest",
    )
    for reason, hatch in HATCHES.items():
        spot = (blind == reason).reshape(shape).astype(float)
        if not spot.any():
            continue
        axes.contourf(across, up, spot, levels=[0.5, 1.5], colors=["#ffffff"], alpha=0.55)
        axes.contourf(across, up, spot, levels=[0.5, 1.5], colors="none", hatches=[hatch])
        axes.contour(across, up, spot, levels=[0.5], colors=[INK], linewidths=0.8)
        axes.fill([], [], facecolor="#dddddd", edgecolor=INK, hatch=hatch, label=f"blind: {WHY[reason]}")
    for outline in outlines:
        axes.plot(*outline.points_m.T, color="#5d6d7e", linewidth=1.0)
        at = np.array([outline.points_m[:, 0].mean(), outline.points_m[:, 1].min()])
        _name(axes, at, outline.label, 7, (0, 4), color="#5d6d7e")
    ticks = [0.2, 0.5, 1, 2, 5, 10, 20, 50]
    bar = axes.figure.colorbar(image, ax=axes, ticks=ticks, extend="both", shrink=0.85, pad=0.02)
    bar.ax.set_yticklabels([f"{tick:g} cm" for tick in ticks])
    bar.ax.minorticks_off()
    bar.set_label("expected 95 % radius")


def _draw_things(axes: "Axes", plan: Plan) -> None:
    """Nodes, landmarks, the worst place, and where another node would stand."""
    for row, mark in enumerate(plan.site.landmarks):
        if abs(float(plan.hull.signed_distance_m(np.array([mark.position_m]))[0])) > 0.3:
            continue  # of another compartment
        at = _flat(plan, np.array([mark.position_m]))[0]
        axes.plot(*at, "s", ms=4, color="white", mec=INK, mew=0.8, ls="", label="landmark" if row == 0 else None)
        _name(axes, at, mark.name, 7, (5, 4))
    first = True
    for group in plan.groups:
        owner = np.array(group.nodes)
        for node in dict.fromkeys(group.nodes):
            middle = group.position_m[owner == node].mean(axis=0)
            at = _flat(plan, middle[None])[0]
            axes.plot(*at, "^", ms=9, color="#1f77b4", mec="white", mew=1.0, ls="", label="node" if first else None)
            _name(axes, at, node, 10, (-6, -5), bold=True)
            first = False
    row = worst(plan)
    if plan.drawn.blind[row] == Blind.NOT:
        at = _flat(plan, plan.drawn.points_m[[row]])[0]
        axes.plot(*at, "x", ms=9, mew=2.2, color="#c0392b", ls="", label="worst place that is not blind")
    for row, more in enumerate(plan.additions):
        at = _flat(plan, np.array([more.centre_m]))[0]
        label = "one node more would bring most here" if row == 0 else None
        axes.plot(*at, "*", ms=15, color="#f39c12", mec=INK, mew=0.8, ls="", label=label)
        _name(axes, at, str(row + 1), 9, (7, -9), bold=True)


def _flat(plan: Plan, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
    return plan.hull.unroll(plan.hull.project(points_m))


def _name(
    axes: "Axes",
    at: NDArray[np.float64],
    text: str,
    size: float,
    offset: tuple[float, float],
    *,
    bold: bool = False,
    color: str = INK,
) -> None:
    from matplotlib.patheffects import withStroke

    axes.annotate(
        text,
        (float(at[0]), float(at[1])),
        offset,
        textcoords="offset points",
        fontsize=size,
        color=color,
        weight="bold" if bold else "normal",
        ha="right" if offset[0] < 0 else "left" if offset[0] > 0 else "center",
        path_effects=[withStroke(linewidth=2.2, foreground="white")],
    )
