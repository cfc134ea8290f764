"""A private mosquitto with options of one's own: persistence, TLS, users. It can be ended and started on its port."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import MOSQUITTO, START_TRIES, end_process, free_port

SUBSCRIBE, PUBLISH = MOSQUITTO.with_name("mosquitto_sub"), MOSQUITTO.with_name("mosquitto_pub")
BASE = "connection_messages false\nmax_queued_messages 0\n"
SHIPPED_LISTENER = "listener 8883\n"


class StrictBroker:
    """One listener on loopback; `lines` are further lines of its configuration."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, lines: str = "allow_anonymous true\n") -> None:
        if not MOSQUITTO.exists():
            pytest.skip("no mosquitto in .venv/bin; `make setup` fetches it")
        self._folder = folder
        self._lines = lines
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        for _ in range(START_TRIES):
            self.port = free_port()
            if self.start():
                return
        raise RuntimeError(f"{MOSQUITTO} does not start: {self.said}")

    def start(self) -> bool:
        """Start, and wait until it says that it runs; whether it does."""
        user = "user root\n" if os.geteuid() == 0 else ""  # who keeps files in a folder of root's
        own = f"persistence true\npersistence_location {self._folder}/\n{user}"
        path = self._folder / "mosquitto.conf"
        listener = f"listener {self.port} {self.host}\n"
        whole = BASE + own + listener + self._lines
        if SHIPPED_LISTENER in self._lines:  # a whole configuration of ours
            whole = f"{user}connection_messages false\n" + self._lines.replace(SHIPPED_LISTENER, listener)
        path.write_text(whole, encoding="utf-8")
        process = subprocess.Popen(
            [str(MOSQUITTO), "-c", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self._process = process
        assert process.stderr is not None
        self.said = ""
        for line in iter(process.stderr.readline, ""):
            self.said += line
            if line.rstrip().endswith("running"):
                return True
        self.stop()
        return False

    def stop(self) -> None:
        """End this process and no other; again does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        end_process(process)
