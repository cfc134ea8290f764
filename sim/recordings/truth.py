"""The truth file of a recording as plain tables: what was really so, for whoever judges an estimator by it.

Which files there are is told by `recording`.
"""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from firmware_bridge.site.survey import Node
from firmware_bridge.units import Quantity, s_to_ns
from sim.plant.opened_plant import OpenedPlant
from sim.recordings.span import Span
from sim.scenario.scenario import ScenarioTable
from sim.truth import TrueLeak, true_leaks
from sim.whole_files import RECORDING
from sim.world.air import Air

FORMAT = 1


def world_truth(plant: OpenedPlant, span: Span, *, small: bool) -> dict[str, Any]:
    """What the whole recording has in common."""
    scenario = plant.scenario
    return {
        "kind": RECORDING,
        "format": FORMAT,
        "scenario": scenario.name,
        "title": scenario.title,
        "site": plant.site.name,
        "seed": plant.seed,
        "small": small,
        "duration_s": scenario.duration_s,
        "span": {"from_s": span.from_s, "for_s": span.for_s, "every_s": span.every_s},
        "air": _air(scenario),
        "leaks": [_leak(leak, plant) for leak in true_leaks(scenario)],
    }


def node_truth(plant: OpenedPlant, node: Node, recordings: list[dict[str, Any]]) -> dict[str, Any]:
    """One node with fast channels."""
    station = plant.stations[node.name]
    gains = plant.true_gain(node.name)
    channels = [
        {
            "channel": row,
            "sensor": sensor.name,
            "quantity": sensor.quantity.name.lower(),
            "unit": sensor.quantity.unit,
            "scale": plant.scale_of(node.name, sensor.quantity),
            "true_gain": gains[sensor.name],
            "surveyed_position_m": sensor.position_m,
            "true_position_m": plant.true_position_m(node, sensor),
        }
        for row, sensor in enumerate(plant.fast_sensors(node))
    ]
    microphones = node.of_quantity(Quantity.ULTRASOUND)
    arrays = plant.scenario.arrays if microphones else plant.scenario.contacts
    return {
        "name": node.name,
        "compartment": node.compartment,
        "trigger_line": node.trigger_line,
        "trigger_jitter_ns": arrays.trigger_jitter_ns if node.trigger_line is not None else 0.0,
        "rate_hz": station.rate_hz,
        "clock": {"at_zero_ns": station.clock.node_ns(0), "drift": station.drift},
        "channels": channels,
        "recordings": recordings,
    }


def recorded(
    plant: OpenedPlant,
    node: str,
    file: Path,
    start_s: float,
    samples: int,
    *,
    saturated: bool,
    index: int | None = None,
) -> dict[str, Any]:
    """One burst or piece in a file; `index` is that of a burst in an NPZ file."""
    start_ns = s_to_ns(start_s)
    told = {} if index is None else {"index": index}
    return {
        "file": file.name,
        **told,
        "start_s": start_s,
        "node_clock_ns": plant.stations[node].clock.node_ns(start_ns),
        "rate_error": plant.rate_error(node, start_s),
        "samples": samples,
        "saturated": saturated,
    }


def _air(scenario: ScenarioTable) -> dict[str, float]:
    given = scenario.air
    air = Air(given.temperature_k, given.pressure_pa, given.relative_humidity)
    moist = air.moist_speed_ratio if scenario.acoustics.humid_speed else 1.0
    return {**asdict(air), "sound_speed_m_s": air.sound_speed_m_s * moist}


def _leak(leak: TrueLeak, plant: OpenedPlant) -> dict[str, Any]:
    """One leak fully open; `drawn_level_db` has the draw of the scenario's `level_spread_db`. Silent ones have null."""
    air = plant.scenario.air
    drawn = next(drawn.leak for drawn in plant.leaks if drawn.name == leak.name)
    told = asdict(leak)
    told.pop("opening")
    told["drawn_level_db"] = drawn.inward_level_db(air.pressure_pa, air.temperature_k)
    finite = {key: None if isinstance(value, float) and math.isinf(value) else value for key, value in told.items()}
    return {**finite, "open_s": leak.opening.open_intervals, "changes": [asdict(c) for c in leak.opening.changes]}
