"""What a recording is asked to hold: when, how long, in bursts or in one piece, and how large it becomes.

Defaults come from the scenario; nothing is rendered here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from firmware_bridge.site.survey import Node
from firmware_bridge.units import s_to_ns
from sim.errors import RecordingError
from sim.recordings.wave_files import BYTES_A_COUNT, MOST_WAV_BYTES
from sim.scenario.scenario import ScenarioTable
from sim.truth import true_leaks
from sim.whole_files import told_bytes

Format = Literal["wav", "npz"]

BURST_SAMPLES = 16_384  # 85 ms at 192 kHz: what controllers ask for
MOST_BURST_SAMPLES = 65_536  # that a node can hold
BURSTS_FOR_S, PIECE_FOR_S, EVERY_S = 60.0, 10.0, 1.0
MOST_BURSTS = 100_000  # files a node: beyond that folders become slow; NPZ holds them in one
SLOW_PERIOD_S = 1  # of slow.csv, as controllers ask for
SLOW_ROW_BYTES = 64  # at most, about


@dataclass(frozen=True, slots=True)
class Span:
    """When is recorded, in scenario seconds.

    Args:
        from_s: first moment.
        for_s: length.
        every_s: from the start of one burst to the next; None for one piece.
        samples: of a burst.
    """

    from_s: float
    for_s: float
    every_s: float | None
    samples: int

    @property
    def until_s(self) -> float:
        """The end."""
        return self.from_s + self.for_s

    @property
    def burst_starts_ns(self) -> list[int]:
        """True times at which bursts begin; none of one piece."""
        if self.every_s is None:
            return []
        count = max(math.ceil(self.for_s / self.every_s - 1e-9), 1)
        return [s_to_ns(self.from_s + index * self.every_s) for index in range(count)]

    def samples_a_node(self, rate_hz: float) -> int:
        """Samples of every channel in all."""
        if self.every_s is None:
            return max(round(self.for_s * rate_hz), 1)
        return len(self.burst_starts_ns) * self.samples


def span_of(
    scenario: ScenarioTable,
    *,
    from_s: float | None = None,
    for_s: float | None = None,
    every_s: float | None = None,
    samples: int = BURST_SAMPLES,
) -> Span:
    """The span that is asked for; what is not said is chosen.

    Without any time: a burst every second for a minute from the first leak's opening on, from 0 s where none opens.
    With a beginning or a length but without `every_s`: one piece, 10 s long where no length is given.

    Raises:
        RecordingError: it does not lie in the scenario.
    """
    if not all(math.isfinite(asked_s) for asked_s in (from_s, for_s, every_s) if asked_s is not None):
        raise RecordingError("nan is no time", remedy="give --from, --for and --every in seconds")
    end_s = scenario.duration_s
    if from_s is None and for_s is None and every_s is None:
        every_s = EVERY_S
    if from_s is None:
        opened_s = [start_s for leak in true_leaks(scenario) for start_s, _ in leak.opening.open_intervals]
        from_s = min((at_s for at_s in opened_s if at_s < end_s), default=0.0)
    if for_s is None:
        for_s = min(PIECE_FOR_S if every_s is None else BURSTS_FOR_S, end_s - from_s)
    if from_s >= end_s or from_s + for_s > end_s:
        raise RecordingError(
            f"from {from_s:g} s for {for_s:g} s is not within the scenario's {end_s:g} s",
            remedy="begin earlier with --from or shorten it with --for",
        )
    return Span(from_s, for_s, every_s, samples)


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a recording takes.

    Args:
        nodes: how many are recorded.
        files: how many files of counts.
        largest_bytes: of one file of counts.
        total_bytes: of everything.
    """

    nodes: int
    files: int
    largest_bytes: int
    total_bytes: int


def sizes(span: Span, layout: Format, nodes: Sequence[tuple[Node, int, float]], slow_sensors: int) -> Sizes:
    """Sizes of a recording of `nodes`: (node, channels, rate in Hz).

    Raises:
        RecordingError: bursts that overlap, too many of them, or a WAV file beyond 4 GB.
    """
    total = largest = files = 0
    bursts = len(span.burst_starts_ns)
    apart = bursts if layout == "wav" and bursts else 1
    if layout == "wav" and bursts > MOST_BURSTS:
        raise RecordingError(f"{bursts} bursts are more than {MOST_BURSTS} files a node", remedy="use --format npz")
    for node, channels, rate_hz in nodes:
        if span.every_s is not None and span.every_s < span.samples / rate_hz:
            raise RecordingError(
                f"bursts of {span.samples / rate_hz:.3g} s every {span.every_s:g} s overlap",
                remedy="leave out --every for one continuous piece, or raise it",
            )
        node_bytes = span.samples_a_node(rate_hz) * channels * BYTES_A_COUNT
        if layout == "wav" and node_bytes // apart > MOST_WAV_BYTES:
            raise RecordingError(
                f"the WAV file of node {node.name} would have {told_bytes(node_bytes)}, more than the 4 GB that WAV "
                "can hold",
                remedy="shorten it with --for, record bursts with --every, or use --format npz",
            )
        total, files = total + node_bytes, files + apart
        largest = max(largest, node_bytes // apart)
    total += slow_sensors * (int(span.for_s / SLOW_PERIOD_S) + 1) * SLOW_ROW_BYTES
    return Sizes(len(nodes), files, largest, total)
