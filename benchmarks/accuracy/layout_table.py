"""How often a leak in a box is found by microphones laid out in other ways than four nodes of four.

Recordings are image sources of `tests/support/box_room.py`. Memory is the peak of a process of its own that holds one
layout's search. Run with: python -m benchmarks.accuracy.layout_table [cases]
"""

import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.verdict import Fix
from controller.measure.captures import Capture
from firmware_bridge.site.survey import Site
from tests.support.box_room import SIZE_M, SPEED_M_S, heard
from tests.support.hearing import wave_block
from tests.support.sites import parsed

CASES = 12
SAMPLES = 16_384
SNRS_DB = (10.0, 0.0, -10.0)
RIGHT_M = 0.10
TEMPERATURE_K = 273.15 * (SPEED_M_S / 331.3) ** 2

Floats = NDArray[np.float64]

TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
SHAPES = {1: np.zeros((1, 3)), 2: np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]), 4: TETRAHEDRON}


@dataclass(frozen=True)
class Layout:
    """So many nodes of so many microphones each; `radius_m` is a node's size, `spread` puts each on a wall alone."""

    name: str
    nodes: int
    each: int
    radius_m: float = 0.06
    spread: bool = False


LAYOUTS = (
    Layout("4 nodes of 4", 4, 4),
    Layout("2 nodes of 4", 2, 4),
    Layout("8 nodes of 2, 12 cm apart", 8, 2),
    Layout("4 nodes of 4, 30 cm wide", 4, 4, 0.15),
    Layout("8 single ones", 8, 1),
    Layout("16 single ones", 16, 1),
    Layout("one converter, 8 on the walls", 1, 8, spread=True),
    Layout("one converter, 16 on the walls", 1, 16, spread=True),
    Layout("16 nodes of 4", 16, 4),
)


def main(cases: int) -> None:
    """Print the table."""
    columns = [f"{snr_db:+.0f} dB: right / none / wrong" for snr_db in SNRS_DB]
    print(f"| layout | {' | '.join(columns)} | s of processor a fix | MB more than Python |")
    print(f"| --- |{' --- |' * len(SNRS_DB)} ---: | ---: |")
    for layout in LAYOUTS:
        with get_context("spawn").Pool(1) as alone:
            cells, seconds, megabytes = alone.apply(_layout, (layout, cases))
        print(f"| {layout.name} | {' | '.join(cells)} | {seconds:.2f} | {megabytes:.0f} |", flush=True)


def _layout(layout: Layout, cases: int) -> tuple[list[str], float, float]:
    cells, seconds, before_mb = [], [], _peak_mb()
    for snr_db in SNRS_DB:
        tally = [0, 0, 0]
        for case in range(cases):
            random = np.random.default_rng([31, case])
            leak = _on_the_wall(random)
            places = _microphones(layout, random)
            sound = heard(random, leak, places, samples=SAMPLES)
            sound += np.sqrt(np.mean(sound**2) / 10 ** (snr_db / 10)) * random.standard_normal(sound.shape)
            site = _site(layout, places)
            began = time.process_time()
            told = Locator(site, "box", Settings()).locate(LocateJob((_capture(site, sound),), (), TEMPERATURE_K))
            seconds.append(time.process_time() - began)
            if not isinstance(told, Fix):
                tally[1] += 1
            else:
                tally[0 if np.linalg.norm(np.subtract(told.position_m, leak)) <= RIGHT_M else 2] += 1
        cells.append(" / ".join(map(str, tally)))
    return cells, float(np.median(seconds)), _peak_mb() - before_mb


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB


def _on_the_wall(random: np.random.Generator) -> Floats:
    place = random.uniform(0.05, SIZE_M - 0.05)
    axis = int(random.integers(3))
    place[axis] = SIZE_M[axis] * random.integers(2)
    return np.asarray(place)


def _microphones(layout: Layout, random: np.random.Generator) -> Floats:
    """Places (nodes x each, 3), at least 5 cm inside."""
    if layout.spread:
        return np.clip([_on_the_wall(random) for _ in range(layout.each)], 0.05, SIZE_M - 0.05)
    places = []
    for _ in range(layout.nodes):
        middle = np.clip(_on_the_wall(random), 0.25, SIZE_M - 0.25)
        turned = np.linalg.qr(random.standard_normal((3, 3)))[0].T
        places.append(middle + layout.radius_m * (SHAPES[layout.each] @ turned))
    return np.vstack(places)


def _site(layout: Layout, places: Floats) -> Site:
    nodes = [
        {
            "name": f"N{row}",
            "uid": f"{row + 1:x}",
            "compartment": "box",
            "trigger_line": "wire",
            "sensors": [
                {"name": f"N{row}m{k}", "quantity": "ultrasound", "channel": k, "position_m": [float(v) for v in place]}
                for k, place in enumerate(places[layout.each * row : layout.each * (row + 1)])
            ],
        }
        for row in range(layout.nodes)
    ]
    room = {"name": "box", "volume_m3": 10.0, "hull": {"shape": "box", "size_m": [float(v) for v in SIZE_M]}}
    survey = {"microphone_sigma_m": 0.001, "hull_sigma_m": 0.002}
    return parsed({"format": 1, "name": "box", "survey": survey, "compartments": [room], "nodes": nodes})


def _capture(site: Site, sound: Floats) -> Capture:
    blocks, row = {}, 0
    for node in site.nodes:
        names: Sequence[str] = [sensor.name for sensor in node.sensors]
        blocks[node.name] = wave_block(node.name, tuple(names), sound[row : row + len(names)])
        row += len(names)
    return Capture(1, blocks)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CASES)
