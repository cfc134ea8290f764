"""One run of a campaign, as a worker does it: from a job to a row of plain values, whatever goes wrong."""

import time
import traceback
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from sim.campaign.grid import Job, staged
from sim.score import Score
from sim.subject import find_subject
from sim.trial import TrialSettings, run_trial

Row = dict[str, Any]


def work(job: Job) -> Row:
    """Run `job` to its end; a run that could not be finished has its reason in `failure` and no score."""
    row: Row = {
        "key": job.key,
        "scenario": job.scenario,
        "seed": job.seed,
        "small": job.small,
        "controller": job.controller,
        "version": version("leakloc"),
        "failure": "",
        **{f"set:{name}": value for name, value in job.changes},
    }
    began = time.perf_counter()  # how long the machine took; nothing is decided by it
    try:
        scenario, site = staged(job.tables, job.site)
        scenario = scenario.cut_short() if job.small else scenario
        record = run_trial(
            scenario, site, find_subject(job.controller), TrialSettings(job.seed, controller=job.controller)
        )
        row |= {"duration_s": scenario.duration_s, "events": len(record.heard), **flat(record.score)}
    except Exception:  # a row for every run: one that crashes the controller is the most interesting of all
        row["failure"] = traceback.format_exc(limit=-3)
    row["wall_s"] = round(time.perf_counter() - began, 2)
    return row


def flat(score: Score) -> Row:
    """A score as one level of columns; intervals become three."""
    row: Row = {}
    for name, value in asdict(score).items():
        if name in {"hole_mm", "loss_kg_day"}:
            parts = value if value is not None else (None, None, None)
            row |= {f"{name}{end}": part for end, part in zip(("", "_low", "_high"), parts, strict=True)}
        elif name in {"wrong", "found", "ignored"}:
            row[name] = "; ".join(value)
        elif name == "leaks":  # as many as a scenario has: `found` tells which; a row has one width
            row["leak_count"] = len(value)
        else:
            row[name] = value
    return row
