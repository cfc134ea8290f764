"""The acknowledge button of a panel: a press becomes requests. Whether they are granted is the alarm room's."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from controller.alarm.requests import Acknowledge
from controller.alarm.table import TRANSITIONS, Trigger
from controller.outputs.output import Shown
from controller.outputs.pins import Pin

SEEN_S = 0.5  # twice a person's reaction time: what came up later than this before the press was not meant by it
LATEST_PRESS_S = 0.3  # presses that follow each other faster are one: contacts, and fingers, bounce


class AcknowledgeButton:
    """Acknowledges all that has been shown for long enough to be seen."""

    def __init__(self, name: str, by: str, ask: Callable[[Acknowledge], None]) -> None:
        """Ask as `by` through `ask`, on the running loop. `attach` gives it its pin."""
        self.name = name
        self._by = by
        self._ask = ask
        self._loop = asyncio.get_running_loop()
        self._since_s: dict[tuple[str, int], float] = {}
        self._pressed_s: float | None = None
        self._pin: Pin | None = None

    @property
    def trouble(self) -> str | None:
        """None: a button that is never pressed looks as one that is broken."""
        return None

    def attach(self, pin: Pin) -> None:
        """The pin whose presses come to `pressed`."""
        self._pin = pin

    def pressed(self) -> None:
        """Somebody presses it; from any thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._press)

    def show(self, shown: Shown) -> None:
        """Remember what can be seen, and since when."""
        now_s = self._loop.time()
        open_ones = [] if shown.test else [a for a in shown.alarms if (a.state, Trigger.ACKNOWLEDGED) in TRANSITIONS]
        self._since_s = {
            (alarm.key, alarm.occurrence): self._since_s.get((alarm.key, alarm.occurrence), now_s)
            for alarm in open_ones
        }

    async def run(self) -> None:
        """Presses come by themselves."""
        await asyncio.Event().wait()

    def close(self) -> None:
        """Let go of the pin."""
        if self._pin is not None:
            self._pin.close()

    def _press(self) -> None:
        now_s = self._loop.time()
        bounced = self._pressed_s is not None and now_s - self._pressed_s < LATEST_PRESS_S
        self._pressed_s = now_s
        if bounced:
            return
        for (key, occurrence), since_s in self._since_s.items():
            if now_s - since_s >= SEEN_S:
                self._ask(Acknowledge(key, occurrence, self._by))
