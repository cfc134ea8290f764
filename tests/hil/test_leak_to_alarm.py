"""Hardware in the loop: the simulator's physics through the firmware image to the controller, and what it decides."""

import json
from functools import cache
from typing import Any

import pytest

from sim.run_record import RunRecord
from sim.subject import find_subject
from sim.trial import TrialSettings, run_trial
from tests.support.firmware import built
from tests.support.shipped import shipped

SCENARIO = "bench-box"  # two array nodes and a barometer about a small box; its leak opens after a minute
WATCHED_S = 25.0  # after that


@cache
def run(nodes: str) -> tuple[RunRecord, list[dict[str, Any]]]:
    """The scenario until its leak was open for a while; and every line of the controller, without UTC."""
    scenario, site = shipped(SCENARIO)
    lines: list[dict[str, Any]] = []

    def hear(_at_s: float, line: bytes) -> None:
        said = json.loads(line)
        del said["utc"]
        lines.append(said)

    table = scenario.model_copy(update={"duration_s": scenario.leaks[0].opens_at_s + WATCHED_S})
    settings = TrialSettings(scenario.seed, nodes=nodes, on_line=hear)
    return run_trial(table, site, find_subject(), settings), lines


NODES = pytest.mark.parametrize("nodes", ["native", pytest.param("qemu", marks=pytest.mark.qemu)])


@NODES
def test_a_leak_is_alarmed_and_found_through_the_firmware(nodes: str) -> None:
    built(nodes)
    record, lines = run(nodes)
    firmwares = {line["firmware"] for line in lines if line.get("firmware")}
    assert all("reference node" in name for name in firmwares)
    score = record.score
    assert score.false_alarms == 0
    assert score.alarmed_s is not None
    assert score.alarmed_s < 15.0
    assert score.siren_s is not None
    assert score.error_m is not None
    assert score.error_m < 0.10
    assert score.inside_95


@pytest.mark.qemu
def test_both_machines_lead_to_the_same_decisions_to_the_bit() -> None:
    """The process and the Cortex-M3 run the same core on the same physics: not one byte of what is decided differs."""
    built("native")
    built("qemu")
    assert run("qemu")[1] == run("native")[1]


def test_the_twin_and_the_firmware_lead_to_the_same_alarms() -> None:
    built("native")
    found = [_alarms(run(nodes)[1]) for nodes in ("python", "native")]
    assert found[0] == found[1]
    assert found[0]


def _alarms(lines: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    alarms = [line for line in lines if line["kind"] == "alarm" and line["cause"] != "new evidence"]
    return [(line["key"], line["alarm_class"], line["state"]) for line in alarms]
