"""Lamps, buzzers and relays on pins. Which cadence means what is cadences.py's; pins come from pins.py."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

from controller.alarm.types import AlarmClass
from controller.outputs.cadences import FLASHES, SOUNDS, STEADY, Cadence
from controller.outputs.output import STALE_S, Shown
from controller.outputs.pins import Pin
from firmware_bridge.scaled_loop import real_seconds

PULSE_S = 0.1  # half a period of a pulsing relay: a charge pump of 1 µF and 1 MΩ holds for ten of them
LOOK_S = 0.5  # at least this often a relay looks whether it was shown something lately

Classes = tuple[AlarmClass, AlarmClass]  # the least and the gravest that an output is for


class Blinker:
    """A pin that is on and off in the cadence of a class: a lamp or a buzzer."""

    def __init__(self, name: str, pin: Pin, classes: Classes, cadences: Mapping[AlarmClass, Cadence]) -> None:
        """Dark until something is shown."""
        self.name = name
        self._pin = pin
        self._classes = classes
        self._cadences = cadences
        self._cadence: Cadence | None = None
        self._since_s = 0.0
        self._changed = asyncio.Event()
        self._on = False

    @property
    def trouble(self) -> str | None:
        """None: a pin does not know whether something hangs on it."""
        return None

    @property
    def cadence(self) -> Cadence | None:
        """What it plays; None while it is dark."""
        return self._cadence

    def show(self, shown: Shown) -> None:
        """Play what calls; the first flash begins now."""
        cadence = self._wanted(shown)
        if cadence == self._cadence:
            return
        self._since_s = asyncio.get_running_loop().time()
        self._write(cadence is not None)
        self._cadence = cadence  # after the pin has obeyed: what failed is tried again
        self._changed.set()

    async def run(self) -> None:
        """Keep the cadence."""
        while True:
            self._changed.clear()
            on, stays_s = False, None
            if self._cadence is not None:
                on, stays_s = self._cadence.at(asyncio.get_running_loop().time() - self._since_s)
            self._write(on)
            with suppress(TimeoutError):
                async with asyncio.timeout(stays_s):
                    await self._changed.wait()

    def close(self) -> None:
        """Dark: a lamp that is lit by nobody lies."""
        try:
            self._pin.write(False)
        finally:
            self._pin.close()

    def _wanted(self, shown: Shown) -> Cadence | None:
        calling = shown.calling(*self._classes)
        return self._cadences[calling] if calling is not None else None

    def _write(self, on: bool) -> None:
        if on is not self._on:
            self._pin.write(on)
            self._on = on


class Buzzer(Blinker):
    """Sounds for what calls, and is silent once all was acknowledged."""

    def __init__(self, name: str, pin: Pin, classes: Classes) -> None:
        """Silent until something is shown."""
        super().__init__(name, pin, classes, SOUNDS)


class Lamp(Blinker):
    """Flashes for what calls, and is lit while something stands that all took notice of."""

    def __init__(self, name: str, pin: Pin, classes: Classes) -> None:
        """Dark until something is shown."""
        super().__init__(name, pin, classes, FLASHES)

    def _wanted(self, shown: Shown) -> Cadence | None:
        stands = shown.standing(*self._classes)
        return super()._wanted(shown) or (STEADY if stands is not None else None)


class Relay:
    """A relay that is held while all is well: failing power, a broken wire, and the controller's end are alarms.

    Some kernels leave a pin as it was when its program is killed, and a static level cannot tell. With `pulses` the
    pin goes on and off every 0.1 s instead, to hold a charge pump: then nothing but a living controller holds it.
    """

    def __init__(
        self, name: str, pin: Pin, classes: Classes, follows: Literal["calling", "standing"], *, pulses: bool = False
    ) -> None:
        """Not held until something was shown and is no alarm."""
        self.name = name
        self._pin = pin
        self._classes = classes
        self._follows = follows
        self._pulses = pulses
        self._held = self._on = False
        self._shown_s: float | None = None
        self._changed = asyncio.Event()

    @property
    def trouble(self) -> str | None:
        """None: a pin does not know whether something hangs on it."""
        return None

    @property
    def held(self) -> bool:
        """Whether it says that all is well."""
        return self._held

    def show(self, shown: Shown) -> None:
        """Let go for an alarm, at once."""
        self._shown_s = asyncio.get_running_loop().time()
        alarm = shown.calling(*self._classes) if self._follows == "calling" else shown.standing(*self._classes)
        self._hold(alarm is None)

    async def run(self) -> None:
        """Let go where nothing was shown lately, and pulse."""
        while True:
            self._changed.clear()
            idle_s = None if self._shown_s is None else asyncio.get_running_loop().time() - self._shown_s
            if self._held and (idle_s is None or idle_s > real_seconds(STALE_S)):
                self._hold(False)  # the decisions stand still: that is no "all is well"
            elif self._held and self._pulses:
                self._write(not self._on)
            with suppress(TimeoutError):
                async with asyncio.timeout(real_seconds(PULSE_S if self._pulses and self._held else LOOK_S)):
                    await self._changed.wait()

    def close(self) -> None:
        """Let go."""
        try:
            self._pin.write(False)
        finally:
            self._pin.close()

    def _hold(self, held: bool) -> None:
        if held is self._held:
            return
        self._write(held)
        self._held = held
        self._changed.set()

    def _write(self, on: bool) -> None:
        self._pin.write(on)
        self._on = on
