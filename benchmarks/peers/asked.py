"""What every peer is asked, and how a package that may be absent is looked for."""

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.hull import Hull

BAND_HZ = (12e3, 90e3)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One question: where is the one source on the hull?

    Args:
        signals: (microphones, samples) Pa, all coherent; bursts one behind the other.
        rate_hz: of the samples.
        microphones_m: (microphones, 3), exact.
        nodes: of each microphone.
        hull: on which the source sits.
        speed_m_s: of sound, exact.
        burst: samples of one burst.
    """

    signals: Floats
    rate_hz: float
    microphones_m: Floats
    nodes: tuple[str, ...]
    hull: Hull
    speed_m_s: float
    burst: int


def wanted(name: str) -> Any:  # noqa: ANN401 - peers have no types
    """The module; ModuleNotFoundError where it is not installed."""
    found: ModuleType = importlib.import_module(name)
    return found


def missing(package: str) -> str | None:
    """Why a peer cannot be asked; None where it can."""
    try:
        importlib.import_module(package)
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None
