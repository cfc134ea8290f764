"""What all tests share: deterministic hypothesis, a private broker, and the check that no task stays behind."""

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("leakloc", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("leakloc")

MOSQUITTO = Path(__file__).parents[1] / ".venv" / "bin" / "mosquitto"
START_TRIES = 5  # another program may take the port between finding it and using it
STOP_TIMEOUT_S = 10


class Broker:
    """A private mosquitto on a loopback port; it can be ended and started again on the same port."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        for _ in range(START_TRIES):
            self.port = free_port()
            if self.start():
                return
        raise RuntimeError(f"{MOSQUITTO} does not start")

    def start(self) -> bool:
        """Start, and wait until it says that it runs; whether it does."""
        configuration = self._folder / "mosquitto.conf"
        configuration.write_text(
            f"listener {self.port} {self.host}\nallow_anonymous true\npersistence false\nconnection_messages false\n",
            encoding="utf-8",
        )
        command = [str(MOSQUITTO), "-c", str(configuration)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self._process = process
        assert process.stderr is not None
        if any(line.rstrip().endswith("running") for line in iter(process.stderr.readline, "")):
            return True
        self.stop()
        return False

    def stop(self) -> None:
        """End this process and no other; again does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        end_process(process)


def end_process(process: "subprocess.Popen[str]") -> None:
    """End this process and no other."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    assert process.stderr is not None
    process.stderr.close()


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker of one's own; tests that ask for it carry the marker `integration`."""
    if not MOSQUITTO.exists():
        pytest.skip("no mosquitto in .venv/bin; `make setup` fetches it")
    private = Broker(tmp_path)
    yield private
    private.stop()


@pytest.fixture
async def no_task_left() -> AsyncIterator[None]:
    """Fails a test that leaves a task running."""
    before = asyncio.all_tasks()
    yield
    left = [task for task in asyncio.all_tasks() - before if task is not asyncio.current_task() and not task.done()]
    assert left == []
