"""The picture of `leakctl solve --plot`. Nothing is solved here."""

from pathlib import Path

import numpy as np

from controller.errors import ControllerError
from controller.tdoa.epoch import SensorArray
from controller.tdoa.solve import Solution


def draw(path: Path, array: SensorArray, solution: Solution, *, far: bool) -> None:
    """Sensors, fixes with their radius of 95 %, or bearings as rays; x over y, and x over z in three dimensions."""
    try:
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot as plt
        from matplotlib.patches import Circle
    except ImportError as error:
        raise ControllerError("no matplotlib for --plot", remedy="pip install 'leakloc[report]'") from error
    views = [(0, 1)] if array.dims == 2 else [(0, 1), (0, 2)]
    figure, axes = plt.subplots(1, len(views), figsize=(6.5 * len(views), 6), squeeze=False, layout="constrained")
    sensors, spread = array.position_m, float(np.ptp(array.position_m, axis=0).max())
    centre = sensors.mean(axis=0)
    for view, (i, j) in zip(axes[0], views, strict=True):
        view.plot(sensors[:, i], sensors[:, j], "^", color="#333333", label="sensors")
        for answer in solution.answers:
            if answer.best is None:
                continue
            where = np.array(answer.best.where)
            if far:
                tip = centre + spread * where
                view.plot([centre[i], tip[i]], [centre[j], tip[j]], color="#14507f", linewidth=0.8)
                continue
            view.plot(where[i], where[j], ".", color="#c0392b")
            if answer.radius95 is not None:
                view.add_patch(
                    Circle((where[i], where[j]), answer.radius95, fill=False, color="#c0392b", linewidth=0.6)
                )
        view.set_xlabel(f"{'xyz'[i]}, m")
        view.set_ylabel(f"{'xyz'[j]}, m")
        view.set_aspect("equal", adjustable="datalim")
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise ControllerError(f"{path} cannot be drawn ({error})", remedy="choose a .png, .svg or .pdf") from error
    finally:
        plt.close(figure)
