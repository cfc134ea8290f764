"""The firmware with everything that a simulated node can suffer: it comes back, and the controller says what it was."""

import json
from typing import Any

import pytest

from sim.scenario.faults import FaultTable
from sim.subject import find_subject
from sim.trial import TrialSettings, run_trial
from tests.support.firmware import built
from tests.support.shipped import shipped

DURATION_S = 100.0


def fault(node: str, kind: str, from_s: float, until_s: float, **more: object) -> FaultTable:
    told = {"target": {"node": node}, "kind": kind, "from_s": from_s, "until_s": until_s, **more}
    return FaultTable.model_validate(told)


FAULTS = (
    fault("L", "off", 8.0, 30.0),
    fault("R", "stuck", 8.0, 30.0),
    fault("P", "wrong", 10.0, 40.0, version=2),
    fault("P", "wrong", 65.0, 75.0, step_s=-3.0),
    fault("S", "garbage", 10.0, 20.0, mean_s=3.0),
    fault("S", "slow", 40.0, 60.0, delay_s=0.2),
    fault("L", "delayed", 60.0, 70.0, delay_s=0.3),
)


@pytest.mark.parametrize(
    "nodes", ["python", "native", pytest.param("qemu", marks=[pytest.mark.qemu, pytest.mark.slow])]
)
def test_every_node_comes_back_whatever_happened_to_it(nodes: str) -> None:
    if nodes != "python":
        built(nodes)
    scenario, site = shipped("bench-box")
    table = scenario.model_copy(update={"faults": FAULTS, "leaks": (), "duration_s": DURATION_S})
    lines: list[dict[str, Any]] = []
    settings = TrialSettings(3, nodes=nodes, on_line=lambda _at_s, line: lines.append(json.loads(line)))
    record = run_trial(table, site, find_subject(), settings)
    told = [line for line in lines if line["kind"] == "node"]
    states = {name: [line["state"] for line in told if line.get("node") == name] for name in "LRPS"}
    assert {name: found[-1] for name, found in states.items()} == dict.fromkeys("LRPS", "streaming")
    assert "incompatible" in [line["state"] for line in told]
    assert "lost" in states["L"]
    assert "lost" in states["R"]
    assert states["S"].count("streaming") >= 2  # it started anew
    assert record.score.false_alarms == 0
