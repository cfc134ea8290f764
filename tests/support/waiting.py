"""Waiting for what somebody else's task does, with an end that is no law but keeps a broken test from hanging."""

import asyncio
from collections.abc import Callable

PATIENCE_S = 20.0
POLL_S = 0.002


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until `condition` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - no event tells of the inside of what is under test
            await asyncio.sleep(POLL_S)
