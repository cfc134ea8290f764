"""What is soldered to a node's firmware, and what its pins are wired to; what it does with them is firmware's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.wire.framing import PROTOCOL_VERSION
from firmware_bridge.wire.reports import Channel, Feature

POWER_UP, WATCHDOG = 1, 3  # reset causes as the wire numbers them
BOARD_TEMPERATURE_K = 308.0
BOARD_SUPPLY_V = 5.0


@dataclass(frozen=True, slots=True)
class Board:
    """What is soldered: fixed facts of one node."""

    uid: int
    channels: tuple[Channel, ...]
    features: Feature
    burst_rate_hz: int
    longest_burst: int
    min_version: int = PROTOCOL_VERSION
    max_version: int = PROTOCOL_VERSION
    bands_hz: tuple[tuple[float, float], ...] = ()
    outputs: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class BurstOrder:
    """A burst that begins: true start, length, and whether this node pulses the trigger line at the start.

    `start_number` is that of the firmware's start which asked for it; None for a burst that no firmware asked for.
    """

    burst_id: int
    start_ns: int
    samples: int
    triggered: bool
    drives_line: bool = False
    start_number: int | None = None


def _no_levels(start_ns: int, window_ns: int) -> NDArray[np.float64]:
    raise NotImplementedError(f"no band levels are wired up ({start_ns}, {window_ns})")


def _no_relay(output: int, on: bool) -> None:
    raise NotImplementedError(f"no relay {output} is wired up ({on})")


@dataclass(frozen=True, slots=True)
class Pins:
    """What the firmware's pins lead to.

    Args:
        levels: (true start, ns; window, ns) -> mean squares (channels, bands) of the burst channels in counts^2.
        relay: (output, on) moves a relay.
        board: temperature (K) and supply (V) of the board now.
    """

    levels: Callable[[int, int], NDArray[np.float64]] = _no_levels
    relay: Callable[[int, bool], None] = _no_relay
    board: Callable[[], tuple[float, float]] = lambda: (BOARD_TEMPERATURE_K, BOARD_SUPPLY_V)


def runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring channel numbers as (first, how many): what goes into one frame."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][0] + found[-1][1] == number:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((number, 1))
    return found
