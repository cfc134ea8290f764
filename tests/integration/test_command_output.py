"""The command output with real programs: what they are told, that none outlives its limit, that none is waited for."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.alarm.types import AlarmClass, AlarmState
from controller.outputs.command import MAX_OUTPUT_BYTES, CommandHook, Settings
from controller.outputs.output import Shown
from controller.outputs.switchboard import Switchboard
from tests.support.verdicts import alarm

pytestmark = [pytest.mark.integration]
PATIENCE_S = 20.0
UTC = "2018-08-30T01:00:00.000Z"
TELLER = (
    "import json, os, sys; json.dump([json.load(sys.stdin), dict(os.environ), os.getcwd()], open(sys.argv[1], 'w'))"
)


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not done():
            await asyncio.sleep(0.02)


class Bench:
    """A running hook and its notes."""

    def __init__(self, settings: Settings) -> None:
        self.notes: list[str] = []
        self.hook = CommandHook("page", settings, lambda: UTC, self.notes.append)

    async def __aenter__(self) -> "Bench":
        self.running = asyncio.create_task(self.hook.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


async def test_it_is_told_the_change_in_a_reduced_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAKLOC_PASSWORD", "secret")
    told = tmp_path / "told.json"
    settings = Settings((sys.executable, "-c", TELLER, str(told)), environment={"PAGER": "7"})
    async with Bench(settings) as bench:
        bench.hook.show(Shown((alarm(), alarm(AlarmClass.CAUTION, AlarmState.ACKNOWLEDGED, "nodes")), test=True))
        await until(lambda: bench.notes)
    change, environment, folder = json.loads(told.read_text(encoding="utf-8"))
    assert {
        name: change[name] for name in ("version", "number", "utc", "test", "alarm_class", "calling", "before")
    } == {
        "version": 1,
        "number": 1,
        "utc": UTC,
        "test": True,
        "alarm_class": "warning",
        "calling": "warning",
        "before": None,
    }
    assert [(one["key"], one["alarm_class"], one["state"]) for one in change["alarms"]] == [
        ("leak", "warning", "unacknowledged"),
        ("nodes", "caution", "acknowledged"),
    ]
    assert environment["PAGER"] == "7"
    assert "LEAKLOC_PASSWORD" not in environment
    assert folder == "/"
    assert bench.hook.trouble is None
    assert bench.notes[0].startswith(f"output page: {sys.executable}: exit 0 after")


async def test_one_that_hangs_is_ended_with_all_its_children(tmp_path: Path) -> None:
    """It ignores SIGTERM, and so does its child; both are gone after the limit and the grace."""
    pids = tmp_path / "pids"
    script = f"trap '' TERM; sleep 600 & echo $$ $! > {pids}; wait"
    async with Bench(Settings(("/bin/sh", "-c", script), limit_s=0.3)) as bench:
        bench.hook.show(Shown((alarm(),)))
        await until(lambda: bench.notes)
        parent, child = (int(pid) for pid in pids.read_text(encoding="utf-8").split())
        await until(lambda: not _alive(parent) and not _alive(child))
        assert "stopped after its 0.3 s" in bench.notes[0]
        assert bench.hook.trouble is not None


async def test_a_child_that_it_leaves_behind_is_ended_too(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    async with Bench(Settings(("/bin/sh", "-c", f"sleep 600 >/dev/null 2>&1 & echo $! > {pid}"))) as bench:
        bench.hook.show(Shown((alarm(),)))
        await until(lambda: bench.notes)
        await until(lambda: not _alive(int(pid.read_text(encoding="utf-8"))))


async def test_the_end_of_the_controller_ends_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    async with Bench(Settings(("/bin/sh", "-c", f"echo $$ > {pid}; exec sleep 600"), limit_s=300.0)) as bench:
        bench.hook.show(Shown((alarm(),)))
        await until(lambda: pid.exists() and pid.read_text(encoding="utf-8"))
    await until(lambda: not _alive(int(pid.read_text(encoding="utf-8"))))


async def test_what_it_prints_is_kept_to_a_bound_and_journaled_on_one_line() -> None:
    script = "import sys; sys.stderr.write('first\\nsecond'); sys.stdout.write('x' * 10_000_000); sys.exit(3)"
    async with Bench(Settings((sys.executable, "-u", "-c", script))) as bench:
        bench.hook.show(Shown((alarm(),)))
        await until(lambda: bench.notes)
    assert "exit 3" in bench.notes[0]
    assert "first second" in bench.notes[0]
    assert len(bench.notes[0]) < MAX_OUTPUT_BYTES + 200
    assert "\n" not in bench.notes[0]
    assert bench.hook.trouble is not None
    assert "exit 3" in bench.hook.trouble


async def test_one_that_reads_nothing_is_no_trouble() -> None:
    alarms = tuple(alarm(key=f"k{number}", text="t" * 4000) for number in range(64))  # more than a pipe holds
    async with Bench(Settings(("true",))) as bench:
        bench.hook.show(Shown(alarms))
        await until(lambda: bench.notes)
    assert bench.hook.trouble is None


async def test_no_more_than_so_many_run_at_once(tmp_path: Path) -> None:
    """Each leaves a mark while it runs, and the largest number of marks that any of them saw."""
    script = (
        "import os, sys, time, uuid\nd = sys.argv[1]; m = os.path.join(d, 'run-' + uuid.uuid4().hex); open(m, 'w')\n"
    )
    script += "time.sleep(0.1); n = sum(f.startswith('run-') for f in os.listdir(d)); os.remove(m); print('saw', n)"
    async with Bench(Settings((sys.executable, "-S", "-c", script, str(tmp_path)), at_once=2)) as bench:
        for number in range(6):
            bench.hook.show(Shown((alarm(AlarmClass.WARNING if number % 2 else AlarmClass.CAUTION),)))
        await until(lambda: len(bench.notes) == 6)
    assert {int(note.rsplit("saw", 1)[1]) for note in bench.notes} <= {1, 2}


async def test_a_program_that_is_not_there_is_told_and_the_next_change_is_tried_again() -> None:
    told: list[tuple[str, str | None]] = []
    hook = CommandHook("page", Settings(("/no/such/program",)), lambda: UTC, lambda note: None)
    board = Switchboard([hook], lambda part, trouble: told.append((part, trouble)))
    running = asyncio.create_task(board.run())
    board.show((alarm(),))
    await until(lambda: hook.trouble)
    board.show((alarm(),))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    ((part, trouble),) = told
    assert part == "output page"
    assert trouble is not None
    assert "/no/such/program cannot be run" in trouble


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # one that nobody has waited for yet is dead all the same
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
