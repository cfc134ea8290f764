"""An event loop whose clock runs at a declared multiple of the machine's; it knows nothing of who runs on it.

A test bench may run faster than real time (hardware in the loop that replays a day in an hour). Every room takes its
time from the running loop, so scaling the loop's clock scales everything above it, and nothing above it has to know.
"""

import asyncio
import selectors
import signal
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

Result = TypeVar("Result")

MIN_SCALE = 0.1
MAX_SCALE = 100.0


class _ScaledSelector(selectors.DefaultSelector):
    """Waits `timeout / scale`, because asyncio computes its timeouts in the loop's own (scaled) seconds."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self._scale = scale

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        scaled = timeout / self._scale if timeout is not None and timeout > 0 else timeout
        return super().select(scaled)


class ScaledLoop(asyncio.SelectorEventLoop):
    """A selector event loop whose `time()` advances `scale` seconds for each second of the machine's."""

    def __new__(cls, scale: float) -> Self:
        """Refuse a bad scale before there is a loop, which would have to be closed."""
        if not MIN_SCALE <= scale <= MAX_SCALE:
            raise ValueError(f"time scale {scale} is outside {MIN_SCALE} to {MAX_SCALE}")
        return super().__new__(cls)

    def __init__(self, scale: float) -> None:
        """Start a loop at `scale` (dimensionless, 0.1 to 100).

        Raises:
            ValueError: if `scale` is outside its range.
        """
        self._scale = scale
        self._origin_s = 0.0
        super().__init__(_ScaledSelector(scale))
        self._origin_s = super().time()

    @property
    def scale(self) -> float:
        """Seconds of this loop a second of the machine's."""
        return self._scale

    def time(self) -> float:
        """The loop's clock in (scaled) seconds; it starts at the machine's own monotonic time."""
        return self._origin_s + (super().time() - self._origin_s) * self._scale


def real_seconds(seconds: float) -> float:
    """How long `seconds` of the machine's time are on the running loop, for waits on other processes and networks."""
    loop = asyncio.get_running_loop()
    return seconds * loop.scale if isinstance(loop, ScaledLoop) else seconds


def run_until_signal(main: Coroutine[Any, Any, Result], *, scale: float) -> Result | None:
    """Run `main` on a loop at `scale`; None where SIGINT, SIGTERM or SIGHUP ended it first.

    The first signal cancels `main`, which then cleans up; further ones must not interrupt that.
    """

    async def guarded() -> Result | None:
        task = asyncio.ensure_future(main)
        asked_to_stop = False

        def stop() -> None:
            nonlocal asked_to_stop
            if not asked_to_stop:
                asked_to_stop = True
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        try:
            return await task
        except asyncio.CancelledError:
            return None

    with asyncio.Runner(loop_factory=lambda: ScaledLoop(scale)) as runner:
        return runner.run(guarded())
