"""Ours, asked like the peers: as the controller does, which has a site file, and as `leakctl locate` does."""

import json

import numpy as np
from click.testing import CliRunner

from benchmarks.peers.asked import Floats
from benchmarks.peers.rendered_box import SAMPLES, Scene
from controller.cli.main import main as leakctl
from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.verdict import Fix
from controller.measure.captures import Capture
from controller.recordings.captures import captures_of
from controller.recordings.recording import cut
from controller.recordings.rendered import read_rendered

NOWHERE = np.full(3, np.nan)
FIXED, NO_FIX = 0, 3


class Ours:
    """One scene, ready to be located again and again, as a controller has it: captures in memory, hull known."""

    def __init__(self, scene: Scene) -> None:
        """Read what was rendered."""
        self._locator = Locator(scene.site, "box", Settings())
        self._now = _captures(scene, 0, quiet=False)
        self._quiet = _captures(scene, 1000, quiet=True)
        self._temperature_k = scene.temperature_k
        self._generation = 0

    def fix(self) -> Floats:
        """Position (3,), NaN where there is no fix; nothing is remembered of the last time."""
        self._generation += 1
        # Equal but other captures, so that the baseline is learned anew as well.
        quiet = tuple(Capture(one.burst_id, one.blocks) for one in self._quiet)
        verdict = self._locator.locate(LocateJob(self._now, quiet, self._temperature_k, self._generation))
        return np.array(verdict.position_m) if isinstance(verdict, Fix) else NOWHERE


def located(scene: Scene) -> Floats:
    """What `leakctl locate FOLDER --json` says, files and all: position (3,), NaN where there is no fix."""
    baseline = [] if scene.quiet_folder is None else ["--baseline", str(scene.quiet_folder)]
    told = CliRunner().invoke(leakctl, ["locate", str(scene.folder), *baseline, "--json"], catch_exceptions=False)
    if told.exit_code not in {FIXED, NO_FIX}:
        raise RuntimeError(f"leakctl locate: exit status {told.exit_code}: {told.output}")
    answer = json.loads(told.stdout)
    return np.array(answer["leaks"][0]["position_m"]) if told.exit_code == FIXED else NOWHERE


def _captures(scene: Scene, first_id: int, *, quiet: bool) -> tuple[Capture, ...]:
    folder = scene.quiet_folder if quiet else scene.folder
    if folder is None:
        return ()
    heard = read_rendered(folder)
    assert heard.sensors is not None
    pieces = cut(heard, SAMPLES, 64)
    return captures_of(scene.site, heard.sensors, pieces, first_id=first_id, one_clock=True, rate_sigma=0.0)
