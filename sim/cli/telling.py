"""How a finished run is told: its files, and its summary as text or as one JSON line."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from sim.cli.common import say
from sim.report.files import write_report
from sim.report.summary import summary_lines
from sim.run_record import RunRecord


def tell_record(record: RunRecord, folder: Path, *, as_json: bool) -> None:
    """Write the report into `folder` and print the summary."""
    files = write_report(record, folder)
    if as_json:
        say(json.dumps({"kind": "summary", "seed": record.seed, "out": str(folder), **asdict(record.score)}))
        return
    title = record.scenario.title or record.scenario.name
    say(f"\n{title}, seed {record.seed}: {'success' if record.score.success else 'FAILED'}")
    say("\n".join(summary_lines(record)))
    say("written: " + ", ".join(os.path.relpath(path) for path in files))
