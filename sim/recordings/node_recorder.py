"""One node's counts on their way into files: bursts, or one piece of any length in bounded memory.

When there is time for it is told by `recording`, where it goes by `wave_files`.
"""

import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.survey import Node
from firmware_bridge.units import ns_to_s, s_to_ns
from sim.plant.opened_plant import OpenedPlant
from sim.recordings.sample_clock import PIECE_SAMPLES, SampleClock
from sim.recordings.span import Format, Span
from sim.recordings.truth import recorded
from sim.recordings.wave_files import CountsFile, NpzFile, WavFile

NS_PER_MS = 1_000_000


class NodeRecorder(ABC):
    """Records one node; `recordings` and `lost` are for the truth, `files` are those that were begun."""

    def __init__(self, plant: OpenedPlant, node: Node, span: Span, layout: Format, folder: Path) -> None:
        """Open the files that are there from the start."""
        self.node, self.files = node, list[Path]()
        self.recordings: list[dict[str, Any]] = []
        self.lost: dict[str, Any] = {}
        self._plant, self._span, self._layout, self._folder = plant, span, layout, folder
        self._rate_hz = plant.stations[node.name].rate_hz
        self._sensors = plant.fast_sensors(node)
        self._npz: NpzFile | None = None
        self._bursts = max(len(span.burst_starts_ns), 1)
        if layout == "npz":
            samples = span.samples_a_node(self._rate_hz) // self._bursts
            self._npz = NpzFile(self._file(f"{node.name}.npz"), self._bursts, len(self._sensors), samples)

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether everything that was asked for is recorded."""

    @abstractmethod
    def record(self, from_s: float, until_s: float) -> None:
        """Record what begins between two times, the plant having been stepped to the first; times in order."""

    @abstractmethod
    def finish(self) -> None:
        """Write what is known at the end only, and close the files."""

    def close(self) -> None:
        """Close what is still open, after a failure."""
        if self._npz is not None:
            self._npz.close()

    def _file(self, name: str) -> Path:
        self.files.append(self._folder / name)
        return self.files[-1]

    def _wav(self, path: Path) -> WavFile:
        return WavFile(path, len(self._sensors), round(self._rate_hz))

    def _finish_npz(self, starts_s: list[float], present: list[bool]) -> None:
        if self._npz is None:
            return
        unknown = (math.nan,) * 3
        self._npz.finish(
            {
                "start_s": np.array(starts_s),
                "present": np.array(present),
                "scale": np.array([self._plant.scale_of(self.node.name, s.quantity) for s in self._sensors]),
                "rate_hz": np.array(self._rate_hz),
                "positions_m": np.array([s.position_m or unknown for s in self._sensors], dtype=np.float64),
            }
        )
        self._npz = None


class BurstRecorder(NodeRecorder):
    """Bursts as the controller would have asked for them, all nodes at the same true time."""

    def __init__(self, plant: OpenedPlant, node: Node, span: Span, layout: Format, folder: Path) -> None:
        """See NodeRecorder."""
        super().__init__(plant, node, span, layout, folder)
        self._starts_ns = span.burst_starts_ns
        self._present: list[bool] = []
        self._digits = max(len(str(self._bursts - 1)), 4)

    @property
    def done(self) -> bool:
        """All bursts have begun."""
        return len(self._present) == self._bursts

    def record(self, from_s: float, until_s: float) -> None:  # noqa: ARG002 - asked as the other
        """Record the bursts that begin in this time."""
        while not self.done and self._starts_ns[len(self._present)] < s_to_ns(until_s):
            index = len(self._present)
            self._present.append(self._record(index, self._starts_ns[index]))

    def finish(self) -> None:
        """Tell which are missing."""
        starts_s = [ns_to_s(start_ns) for start_ns in self._starts_ns]
        self.lost = {"missing_s": [at_s for at_s, there in zip(starts_s, self._present, strict=True) if not there]}
        self._finish_npz(starts_s, self._present)

    def _record(self, index: int, start_ns: int) -> bool:
        start_s, samples, name = ns_to_s(start_ns), self._span.samples, self.node.name
        if self._plant.dark(name, start_s, start_s + samples / self._rate_hz):
            if self._npz is not None:
                self._npz.add(np.zeros((len(self._sensors), samples), dtype=np.int16))
            return False
        triggered = self.node.trigger_line is not None
        # The number is that of its time, so that the noise of a burst does not depend on how many were asked for.
        counts, saturated = self._plant.burst(name, start_ns, samples, start_ns // NS_PER_MS, triggered=triggered)
        if self._npz is not None:
            self._npz.add(counts)
            path, place = self.files[0], index
        else:
            path, place = self._file(f"{name}-{index:0{self._digits}}.wav"), None
            file = self._wav(path)
            try:
                file.add(counts)
            finally:
                file.close()
        told = recorded(self._plant, name, path, start_s, samples, saturated=saturated, index=place)
        self.recordings.append(told)
        return True


class PieceRecorder(NodeRecorder):
    """One piece without gaps, rendered in parts that are the same whatever is asked for."""

    def __init__(self, plant: OpenedPlant, node: Node, span: Span, layout: Format, folder: Path) -> None:
        """See NodeRecorder."""
        super().__init__(plant, node, span, layout, folder)
        self._wanted = span.samples_a_node(self._rate_hz)
        self._written = 0
        self._clock = SampleClock(self._rate_hz, plant.rate_error(node.name, 0.0))
        self._started: dict[str, Any] | None = None
        self._rates: list[list[float]] = []
        self._gaps: list[list[float]] = []
        self._saturated = False
        self._closed = layout == "npz"
        self._counts: CountsFile = self._npz or self._wav(self._file(f"{node.name}.wav"))

    @property
    def done(self) -> bool:
        """It is as long as was asked for."""
        return self._written >= self._wanted

    def record(self, from_s: float, until_s: float) -> None:
        """Record the parts that begin in this time, as far as they lie in the span."""
        self._clock.follow(from_s, self._plant.rate_error(self.node.name, from_s))
        piece = self._clock.piece_from(from_s)
        while not self.done and (start_s := self._clock.start_s(piece)) < until_s:
            end_s = self._clock.start_s(piece + 1)
            if end_s > self._span.from_s:
                self._record(piece, start_s, end_s)
            piece += 1

    def finish(self) -> None:
        """Complete the only entry."""
        if self._started is not None:
            known = {"saturated": self._saturated, "rate_changes": self._rates[1:]}
            self.recordings = [self._started | known]
        self.lost = {"gaps_s": self._gaps}
        start_s = math.nan if self._started is None else float(self._started["start_s"])
        self._finish_npz([start_s], [self._started is not None])
        self.close()

    def close(self) -> None:
        """Close the file, once."""
        super().close()
        if not self._closed:
            self._closed = True
            self._counts.close()

    def _record(self, piece: int, start_s: float, end_s: float) -> None:
        rate_hz = self._clock.rate_hz
        skipped = max(math.ceil((self._span.from_s - start_s) * rate_hz - 1e-6), 0)
        if skipped >= PIECE_SAMPLES:
            return
        name = self.node.name
        counts, saturated = self._plant.burst(name, s_to_ns(start_s), PIECE_SAMPLES, piece, triggered=False)
        for dark_s, light_s in self._plant.dark(name, start_s, end_s):
            counts[:, math.ceil((dark_s - start_s) * rate_hz) : math.ceil((light_s - start_s) * rate_hz)] = 0
            self._lose(max(dark_s, self._span.from_s), light_s)
        kept: NDArray[np.int16] = counts[:, skipped : skipped + self._wanted - self._written]
        if self._started is None:
            first_s = start_s + skipped / rate_hz
            path = self.files[0]
            self._started = recorded(self._plant, name, path, first_s, self._wanted, saturated=False)
        error = self._plant.rate_error(name, start_s)
        if not self._rates or error != self._rates[-1][1]:
            self._rates.append([self._written, error])
        self._counts.add(kept)
        self._saturated |= saturated
        self._written += kept.shape[1]

    def _lose(self, from_s: float, until_s: float) -> None:
        """Note a gap; one that goes on from the last part is one gap."""
        if self._gaps and from_s - self._gaps[-1][1] < 1.0 / self._rate_hz:
            self._gaps[-1][1] = until_s
        elif until_s > from_s:
            self._gaps.append([from_s, until_s])
