"""The table of peers: how often each finds a leak that `leaksim render` recorded, and in what time on one core."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.peers import arrivals, beamforming, bearings, least_squares, textbook
from benchmarks.peers.asked import Asked, Floats, missing
from benchmarks.peers.ours import Ours, located
from benchmarks.peers.rendered_box import RATE_HZ, SAMPLES, SIZE_M, Condition, Scene, scene
from firmware_bridge.site.box import BoxHull

CASES = 12
NEAR_M, AT_M = 0.10, 0.02
CONDITIONS = (
    Condition("+10 dB", 10.0),
    Condition("0 dB", 0.0),
    Condition("-10 dB", -10.0),
    Condition("-15 dB", -15.0),
    Condition("-20 dB, ten bursts", -20.0, bursts=10),
    Condition("0 dB, valve 8 dB louder, baseline", 0.0, quiet=4, valve_db=8.0),
    Condition("0 dB, valve 20 dB louder, baseline", 0.0, quiet=8, valve_db=20.0),
)
TIMED = "0 dB"  # one burst: what every row is timed on
TEXTBOOK = "textbook SRP (5 cm grid) + least squares"
OURS, COMMAND = "ours, survey as in the site file", "ours, `leakctl locate`, survey untold"
PEERS = (least_squares, arrivals, bearings, beamforming)
EVERY = {bearings.NAME: 2, beamforming.NAME: 2}  # seconds a fix: asked for every second box only

Method = Callable[[Asked], Floats]


@dataclass(slots=True)
class Result:
    """What one method did: errors (m) by condition, NaN or infinite where it gave no place; seconds where timed."""

    name: str
    skipped: str | None = None
    errors_m: dict[str, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def add(self, condition: str, error_m: float, seconds: float) -> None:
        """One case."""
        self.errors_m.setdefault(condition, []).append(error_m)
        if condition == TIMED:
            self.seconds.append(seconds)

    def shares(self, condition: str) -> str:
        """Of boxes within 10 cm and within 2 cm, and how many there were."""
        if condition not in self.errors_m:
            return "-"
        errors = np.array(self.errors_m[condition])
        return f"{np.mean(errors < NEAR_M):.2f} / {np.mean(errors < AT_M):.2f} ({len(errors)})"

    def wrong(self) -> str:
        """How many answers were off by more than 10 cm, and how often there was none."""
        errors = np.array([error for column in self.errors_m.values() for error in column])
        return f"{int(np.sum(errors > NEAR_M))} / {int(np.sum(np.isnan(errors)))}"


def run(cases: int) -> Iterator[list[Result]]:
    """The rows, again after each condition, as it may take minutes."""
    methods: dict[str, Method] = {}
    rows: list[Result] = []
    for peer in PEERS:
        why = missing(peer.PACKAGE)
        rows.append(Result(peer.NAME, why))
        if why is None:
            methods[peer.NAME] = peer.fix
    methods[TEXTBOOK] = _textbook
    rows += [Result(TEXTBOOK), Result(COMMAND), Result(OURS)]
    known = {row.name: row for row in rows}
    warm = True
    for condition in CONDITIONS:
        for seed in range(cases):
            with TemporaryDirectory() as folder:
                one = scene(condition, seed, Path(folder))
                asked = _asked(one)
                ours = Ours(one)
                if warm:  # imports and caches are no part of anybody's time
                    warm = False
                    for method in methods.values():
                        method(asked)
                    ours.fix()
                    located(one)
                for name, method in methods.items():
                    if seed % EVERY.get(name, 1):
                        continue
                    known[name].add(condition.name, *_tried(lambda m=method, a=asked: m(a), one.leak_m))  # type: ignore[misc]
                known[OURS].add(condition.name, *_tried(ours.fix, one.leak_m))
                known[COMMAND].add(condition.name, *_tried(lambda s=one: located(s), one.leak_m))  # type: ignore[misc]
        yield rows


def _tried(method: Callable[[], Floats], leak_m: Floats) -> tuple[float, float]:
    """Error (m) and seconds of the processor, which a busy machine does not change."""
    began = time.process_time()
    place = method()
    seconds = time.process_time() - began
    return float(np.linalg.norm(place - leak_m)), seconds


def _asked(one: Scene) -> Asked:
    nodes = tuple(node for node in "ABCD" for _ in range(4))
    signals = np.concatenate(list(one.signals), axis=1)
    return Asked(signals, RATE_HZ, one.microphones_m, nodes, BoxHull(SIZE_M), one.sound_speed_m_s, SAMPLES)


def _textbook(asked: Asked) -> Floats:
    return textbook.textbook_fix(asked.signals, asked.rate_hz, asked.microphones_m, asked.hull, asked.speed_m_s)


def table(rows: list[Result]) -> str:
    """Markdown."""
    against = median(next(row for row in rows if row.name == TEXTBOOK).seconds or [float("nan")])
    heads = [condition.name for condition in CONDITIONS]
    lines = [
        f"| within 10 cm / 2 cm (boxes) | {' | '.join(heads)} | wrong / none | ms | of the textbook's time |",
        "| --- |" + " --- |" * len(heads) + " ---: | ---: | ---: |",
    ]
    for row in rows:
        if row.skipped is not None:
            lines.append(f"| {row.name} | skipped: {row.skipped} |" + " |" * (len(heads) + 2))
            continue
        spent = median(row.seconds) if row.seconds else float("nan")
        shares = " | ".join(row.shares(head) for head in heads)
        lines.append(f"| {row.name} | {shares} | {row.wrong()} | {1e3 * spent:.0f} | {spent / against:.2f} |")
    return "\n".join(lines)
