"""What all rooms remember, as bytes and back, so that a recording can begin anywhere; nothing is decided here.

The bytes are a pickle. Reading one makes only values of the thinking rooms, of numpy and of plain containers: nothing
that such a room could not do anyway is done by reading it, whoever wrote the file.
"""

import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType
from typing import Any

from controller.localize.locate import LocateJob, Locator
from controller.pipeline.pipeline import Pipeline
from firmware_bridge.errors import RecordingError
from firmware_bridge.session.events import SessionEvent
from firmware_bridge.session.exchange import Exchange

_PROTOCOL = 5
# Those that do no I/O and own no clock (see the contracts in pyproject.toml), by the beginning of their names.
_ROOMS = (
    "firmware_bridge.samples",
    "firmware_bridge.session.",
    "firmware_bridge.site.",
    "firmware_bridge.timebase",
    "firmware_bridge.units",
    "firmware_bridge.wire.",
    "controller.alarm.",
    "controller.detect.",
    "controller.health",
    "controller.isolate.",
    "controller.localize.",
    "controller.measure.",
    "controller.pipeline.",
    "controller.quiet.",
    "controller.tasking",
)
_PLAIN = {
    ("builtins", "bytearray"),
    ("builtins", "complex"),
    ("builtins", "frozenset"),
    ("builtins", "range"),
    ("builtins", "set"),
    ("builtins", "slice"),
    ("collections", "Counter"),
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("collections", "deque"),
    ("builtins", "dict"),
    ("builtins", "list"),
    ("builtins", "float"),
    ("builtins", "int"),
    ("copyreg", "_reconstructor"),
    ("builtins", "object"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}

_PARTS: tuple[type | tuple[type, ...], ...] = (Exchange, Pipeline, Locator, (LocateJob, NoneType), list)


@dataclass(slots=True)
class Memory:
    """Everything that the next decision depends on: `pending` came in after the last step, `job` is being computed."""

    exchange: Exchange
    pipeline: Pipeline
    locator: Locator
    job: LocateJob | None
    pending: list[SessionEvent]


def freeze(memory: Memory) -> bytes:
    """As bytes. Raises pickle.PicklingError, TypeError or AttributeError where a room keeps what cannot be kept."""
    parts = (memory.exchange, memory.pipeline, memory.locator, memory.job, memory.pending)
    return pickle.dumps(parts, protocol=_PROTOCOL)


def thaw(data: bytes) -> Memory:
    """As it was.

    Raises:
        RecordingError: the bytes are damaged, of another version, or not of our making.
    """
    try:
        parts = _Reader(io.BytesIO(data)).load()
    except Exception as error:  # a damaged pickle fails in any way it likes
        raise RecordingError(
            f"what the controller remembered cannot be read ({error})",
            remedy="replay the recording with the version that made it (leakctl --version), from the run's first part",
        ) from error
    known = isinstance(parts, tuple) and len(parts) == len(_PARTS)
    if not known or not all(isinstance(part, kind) for part, kind in zip(parts, _PARTS, strict=True)):
        raise RecordingError("what the controller remembered is something else", remedy="the file is not of our making")
    return Memory(*parts)


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - what pickle asks for
        if (module, name) in _PLAIN:
            found: Callable[..., Any] = super().find_class(module, name)
            return found
        if module.startswith(_ROOMS) and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} has no place in it")
