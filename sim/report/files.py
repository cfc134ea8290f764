"""The files of a report: picture, page and summary, each whole or not at all."""

import json
from dataclasses import asdict
from pathlib import Path

from sim.report.page import page
from sim.report.picture import draw
from sim.report.run_record import RunRecord


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


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` beside `path` and move it there, so that no half of it is ever seen."""
    partial = path.with_suffix(path.suffix + ".part")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
