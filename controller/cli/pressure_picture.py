"""The picture of `leakctl pressure`: the log, and the fall that was found in it."""

from pathlib import Path

import numpy as np

from controller.cli.pressure_columns import Log
from controller.cli.pressure_log import Answer
from controller.errors import ControllerError
from firmware_bridge.units import PA_PER_HPA, S_PER_HOUR

MAX_POINTS = 5000  # of one line


def draw(log: Log, answer: Answer, path: Path) -> None:
    """Write the picture to `path`.

    Raises:
        ControllerError: matplotlib is missing, or the file cannot be written.
    """
    try:
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ControllerError("--plot needs matplotlib", remedy="pip install 'leakloc[report]'") from error
    figure, axes = plt.subplots(figsize=(10, 5), layout="constrained")
    thin = max(1, log.time_s.size // MAX_POINTS)
    for name, values in log.pressure_pa.items():
        axes.plot(log.time_s[::thin] / S_PER_HOUR, values[::thin] / PA_PER_HPA, linewidth=0.8, label=name)
    if answer.leak:
        end_s = float(log.time_s[-1]) if answer.over_s is None else answer.over_s
        at_s = np.linspace(max(end_s - answer.fall.window_s, 0.0), end_s, 100)
        rate_s = answer.fall.rate_pa_s / answer.fall.pressure_pa
        line_pa = answer.fall.pressure_pa * np.exp(rate_s * (at_s - end_s))
        axes.plot(at_s / S_PER_HOUR, line_pa / PA_PER_HPA, "--", color="#c0392b", label="the fall that was found")
    axes.set_xlabel("time from the start of the log, h")
    axes.set_ylabel("pressure, hPa")
    axes.ticklabel_format(useOffset=False)
    axes.set_title(answer.reason, fontsize=9, wrap=True)
    axes.grid(linewidth=0.3)
    axes.legend(loc="best", fontsize=8)
    try:
        figure.savefig(path, dpi=110, metadata={"Software": None} if path.suffix == ".png" else None)
    except (OSError, ValueError) as error:
        raise ControllerError(f"cannot write {path}: {error}", remedy="give a file name that ends in .png") from error
    finally:
        plt.close(figure)
