"""The files of a report: picture, page and summary, each whole or not at all."""

import json
from dataclasses import asdict
from pathlib import Path

from sim.report.page import page
from sim.report.picture import draw
from sim.run_record import RunRecord
from sim.whole_files import write_whole


def write_report(record: RunRecord, out: Path) -> list[Path]:
    """Write picture, page and summary into the folder `out`, which exists; returns their paths."""
    picture = draw(record)
    files = {
        out / "picture.png": picture,
        out / "report.html": page(record, picture).encode(),
        out / "summary.json": (json.dumps(asdict(record.score), indent=2) + "\n").encode(),
    }
    for path, data in files.items():
        write_whole(path, data)
    return list(files)
