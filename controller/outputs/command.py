"""Runs a program of the user's at every change of class, told on its standard input. It never waits for it."""

import asyncio
import contextlib
import os
import shutil
import signal
from asyncio.subprocess import PIPE, STDOUT, Process
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from controller.alarm.types import Alarm, AlarmClass
from controller.outputs.output import Shown
from firmware_bridge.scaled_loop import real_seconds

MAX_WAITING = 16  # changes of class; ten alarms in ten minutes are a flood
MAX_OUTPUT_BYTES = 2048  # of what it prints, kept for the journal; the rest is read and thrown away
READ_BYTES = 4096
GRACE_S = 1.0  # between SIGTERM and SIGKILL
VERSION = 1  # of the object on standard input
# All of our own environment that a program gets: no password of ours is among it.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER")


class AlarmTold(msgspec.Struct, frozen=True):
    """One alarm, as told to a program."""

    key: str
    alarm_class: str
    state: str
    text: str
    occurrence: int


class ChangeTold(msgspec.Struct, frozen=True):
    """What a program finds on its standard input, as one line of JSON; null where nothing stands or calls."""

    version: int
    number: int
    utc: str
    test: bool
    alarm_class: str | None
    calling: str | None
    before: str | None
    alarms: tuple[AlarmTold, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """Which program, and what it may take."""

    argv: tuple[str, ...]
    limit_s: float = 10.0  # of the machine's time
    at_once: int = 2  # so that one that hangs does not keep an emergency waiting
    at_least: AlarmClass = AlarmClass.ADVISORY
    environment: Mapping[str, str] | None = None


class CommandHook:
    """The program of one `[[outputs]]` of kind "command"."""

    def __init__(self, name: str, settings: Settings, utc: Callable[[], str], note: Callable[[str], None]) -> None:
        """Nothing is run yet. What becomes of each run goes to `note`, for the journal."""
        self.name = name
        self._settings = settings
        self._utc = utc
        self._note = note
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Semaphore(0)
        self._before: tuple[AlarmClass | None, AlarmClass | None] = (None, None)
        self._number = 0
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        """What became of the newest run, where it was no success."""
        return self._trouble

    def show(self, shown: Shown) -> None:
        """Queue a run where the class changed; the oldest makes way, and people are told."""
        least = self._settings.at_least
        stands, calls = shown.standing(least), shown.calling(least)
        if (stands, calls) == self._before:
            return
        self._number += 1
        told = ChangeTold(
            VERSION, self._number, self._utc(), shown.test, _word(stands), _word(calls), _word(self._before[0]),
            tuple(_told(alarm) for alarm in shown.alarms if alarm.alarm_class >= least),
        )  # fmt: skip
        self._before = (stands, calls)
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self._trouble = f"{self._settings.argv[0]} is too slow: changes of class were dropped; mend it"
        else:
            self._wake.release()
        self._waiting.append(msgspec.json.encode(told) + b"\n")

    async def run(self) -> None:
        """Run what waits, `at_once` programs at most."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._settings.at_once):
                group.create_task(self._work())

    def close(self) -> None:
        """Programs that run end with `run`'s tasks."""
        self._waiting.clear()

    async def _work(self) -> None:
        while True:
            await self._wake.acquire()
            if not self._waiting:
                continue
            told = self._waiting.popleft()
            try:
                self._trouble = await self._once(told)
            except OSError as error:
                self._trouble = f"{self._settings.argv[0]} cannot be run ({error}); mend `argv`"
                self._note(f"output {self.name}: {self._trouble}")

    async def _once(self, told: bytes) -> str | None:
        """One run from start to end; why it was no success."""
        loop, program = asyncio.get_running_loop(), self._settings.argv[0]
        began_s = loop.time()
        process = await asyncio.create_subprocess_exec(
            *self._settings.argv, stdin=PIPE, stdout=PIPE, stderr=STDOUT, env=self._environment(),
            cwd="/", start_new_session=True,
        )  # fmt: skip
        printed = bytearray()
        in_time = False
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(real_seconds(self._settings.limit_s)):
                    await _talk(process, told, printed)
                    await process.wait()
                    in_time = True
        finally:
            await _end(process, gently=not in_time)
        ended = f"exit {process.returncode}" if in_time else f"stopped after its {self._settings.limit_s:g} s"
        text = bytes(printed).decode("utf-8", "replace").strip()
        took = f"{ended} after {loop.time() - began_s:.2f} s"
        self._note(f"output {self.name}: {program}: {took}" + (f": {_line(text)}" if text else ""))
        return None if in_time and process.returncode == 0 else f"{program}: {ended}; see the journal's notes"

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return {**kept, **(self._settings.environment or {})}


def missing(argv: tuple[str, ...]) -> str | None:
    """Why a program cannot be run here; None where it can, as far as can be seen."""
    return None if shutil.which(argv[0]) else f"there is no program {argv[0]!r} that may be run here; mend `argv`"


async def _talk(process: Process, told: bytes, printed: bytearray) -> None:
    """Tell it, and read all that it prints; the beginning is kept."""
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it need not listen
        process.stdin.write(told)
        await process.stdin.drain()
    process.stdin.close()
    while data := await process.stdout.read(READ_BYTES):
        printed += data[: MAX_OUTPUT_BYTES - len(printed)]


async def _end(process: Process, *, gently: bool) -> None:
    """Leave nothing of it behind: not its children either, they are one process group."""
    try:
        if gently:
            _signal_group(process, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(real_seconds(GRACE_S)):
                    await process.wait()
    finally:  # we may be in a hurry ourselves
        _signal_group(process, signal.SIGKILL)
    await process.wait()


def _signal_group(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)  # its session's leader leads its group, by start_new_session


def _word(alarm_class: AlarmClass | None) -> str | None:
    return None if alarm_class is None else alarm_class.name.lower()


def _told(alarm: Alarm) -> AlarmTold:
    return AlarmTold(alarm.key, alarm.alarm_class.name.lower(), alarm.state.value, alarm.text, alarm.occurrence)


def _line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
