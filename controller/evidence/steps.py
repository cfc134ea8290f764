"""One step of the pipeline as a mark: which events it took, in which order, and what of them came from outside.

What conversations tell follows from their bytes, so only its count is written; what people, brokers and the machine
itself told is written out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any, cast, get_args

import msgspec

from controller.pipeline.events import Event, LocateDone
from firmware_bridge.errors import RecordingError
from firmware_bridge.session.events import SessionEvent

STEPS = "controller/steps"
ENTRIES = "controller/entries"
FROM_BRIDGE: tuple[type, ...] = get_args(SessionEvent)
_OUTSIDE = {kind.__name__: kind for kind in get_args(Event) if kind not in FROM_BRIDGE}


class Told(msgspec.Struct, frozen=True):
    """One event from outside: the name of its type, and its fields."""

    kind: str
    fields: dict[str, Any]


class StepMark(msgspec.Struct, frozen=True):
    """`takes`: how many events of conversations, then an event from outside, and so on, in the order of the inbox.

    `drops` are the places in the queue of those that made way, in order; `seq` is the last entry's number before it.
    `places` are those, after the drops, of the events of conversations that were taken; null for the first ones.
    """

    takes: list[int | Told]
    drops: list[int]
    seq: int
    places: tuple[int, ...] | None = None


class VerdictOf(msgspec.Struct, frozen=True):
    """A finished job, by its generation: the verdict is computed again."""

    generation: int


def told_by_conversations(events: Iterable[Event]) -> list[SessionEvent]:
    """Of an inbox, what no replay has to be told."""
    return [cast("SessionEvent", event) for event in events if isinstance(event, FROM_BRIDGE)]


def step_data(events: Sequence[Event], drops: Sequence[int], seq: int, places: tuple[int, ...] | None = None) -> bytes:
    """A step as a mark's data."""
    takes: list[int | Told] = []
    for event in events:
        if isinstance(event, FROM_BRIDGE):
            if takes and isinstance(takes[-1], int):
                takes[-1] += 1
            else:
                takes.append(1)
        elif isinstance(event, LocateDone):
            takes.append(Told("LocateDone", {"generation": event.generation}))
        else:
            takes.append(Told(type(event).__name__, _fields(event)))
    return msgspec.json.encode(StepMark(takes, list(drops), seq, places))


def step_of(data: bytes) -> StepMark:
    """The step that `step_data` wrote. Raises RecordingError."""
    try:
        return msgspec.json.decode(data, type=StepMark)
    except msgspec.MsgspecError as error:
        raise RecordingError(f"a damaged step ({error})", remedy="the recording can be replayed up to it") from error


def events_of(step: StepMark, pending: list[SessionEvent]) -> Iterator[Event | VerdictOf]:
    """The events of `step`, taken out of `pending`."""
    try:
        for place in step.drops:
            del pending[place]
        number = sum(take for take in step.takes if isinstance(take, int))
        places = range(number) if step.places is None else step.places
        if number > len(pending):
            raise RecordingError("conversations told less than they did", remedy="replay with the same version")
        chosen = iter([pending[place] for place in places])
        left = set(places)
        pending[:] = [event for place, event in enumerate(pending) if place not in left]
        for take in step.takes:
            if isinstance(take, int):
                yield from islice(chosen, take)
            elif take.kind == "LocateDone":
                yield VerdictOf(int(take.fields["generation"]))
            else:
                yield cast("Event", msgspec.convert(take.fields, _OUTSIDE[take.kind]))
    except (IndexError, KeyError, ValueError, TypeError, msgspec.MsgspecError) as error:
        raise RecordingError(
            f"a step takes what is not there ({error})", remedy="replay with the same version"
        ) from error


def _fields(event: object) -> dict[str, Any]:
    assert is_dataclass(event)  # noqa: S101 - all events are
    plain = {field.name: getattr(event, field.name) for field in fields(event)}
    return cast("dict[str, Any]", msgspec.to_builtins(plain))
