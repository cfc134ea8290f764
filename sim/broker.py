"""A private mosquitto on a free loopback port, for demos and tests; a user's own broker is never touched."""

import asyncio
import ctypes
import os
import shutil
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from firmware_bridge.scaled_loop import real_seconds
from sim.errors import BrokerError
from sim.processes import end

ATTEMPTS = 5  # another program may take the free port between our look and the broker's bind
READY_TRIES = 100
READY_WAIT_S = 0.05
STOP_S = 1.0
_PR_SET_PDEATHSIG = 1


def find_mosquitto() -> Path | None:
    """The broker that set-up put beside the virtual environment's python, else an installed one."""
    beside = Path(sys.executable).parent / "mosquitto"
    if beside.exists():
        return beside
    installed = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/bin")
    return Path(installed) if installed else None


class PrivateBroker:
    """Starts with `start`, ends with `stop` or with this process, whichever comes first."""

    def __init__(self, folder: Path) -> None:
        """Keep the broker's configuration in `folder`, which must exist."""
        self._configuration = folder / "mosquitto.conf"
        self._process: asyncio.subprocess.Process | None = None
        self.host = "127.0.0.1"
        self.port = 0

    async def start(self) -> None:
        """Start and wait until it accepts connections.

        Raises:
            BrokerError: no mosquitto, or it does not come up.
        """
        binary = find_mosquitto()
        if binary is None:
            raise BrokerError(
                "no mosquitto on this machine", remedy="sudo apt install mosquitto, or run make setup again"
            )
        # A broker that gives up root would no longer die with us; it listens on loopback only.
        user = "user root\n" if os.geteuid() == 0 else ""
        for _ in range(ATTEMPTS):
            self.port = _free_port()
            self._configuration.write_text(
                f"listener {self.port} {self.host}\nallow_anonymous true\npersistence false\nlog_type error\n"
                f"max_queued_messages 10000\n{user}",
                encoding="utf-8",
            )
            # A group of its own: Ctrl-C is for us, who end the broker when everybody has said goodbye to it.
            self._process = await asyncio.create_subprocess_exec(
                str(binary),
                "-c",
                str(self._configuration),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                process_group=0,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
            if await self._accepts():
                return
            await self.stop()
        raise BrokerError(f"{binary} does not come up", remedy=f"try it by hand: {binary} -c {self._configuration} -v")

    async def stop(self) -> None:
        """End the broker and wait for its end."""
        process, self._process = self._process, None
        self._configuration.unlink(missing_ok=True)
        await end(process, signal.SIGTERM, STOP_S)

    async def _accepts(self) -> bool:
        for _ in range(READY_TRIES):
            if self._process is None or self._process.returncode is not None:
                return False
            try:
                _, writer = await asyncio.open_connection(self.host, self.port)
            except OSError:
                await asyncio.sleep(real_seconds(READY_WAIT_S))
            else:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
                return True
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    """In the child: ask the kernel for SIGTERM when the parent dies, so that a killed demo leaves no broker."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
