"""The picture of `leakctl locate --plot`. Nothing is located here."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from controller.errors import ControllerError
from controller.localize.verdict import Fix, Verdict
from firmware_bridge.site.hull import Hull, Points
from firmware_bridge.site.survey import Site
from firmware_bridge.units import Quantity

RADII_95 = 2.4477  # sigmas of two coordinates that hold 95 %


def draw(path: Path, site: Site, room: str, verdicts: Sequence[Verdict]) -> None:
    """The unrolled hull with microphones (as their nearest wall points), candidates, fixes and ellipses of 95 %."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ControllerError("no matplotlib for --plot", remedy="pip install 'leakloc[report]'") from error
    hull = site.compartment(room).hull
    if hull is None:
        raise ControllerError(f"compartment {room!r} has no hull to draw", remedy="leave --plot out")
    figure = Figure(figsize=(10, 7), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for outline in hull.outlines():
        axes.plot(*outline.points_m.T, color="#888888", linewidth=0.8)
        left, top = outline.points_m[:, 0].min(), outline.points_m[:, 1].max()
        axes.annotate(outline.label, (left, top), (3, -10), textcoords="offset points", fontsize=8, color="#666666")
    width = max((float(np.ptp(o.points_m[:, 0])) for o in hull.outlines()), default=1.0)
    microphones = [
        s.position_m for node in site.nodes if node.compartment == room for s in node.of_quantity(Quantity.ULTRASOUND)
    ]
    flat = hull.unroll(hull.project(np.array(microphones, dtype=float)))
    axes.plot(*flat.T, "^", color="#333333", markersize=5, label="microphones (nearest wall)")
    others = [c.position_m for verdict in verdicts for c in verdict.candidates]
    if others:
        axes.plot(*hull.unroll(np.array(others)).T, "o", color="#14507f", mfc="none", markersize=8, label="candidates")
    for number, fix in enumerate((v for v in verdicts if isinstance(v, Fix)), start=1):
        at = hull.unroll(np.array([fix.position_m]))[0]
        axes.plot(*at, "+", color="#c0392b", markersize=14, markeredgewidth=2, label="leak" if number == 1 else None)
        ring = hull.unroll(_ring(hull, fix))
        # Where the ring runs over an edge, its parts lie on different faces.
        far = np.linalg.norm(np.diff(ring, axis=0), axis=1) > 0.25 * width
        ring[1:][far] = np.nan
        axes.plot(*ring.T, color="#c0392b", linewidth=1.2, label="95 %" if number == 1 else None)
        position = ", ".join(f"{value:.3f}" for value in fix.position_m)
        axes.annotate(
            f"{number}: ({position}) m\n95 % within {100 * fix.radius95_m:.1f} cm",
            at,
            (12, 12),
            textcoords="offset points",
            color="#c0392b",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
        )
    axes.set(xlabel="unrolled hull, m", ylabel="m")
    axes.set_aspect("equal", adjustable="datalim")
    axes.legend(loc="upper right", fontsize=8)
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise ControllerError(f"{path} cannot be drawn ({error})", remedy="choose a .png, .svg or .pdf") from error


def _ring(hull: Hull, fix: Fix) -> Points:
    """Wall points (n, 3) on the ellipse of 95 % around a fix."""
    centre = np.array(fix.position_m)
    normal = hull.outward(centre[None])[0]
    if not normal.any():  # no wall: the plan is drawn
        normal = np.array([0.0, 0.0, 1.0])
    helper = np.eye(3)[int(np.argmin(np.abs(normal)))]
    first = np.cross(normal, helper)
    first /= np.linalg.norm(first)
    across: NDArray[np.float64] = np.stack([first, np.cross(normal, first)])
    size, axis = np.linalg.eigh(across @ np.array(fix.covariance_m2) @ across.T)
    half = RADII_95 * np.sqrt(np.maximum(size, 0.0))
    turn = np.linspace(0.0, 2.0 * np.pi, 73)
    ellipse = (axis * half) @ np.stack([np.cos(turn), np.sin(turn)])
    return hull.project(centre + (across.T @ ellipse).T)
