"""Recordings for offline work: counts of the fast channels, slow readings and the truth, in one folder.

The folder holds
* `NODE.wav` (one piece) or `NODE-0000.wav`, `NODE-0001.wav`, ... (bursts): 16-bit counts as the node would send them,
  one channel a sensor at the node's nominal rate; or `NODE.npz` with `counts` (bursts, channels, samples), `start_s`
  (bursts,), `present` (bursts,), `scale` (channels,) in SI units a count, `rate_hz`, `positions_m` (channels, 3) as
  surveyed, NaN where the survey says nothing.
* `slow.csv`: `time_s,node,sensor,quantity,value,unit`, one reading a second, SI, without the site's calibration.
* `site.toml` and `scenario.toml`: the files that were used, byte for byte.
* `truth.json`: leaks, air, true microphone positions, true sensitivities, clocks, and of every burst or piece
  `start_s` (true scenario time of the first sample), `node_clock_ns` (the node's clock at that time) and `rate_error`
  (how fast that clock and so the sampling runs: sample k was taken at start_s + k / (rate_hz (1 + rate_error)); in one
  piece, `rate_changes` lists [sample, rate_error] where it moves). A burst of a node on a trigger line begins that
  much later or earlier as `trigger_jitter_ns` (standard deviation) lets it.

All times are scenario seconds. Where a node is off or hangs, a piece holds zeros (`gaps_s`) and a burst is missing.
Waveform faults that look back (a slow or stuck sensor) look back to the start of their burst, in one piece to that
of the 32,768 samples that they are in.
"""

import csv
import json
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware_bridge.site.survey import Site
from firmware_bridge.units import ns_to_s, s_to_ns
from sim.plant.opened_plant import OpenedPlant, plugged_fast_nodes
from sim.recordings.node_recorder import BurstRecorder, NodeRecorder, PieceRecorder
from sim.recordings.span import SLOW_PERIOD_S, Format, Sizes, Span, sizes
from sim.recordings.truth import node_truth, world_truth
from sim.scenario.scenario import ScenarioTable
from sim.whole_files import TRUTH

SLOW = "slow.csv"
SLOW_COLUMNS = ("time_s", "node", "sensor", "quantity", "value", "unit")


@dataclass(frozen=True, slots=True)
class Sources:
    """What is rendered, and the files that it was read from."""

    scenario: ScenarioTable
    site: Site
    scenario_file: Path
    site_file: Path
    seed: int
    small: bool


class Recording:
    """One recording to be: how large it is, then the files."""

    def __init__(self, sources: Sources, span: Span, layout: Format) -> None:
        """Build the world.

        Raises:
            RecordingError: what is asked for cannot be put into files of that format.
        """
        self._sources, self._span, self._layout = sources, span, layout
        self._plant = OpenedPlant(sources.scenario, sources.site, sources.seed)
        self.nodes = plugged_fast_nodes(sources.scenario, sources.site)
        slow = [s for node in sources.site.nodes if node.name in sources.scenario.links for s in node.sensors]
        self.sizes: Sizes = sizes(
            span,
            layout,
            [(n, len(self._plant.fast_sensors(n)), self._plant.stations[n.name].rate_hz) for n in self.nodes],
            sum(not sensor.quantity.in_bursts for sensor in slow),
        )

    def write(self, folder: Path, on_progress: Callable[[float], None] = lambda _at_s: None) -> list[Path]:
        """Write everything into `folder`, which is empty; returns the files, the truth last.

        `on_progress` gets the scenario time, once a scenario second.
        """
        sources = self._sources
        files = [folder / "scenario.toml", folder / "site.toml"]
        files[0].write_bytes(sources.scenario_file.read_bytes())
        files[1].write_bytes(sources.site_file.read_bytes())
        with ExitStack() as stack:
            recorders: list[NodeRecorder] = []
            for node in self.nodes:
                kind: type[NodeRecorder] = PieceRecorder if self._span.every_s is None else BurstRecorder
                recorder = kind(self._plant, node, self._span, self._layout, folder)
                stack.callback(recorder.close)
                recorders.append(recorder)
            slow = stack.enter_context(self._slow(folder / SLOW))
            self._play(recorders, slow, on_progress)
            for recorder in recorders:
                recorder.finish()
        files += [path for recorder in recorders for path in recorder.files] + [folder / SLOW]
        self._write_truth(folder / TRUTH, files, recorders)
        return [*files, folder / TRUTH]

    def _play(
        self, recorders: list[NodeRecorder], slow: Callable[[int], None], on_progress: Callable[[float], None]
    ) -> None:
        """Second by second from 0 on, whatever is asked for: so that the weather does not depend on the question."""
        second = 0
        while second <= self._span.until_s or not all(recorder.done for recorder in recorders):
            now_ns = s_to_ns(second)
            self._plant.step(now_ns)
            if second <= self._span.until_s:
                slow(now_ns)
            for recorder in recorders:
                recorder.record(second, second + SLOW_PERIOD_S)
            second += SLOW_PERIOD_S
            on_progress(min(second, self._span.until_s))

    @contextmanager
    def _slow(self, path: Path) -> Iterator[Callable[[int], None]]:
        """Readings are taken from 0 on, since sensors lag and stick, and written within the span."""
        first_ns = s_to_ns(math.ceil(self._span.from_s))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(SLOW_COLUMNS)

            def read(now_ns: int) -> None:
                for reading in self._plant.slow_readings(now_ns):
                    if now_ns >= first_ns and reading.node in self._sources.scenario.links:
                        writer.writerow(reading.row(ns_to_s(now_ns)))

            yield read

    def _write_truth(self, path: Path, files: list[Path], recorders: list[NodeRecorder]) -> None:
        truth: dict[str, Any] = world_truth(self._plant, self._span, small=self._sources.small)
        truth["nodes"] = [
            node_truth(self._plant, recorder.node, recorder.recordings) | recorder.lost for recorder in recorders
        ]
        truth["files"] = [*(file.name for file in files), path.name]
        path.write_text(json.dumps(truth, indent=1, allow_nan=False) + "\n", encoding="utf-8")
