"""The controller as the separate process that it is: started, listened to, ended. Known only by its command line."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sim.processes import end

STOP_S = 1.2
MAX_LINE_BYTES = 1 << 20


class ControllerProcess:
    """`leakctl run ... --json`; every line that it prints goes to `on_event`."""

    def __init__(self, on_event: Callable[[Mapping[str, Any], str], None]) -> None:
        """Nothing runs yet; `on_event` gets the parsed event and its line."""
        self._on_event = on_event
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, configuration: Path, journal: Path, *, time_scale: float, view: bool, narrate: bool) -> None:
        """Start and listen until it ends."""
        arguments = ["run", str(configuration), "--journal", str(journal), "--json"]
        arguments += ["--view"] if view else ["--no-view", "--narrate"] if narrate else ["--no-view"]
        arguments += ["--time-scale", f"{time_scale:g}"]
        # A group of its own: Ctrl-C is for us, who end the controller in order; if we are killed it lives on.
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "controller",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            limit=MAX_LINE_BYTES,
            process_group=0,
        )
        assert process.stdout is not None  # noqa: S101 - asked for above
        async for line in process.stdout:
            with suppress(json.JSONDecodeError):
                self._on_event(json.loads(line), line.decode().rstrip("\n"))
        await process.wait()

    async def stop(self) -> None:
        """Ask it to end as a person would, and make sure that it has."""
        await end(self._process, signal.SIGINT, STOP_S)
