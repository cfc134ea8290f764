"""Campaigns as a user starts them: workers, results, going on after an interruption, a Dask scheduler of our own."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import alive, children_of, start

BIN = Path(sys.executable).parent
LEAKSIM = BIN / "leaksim"
pytestmark = [pytest.mark.integration, pytest.mark.timeout(200)]


def scenario_without_ears(folder: Path) -> Path:
    """A run of it takes a second; it finds nothing, and that is not what is tested here."""
    text = (Path(__file__).parents[2] / "configs" / "scenarios" / "ms09-2018.toml").read_text()
    before, _, after = text.partition("[links]")
    kept = [line for line in after.splitlines() if not line.startswith(("A ", "B ", "C ", "D "))]
    path = folder / "deaf.toml"
    early = before.replace("duration_s = 540.0", "duration_s = 15.0").replace("opens_at_s = 90.0", "opens_at_s = 5.0")
    path.write_text(early + "[links]" + "\n".join(kept))
    return path


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(LEAKSIM), "campaign", *map(str, arguments)], capture_output=True, text=True, check=False)


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()]


def test_a_campaign_writes_a_row_a_run_and_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    scenario, out = scenario_without_ears(tmp_path), tmp_path / "out"
    first = run(scenario, "--seeds", "1-2", "--workers", "2", "--out", out)
    assert first.returncode == 1, first.stderr  # a deaf rig finds nothing, and the exit status says so
    assert "0/2" in first.stdout
    assert "runs.parquet" in first.stdout
    more = run(scenario, "--seeds", "1-3", "--workers", "2", "--out", out, "--json")
    assert [json.loads(line)["seed"] for line in more.stdout.splitlines()] == [3]  # the others were there
    assert sorted(row["seed"] for row in rows(out)) == [1, 2, 3]
    assert not [row["failure"] for row in rows(out) if row["failure"]]
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_table(out / "runs.parquet").column("seed").to_pylist() == [1, 2, 3]


def test_ctrl_c_keeps_what_is_done_and_leaves_no_worker(tmp_path: Path) -> None:
    scenario, out = scenario_without_ears(tmp_path), tmp_path / "out"
    processes: list[subprocess.Popen[str]] = []
    command: list[str | Path] = [LEAKSIM, "campaign", scenario, "--seeds", "1-400", "--workers", "2", "--out", out]
    process = start(processes, *command, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 60.0
        while not (out / "runs.jsonl").exists() and time.monotonic() < until:
            time.sleep(0.1)
        workers = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20.0)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "interrupted" in said
    assert 1 <= len(rows(out)) < 400
    time.sleep(0.5)
    assert len(workers) >= 2
    assert not [pid for pid in workers if alive(pid)]


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """A Dask scheduler with one worker process, on loopback only."""
    pytest.importorskip("distributed")
    started: list[subprocess.Popen[str]] = []

    def launch(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]],
            stderr=subprocess.DEVNULL, text=True, cwd=tmp_path,
        )  # fmt: skip
        started.append(process)
        return process

    known = tmp_path / "scheduler.json"
    launch("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(known))
    until = time.monotonic() + 30.0
    while not known.exists() and time.monotonic() < until:
        time.sleep(0.1)
    address: str = json.loads(known.read_text())["address"]
    launch("dask_worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--no-nanny")
    try:
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(20)


def test_a_campaign_runs_on_a_dask_cluster(scheduler: str, tmp_path: Path) -> None:
    scenario, here, there = scenario_without_ears(tmp_path), tmp_path / "here", tmp_path / "there"
    run(scenario, "--seeds", "4-5", "--workers", "1", "--out", here)
    done = run(scenario, "--seeds", "4-5", "--scheduler", scheduler, "--out", there)
    assert done.returncode == 1, done.stderr
    plain = [{k: v for k, v in row.items() if k != "wall_s"} for row in rows(here)]
    clustered = [{k: v for k, v in row.items() if k != "wall_s"} for row in rows(there)]
    assert sorted(plain, key=lambda row: row["seed"]) == sorted(clustered, key=lambda row: row["seed"])


def test_a_scheduler_that_is_not_there_is_told(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    done = run(scenario_without_ears(tmp_path), "--seeds", "1", "--scheduler", "tcp://127.0.0.1:9", "--out", tmp_path)
    assert done.returncode == 2
    assert "no Dask scheduler at 'tcp://127.0.0.1:9'" in done.stderr
    assert "dask scheduler" in done.stderr
