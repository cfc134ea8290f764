"""Ours beside its peers: `python -m benchmarks peers [CASES]` starts this on one core, `--save FILE` keeps the run.

    python -m benchmarks.peers [CASES] [--save benchmarks/results/peers]

Peers that are not installed are skipped with a message; requirements/peers.txt has them.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

VERSIONED = ("numpy", "scipy", "opensoundscape", "torch", "pyroomacoustics", "acoular", "sidereon")


def main() -> None:
    """Print the tables, and keep them where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks peers", description=__doc__)
    parser.add_argument("cases", nargs="?", type=int, help="boxes a column")
    parser.add_argument("--trials", type=int, help="epochs of delays")
    parser.add_argument("--save", type=Path, help="write FILE.md and FILE.json")
    chosen = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    from benchmarks.peers import delays_table, table

    cases, trials = chosen.cases or table.CASES, chosen.trials or delays_table.TRIALS
    command = f"python -m benchmarks peers {cases} --trials {trials}"
    print(f"{cases} boxes a column, rendered by the simulator; shares within 10 cm / 2 cm\n", flush=True)
    rows: list[table.Result] = []
    for rows in table.run(cases):
        done = len(next(row for row in rows if row.name == table.OURS).errors_m)
        print(f"  {done} of {len(table.CONDITIONS)} columns", file=sys.stderr, flush=True)
        if chosen.save is not None:  # a run that is cut short is not lost
            _save(chosen.save, rows, f"{table.table(rows)}\n", command)
    found, delays = table.table(rows), delays_table.errors_m(trials)
    print(f"{found}\n\n{delays_table.table(delays)}", flush=True)
    for row in rows:
        if row.skipped is not None:
            print(f"\n{row.name} was skipped ({row.skipped}): make peers", flush=True)
    if chosen.save is not None:
        _save(chosen.save, rows, f"{found}\n\n{delays_table.table(delays)}\n", command)


def _save(path: Path, rows: list, text: str, command: str) -> None:  # type: ignore[type-arg]
    about = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "machine": f"{_processor()}, one core",
        "python": platform.python_version(),
        "versions": {name: found for name in VERSIONED if (found := _version(name)) is not None},
    }
    told = "\n".join(f"* {key}: {value}" for key, value in about.items() if key != "versions")
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())  # type: ignore[attr-defined]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".md").write_text(f"# Ours beside its peers\n\n{told}\n* versions: {versions}\n\n{text}")
    results = [
        {
            "name": row.name,
            "skipped": row.skipped,
            "errors_m": {
                key: [None if error != error else round(error, 5) for error in errors]  # noqa: PLR0124 - NaN
                for key, errors in row.errors_m.items()
            },
            "seconds": [round(one, 4) for one in row.seconds],
        }
        for row in rows
    ]
    path.with_suffix(".json").write_text(json.dumps(about | {"rows": results}, indent=1) + "\n")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
