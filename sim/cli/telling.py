"""How a finished run is told: its files, and its summary as text or as one JSON line."""

import asyncio
import json
import os
import traceback
from dataclasses import asdict
from pathlib import Path

import click

import sim
from sim.cli.common import say
from sim.errors import SubjectError
from sim.report.files import write_report
from sim.report.summary import summary_lines
from sim.run_record import RunRecord

OURS = tuple(str(Path(str(module.__file__)).parent) for module in (sim, asyncio))
MOST_FRAMES = 12  # of a controller that calls itself too deep


def tell_own_frames(error: SubjectError) -> None:
    """Where in the controller's own files it broke, as Python tells it, on standard error; nothing if it did not."""
    cause = error.__cause__
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    if cause is None:
        return
    frames = [one for one in traceback.extract_tb(cause.__traceback__) if not one.filename.startswith((*OURS, "<"))]
    if frames:
        click.echo("".join(traceback.format_list(frames[-MOST_FRAMES:])).rstrip(), err=True)


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
