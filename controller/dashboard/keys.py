"""Keys of whoever sits at the live view: `a` takes notice of the gravest alarm. Granting it is the alarm room's."""

import asyncio
import os
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from controller.alarm.requests import MAX_NAME, Acknowledge
from controller.alarm.table import TRANSITIONS, Trigger
from controller.clock import wall_clock
from controller.pipeline.picture import Picture
from firmware_bridge.scaled_loop import real_seconds

HINT = "a: acknowledge   Ctrl-C: stop"
SEEN_S = 0.75  # of the machine's time: a quarter of a second until it is drawn, and twice a person's reaction time
MAX_READ = 256  # keys at once; whoever leans on the keyboard means one of them


class Keys:
    """Remembers what can be seen, and makes requests of keys; on the running loop."""

    def __init__(self, by: str, ask: Callable[[Acknowledge], None]) -> None:
        """Ask as `by` through `ask`."""
        printable = "".join(character for character in by if character.isprintable()).strip()
        self._by = printable[:MAX_NAME] or "terminal"
        self._ask = ask
        self._since_s: dict[tuple[str, int], float] = {}  # the gravest first

    def picture(self, picture: Picture) -> None:
        """What is shown from now on."""
        now_s = asyncio.get_running_loop().time()
        open_ones = [alarm for alarm in picture.alarms if (alarm.state, Trigger.ACKNOWLEDGED) in TRANSITIONS]
        self._since_s = {
            (alarm.key, alarm.occurrence): self._since_s.get((alarm.key, alarm.occurrence), now_s)
            for alarm in open_ones
        }

    def pressed(self, keys: bytes) -> None:
        """Some keys; what came up as the finger moved is not acknowledged, it was not meant."""
        if b"a" not in keys.lower():
            return
        now_s = asyncio.get_running_loop().time()
        for (key, occurrence), since_s in self._since_s.items():
            if now_s - since_s >= real_seconds(SEEN_S):
                self._ask(Acknowledge(key, occurrence, self._by, wall_clock().isoformat(timespec="milliseconds")))
                return  # one alarm a press: each is to be read


@contextmanager
def listening(fd: int, pressed: Callable[[bytes], None]) -> Iterator[bool]:
    """Hand on keys as they come, without Enter; whether `fd` is a terminal of ours to read from.

    A program in the background that sets up its terminal is stopped by the kernel: it is left alone then.
    """
    try:
        ours = os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        ours = False
    if not ours:
        yield False
        return
    loop = asyncio.get_running_loop()
    before = termios.tcgetattr(fd)

    def read() -> None:
        try:
            keys = os.read(fd, MAX_READ)
        except OSError:
            keys = b""
        if keys:
            pressed(keys)
        else:
            loop.remove_reader(fd)  # it hung up; alarms go on

    tty.setcbreak(fd)
    loop.add_reader(fd, read)
    try:
        yield True
    finally:
        loop.remove_reader(fd)
        with suppress(termios.error, OSError):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)
