"""An event loop whose clock runs at a declared multiple of the machine's; it knows nothing of who runs on it.

A test bench may run faster than real time (hardware in the loop that replays a day in an hour). Every room takes its
time from the running loop, so scaling the loop's clock scales everything above it, and nothing above it has to know.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

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

    def __init__(self, scale: float) -> None:
        """Start a loop at `scale` (dimensionless, 0.1 to 100).

        Raises:
            ValueError: if `scale` is outside its range.
        """
        if not MIN_SCALE <= scale <= MAX_SCALE:
            raise ValueError(f"time scale {scale} is outside {MIN_SCALE} to {MAX_SCALE}")
        self._scale = scale
        self._origin_s = 0.0
        super().__init__(_ScaledSelector(scale))
        self._origin_s = super().time()

    def time(self) -> float:
        """The loop's clock in (scaled) seconds; it starts at the machine's own monotonic time."""
        return self._origin_s + (super().time() - self._origin_s) * self._scale


def run_scaled(main: Coroutine[Any, Any, int], *, scale: float) -> int:
    """Run `main` to its end on a loop at `scale`, as `asyncio.run` would, and return its exit status."""
    with asyncio.Runner(loop_factory=lambda: ScaledLoop(scale)) as runner:
        return runner.run(main)
