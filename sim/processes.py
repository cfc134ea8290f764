"""Child processes and how they end. What they do is their own."""

import asyncio
import signal
from contextlib import suppress

from firmware_bridge.scaled_loop import real_seconds


async def end(process: asyncio.subprocess.Process | None, asked_by: signal.Signals, within_s: float) -> None:
    """Ask a process to end, and after `within_s` real seconds make it; at once if there is none."""
    if process is None or process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(asked_by)
    try:
        await asyncio.wait_for(process.wait(), real_seconds(within_s))
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
