"""The live view of a real controller on a terminal: a key acknowledges, Ctrl-C ends it, the terminal is given back."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from controller.journal.entries import OperatorEntry
from controller.journal.reader import read_entries
from tests.fault.test_alarm_survival import CONTROLLER

LEAKCTL = Path(sys.executable).parent / "leakctl"
# Takes the terminal at its input for its own, as a shell gives it to what it starts.
OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
PATIENCE_S = 30.0


class Sitting:
    """A process at a terminal of its own."""

    def __init__(self, *words: str | Path, ours: bool = True) -> None:
        self._main, terminal = pty.openpty()
        self.before = termios.tcgetattr(self._main)
        first = (sys.executable, "-c", OWN_TERMINAL) if ours else ()
        self.process = subprocess.Popen(
            [*first, *map(str, words)], stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
        )
        os.close(terminal)
        self.shown = b""

    def reads(self, words: bytes) -> None:
        """Look until the screen shows these words."""
        while words not in self.shown:
            ready, _, _ = select.select([self._main], [], [], PATIENCE_S)
            assert ready, f"{words!r} was never shown; it showed {self.shown[-3000:]!r}"
            self.shown += os.read(self._main, 65_536)

    def press(self, keys: bytes) -> None:
        os.write(self._main, keys)

    def settings(self) -> list[Any]:
        return termios.tcgetattr(self._main)

    def end(self) -> int:
        """Read on until it has ended: who does not read keeps nobody from ending, but let it say what it has."""
        with suppress(OSError):
            while select.select([self._main], [], [], 0.1)[0]:
                os.read(self._main, 65_536)
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._main)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "controller.toml"
    file.write_text(CONTROLLER, encoding="utf-8")
    return file


def sit(config: Path, *more: str, ours: bool = True) -> Sitting:
    return Sitting(LEAKCTL, "run", config, "--journal", config.parent / "journal", *more, ours=ours)


def test_a_key_in_the_live_view_acknowledges_with_name_and_time(config: Path) -> None:
    person = sit(config, "--by", "Gerst")
    try:
        person.reads(b"a: acknowledge")
        person.reads(b"nodes lost")
        signal.sigtimedwait([], 1.5)  # until it could be seen
        person.press(b"x")  # no key of ours
        person.press(b"a")
        person.reads(b"Gerst asked to acknowledge nodes: done")
        person.reads(b"(acknowledged)")
        person.press(b"\x03")
        assert person.end() == 0
        assert person.settings() == person.before, "the terminal is given back as it was"
    finally:
        person.close()
    asked = [entry for entry in read_entries(config.parent / "journal") if isinstance(entry, OperatorEntry)]
    assert [(one.action, one.key, one.by, one.accepted) for one in asked] == [("acknowledge", "nodes", "Gerst", True)]
    assert asked[0].asked_utc is not None
    assert asked[0].utc


def test_at_a_terminal_of_somebody_else_there_are_no_keys_but_alarms(config: Path) -> None:
    """As in the background of a shell, where whoever sets the terminal up is stopped."""
    person = sit(config, ours=False)
    try:
        person.reads(b"nodes lost")
        assert person.settings() == person.before
        person.process.send_signal(signal.SIGTERM)
        assert person.end() == 0
    finally:
        person.close()


def test_without_a_terminal_nothing_is_read(config: Path) -> None:
    words = [str(LEAKCTL), "run", str(config), "--json", "--journal", str(config.parent / "journal")]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while json.loads(process.stdout.readline()).get("key") != "nodes":
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
