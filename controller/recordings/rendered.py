"""Recordings out of folders as the simulator renders them: a file or more a node, and truth.json beside them.

Of the truth only the air's temperature, rates and channels are read: what a controller would be told.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from controller.errors import ControllerError
from controller.recordings.files import read_recording
from controller.recordings.recording import Recording

TRUTH = "truth.json"
CLOCK_SIGMA = 2e-5  # relative; of a crystal that nobody compared with another
MOST_TRUTH_BYTES = 50_000_000


def read_rendered(folder: Path) -> Recording:
    """All microphones of all nodes; bursts by their number. ControllerError says what is wrong."""
    truth = _truth(folder / TRUTH)
    try:
        nodes = [node for node in truth["nodes"] if _microphones(node)]
        if not nodes:
            raise ControllerError(f"{folder} has no node with microphones", remedy="render a scenario that has some")
        temperature_k = float(truth["air"]["temperature_k"])
        bursts = truth["span"]["every_s"] is not None
        starts = sorted({float(one["start_s"]) for node in nodes for one in node["recordings"]}) if bursts else [0.0]
        parts = [_node(folder, node, starts) for node in nodes]
        names = tuple(str(channel["sensor"]) for node in nodes for channel in _microphones(node))
    except (KeyError, TypeError, ValueError) as error:
        raise ControllerError(
            f"{folder / TRUTH} lacks {error}", remedy="bring a folder that leaksim render wrote"
        ) from error
    rates, samples = {part.fs_hz for part in parts}, {part.signals.shape[2] for part in parts}
    if len(rates) > 1 or (bursts and len(samples) > 1):
        raise ControllerError(f"{folder}: nodes recorded at different rates or lengths", remedy="render them alike")
    shortest = min(samples)
    said = f"{folder}: in one piece nodes drift apart, so each is heard by itself; --every joins them"
    return replace(
        parts[0],
        source=str(folder),
        signals=np.concatenate([part.signals[:, :, :shortest] for part in parts], axis=1),
        scale_pa=np.concatenate([part.scale_pa for part in parts]),
        present=np.concatenate([part.present for part in parts], axis=1),
        sensors=names,
        temperature_k=temperature_k,
        one_clock=bursts,
        rate_sigma=CLOCK_SIGMA,
        notes=() if bursts else (said,),
    )


def _truth(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_TRUTH_BYTES:
            raise ControllerError(f"{path} is too large", remedy="bring a folder that leaksim render wrote")
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ControllerError(
            f"{path} cannot be read ({error.strerror})",
            remedy="a folder must be one that leaksim render wrote; else name a .npz or .wav file",
        ) from error
    except ValueError as error:
        raise ControllerError(f"{path} is no JSON ({error})", remedy="render the folder again") from error
    if not isinstance(found, dict):
        raise ControllerError(f"{path} is no table", remedy="render the folder again")
    return found


def _microphones(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [channel for channel in node["channels"] if channel["quantity"] == "ultrasound"]


def _node(folder: Path, node: dict[str, Any], starts: Sequence[float]) -> Recording:
    """One node's microphones (bursts, channels, samples) at the times `starts`; absent where it has no burst."""
    rows = [int(channel["channel"]) for channel in _microphones(node)]
    scale = np.array([float(channel["scale"]) for channel in _microphones(node)], dtype=np.float32)
    told = {float(one["start_s"]): one for one in node["recordings"]}
    stored = {name: read_recording(folder / Path(name).name) for name in {str(one["file"]) for one in told.values()}}
    if not stored:
        raise ControllerError(f"{folder}: node {node['name']} recorded nothing", remedy="render another span")
    first = next(iter(stored.values()))
    if max(rows) >= first.channels:
        raise ControllerError(f"{first.source} has {first.channels} channels only", remedy="render the folder again")
    signals = np.zeros((len(starts), len(rows), first.signals.shape[2]), dtype=first.signals.dtype)
    present = np.zeros(signals.shape[:2], dtype=bool)
    alone = len(starts) == 1 and len(told) == 1  # one piece: nodes' first samples need not share a time
    for row, start_s in enumerate(starts):
        one = next(iter(told.values())) if alone else told.get(start_s)
        if one is None:
            continue
        burst = stored[str(one["file"])].signals[int(one.get("index", 0))]
        signals[row], present[row] = burst[rows, : signals.shape[2]], True
    return replace(first, signals=signals, scale_pa=scale, present=present)
