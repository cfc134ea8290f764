"""From the raw samples of sixteen microphones to a verdict, beside the textbook's way on the same samples."""

from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.measuring import Row, timed
from benchmarks.peers.textbook import textbook_fix
from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.verdict import Fix
from controller.measure.captures import Capture
from firmware_bridge.samples import WaveBlock
from firmware_bridge.site.survey import Site
from sim.node.board import BurstOrder
from sim.plant.plant import Plant, Render
from sim.scenario.scenario import load_scenario

CONFIGS = Path(__file__).parents[2] / "configs"
COMPARTMENT = "orbital-module"
BURST = 16_384
RATE_HZ = 192_000.0
TEMPERATURE_K = 295.15


def rows() -> list[Row]:
    """Rendering, spectra and fix of one capture of 16 microphones."""
    scenario, site = load_scenario(CONFIGS / "scenarios" / "ms09-2018.toml", CONFIGS / "sites")
    plant = Plant(scenario, site, 1)
    quiet, loud = _capture(plant, site, 1, 10.0), _capture(plant, site, 2, 100.0)
    locator = Locator(site, COMPARTMENT, Settings())

    generation = count()

    def ours() -> object:
        return locator.locate(LocateJob((loud,), (quiet,), TEMPERATURE_K, next(generation)))

    signals = np.vstack([block.pressure_pa for block in loud.blocks.values()]).astype(float)
    microphones = np.vstack([site.microphones_m(site.node(node)) for node in loud.blocks])
    hull = site.compartment(COMPARTMENT).hull
    assert hull is not None
    verdict = ours()
    assert isinstance(verdict, Fix), verdict
    return [
        Row("render one capture", timed(lambda: _capture(plant, site, 3, 101.0)), "16 x 16,384 samples, 3 sources"),
        Row("textbook fix", timed(lambda: textbook_fix(signals, RATE_HZ, microphones, hull, 344.4), 3), "120 pairs"),
        Row("our fix", timed(ours), "72 coherent pairs, baseline included", against="textbook fix"),
    ]


def _capture(plant: Plant, site: Site, burst_id: int, start_s: float) -> Capture:
    blocks = {}
    for node in site.nodes:
        if site.microphones_m(node).size == 0:
            continue
        triggered = node.trigger_line is not None
        counts, saturated = plant.render(
            Render(node.name, BurstOrder(burst_id, round(start_s * 1e9), BURST, triggered))
        )
        blocks[node.name] = WaveBlock(
            node=node.name,
            sensors=tuple(sensor.name for sensor in node.sensors),
            burst_id=burst_id,
            start_ns=0,
            start_sigma_ns=0.0,
            rate_hz=RATE_HZ,
            pressure_pa=counts.astype(np.float32),
            triggered=triggered,
            saturated=saturated,
            missing=(),
            nominal_hz=RATE_HZ,
        )
    return Capture(burst_id, blocks)
