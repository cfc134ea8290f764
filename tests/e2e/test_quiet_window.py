"""Pressure falls, racks drown the leak, the controller takes their power: the fix follows, and the racks run again."""

import json
from typing import Any

from sim.run_record import RunRecord
from sim.subject import find_subject
from sim.trial import TrialSettings, run_trial
from tests.support.shipped import shipped

WIDE_MM = 1.5  # so that pressure tells it in minutes; the shipped leak takes half a day
QUIETER = 10.0**-1.8  # of the usual efficiency: at 46 dB it is as loud as the shipped one, and drowned as well
DURATION_S = 400.0


def run() -> tuple[RunRecord, list[dict[str, Any]]]:
    scenario, site = shipped("destiny-hose-2004")
    leaks = tuple(
        leak.model_copy(update={"diameter_mm": WIDE_MM, "efficiency": leak.efficiency * QUIETER})
        for leak in scenario.leaks
    )
    said: list[dict[str, Any]] = []

    def hear(at_s: float, line: bytes) -> None:
        said.append({"heard_s": at_s, **json.loads(line)})

    loud = scenario.model_copy(update={"leaks": leaks, "duration_s": DURATION_S})
    return run_trial(loud, site, find_subject(), TrialSettings(scenario.seed, on_line=hear)), said


def test_the_fix_follows_the_quiet_window() -> None:
    record, said = run()
    kinds = [line["kind"] for line in said]
    asked, over = kinds.index("quiet_window"), kinds.index("quiet_over")
    fixes = [at for at, kind in enumerate(kinds) if kind == "fix"]
    assert fixes, "nothing was located"
    assert asked < fixes[0] < over  # the racks drown it before; afterwards the fix only stands
    assert "detection" not in kinds  # it never rose above the floor that was learned with the racks on
    assert said[over]["found"]
    assert "hose of the window" in said[over]["told"]
    switched = [line["command"] for line in said if line["kind"] == "command" and line["node"] == "R1"]
    assert switched == ["switch 0 on", "switch 0 off", "switch 0 on"]
    assert record.score.error_m is not None
    assert record.score.error_m < 0.30  # the scenario's own bound, behind racks
    assert record.score.highest_class == "warning"
    assert kinds[over:].count("leak_gone") == 0  # the machines that run again take nothing back
