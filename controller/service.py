"""Tells systemd that the controller is up and still turns, as sd_notify(3) has it; without systemd it says nothing."""

import logging
import os
import socket
from collections.abc import Mapping

LEAST_PERIOD_S = 0.25  # WATCHDOG_USEC may be anything
SHARE = 4.0  # of the watchdog's time are between two signs of life: one that is lost does no harm

_log = logging.getLogger(__name__)


class Service:
    """One process under systemd; `environment` is where systemd says how to reach it."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Open the socket that systemd names; say nothing where there is none."""
        self._socket: socket.socket | None = None
        self._next_s: float | None = None
        self._period_s = _period_s(environment)
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)

    def turned(self, now_s: float) -> None:
        """A whole step was completed at `now_s`, monotonic: the first says that we are up, later ones that we live."""
        if self._socket is None:
            return
        if self._next_s is None:
            self._say("READY=1")
        elif now_s < self._next_s:
            return
        self._say("WATCHDOG=1")
        self._next_s = now_s + self._period_s

    def close(self) -> None:
        """We are about to end."""
        self._say("STOPPING=1")
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _say(self, state: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(state.encode(), self._address)
        except OSError as error:  # a full or vanished socket must not stop alarms; systemd then judges by silence
            _log.warning("systemd was not told %s (%s)", state.partition("=")[0], error)


def _period_s(environment: Mapping[str, str]) -> float:
    """Seconds between signs of life; endless where systemd watches no one, or another process."""
    microseconds, whose = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdecimal() or int(microseconds) == 0 or whose != str(os.getpid()):
        return float("inf")
    return max(LEAST_PERIOD_S, int(microseconds) / 1e6 / SHARE)
