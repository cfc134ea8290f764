"""A disk that is full, on a real file system of a megabyte: no state of an alarm is forgotten, no entry comes twice."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from controller.journal.entries import AlarmEntry
from controller.journal.reader import read_entries
from controller.journal.recovery import recovered
from tests.support.processes import start

ROOT = Path(__file__).parents[2]
KILLS = 8
pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        pytest.skip("only root may mount a file system; the same without one is in tests/unit/controller")
    words = [mount, "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("nothing may be mounted here")
    yield folder
    subprocess.run([umount, str(folder)], check=True)


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def killed_on_a_full_disk(started: list["subprocess.Popen[str]"], folder: Path, kills: int) -> None:
    random = np.random.default_rng(5)
    on_a_full_one = reached = 0
    for number in range(kills):
        stamp = f"20180829T{number // 60:02d}{number % 60:02d}00Z"
        process = start(started, sys.executable, "-m", "tests.support.full_disk_writer", folder, stamp, cwd=ROOT)
        assert process.stdout is not None
        said: list[str] = []
        for _ in range(int(random.integers(3, 40))):
            said = process.stdout.readline().split()
            assert said, "it ended"
        process.kill()
        process.wait()
        rest = [line.split() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        occurrence, how = [said, *rest][-1]
        on_a_full_one += how == "full"
        standing, _ = recovered(folder)
        assert standing is not None
        (leak,) = standing.alarms
        assert int(occurrence) <= leak.occurrence <= int(occurrence) + 1  # the kill may have come before its word
        assert leak.occurrence > reached
        reached = leak.occurrence
        told = [entry.occurrence for entry in read_entries(folder) if isinstance(entry, AlarmEntry)]
        assert len(told) == len(set(told)), "an entry came twice"
        (folder / "ballast").unlink(missing_ok=True)
    assert on_a_full_one > 0


def test_killed_on_a_full_disk_it_forgets_nothing(started: list["subprocess.Popen[str]"], small_disk: Path) -> None:
    killed_on_a_full_disk(started, small_disk, KILLS)


@pytest.mark.slow
def test_killed_a_hundred_times_on_a_full_disk_it_forgets_nothing(
    started: list["subprocess.Popen[str]"], small_disk: Path
) -> None:
    killed_on_a_full_disk(started, small_disk, 100)
