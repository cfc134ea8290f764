"""Which retained topics an entry changes: places, rates, advice. Alarms, and the publishing, are next door's."""

from collections.abc import Iterator

import msgspec

from controller.journal.entries import (
    AnyEntry,
    DetectionOverEntry,
    FixEntry,
    IsolationEntry,
    LeakGoneEntry,
    LeakRateEntry,
    NoFixEntry,
    PressureSteadyEntry,
    QuietOverEntry,
    QuietWindowEntry,
    to_json,
)
from controller.outputs.mqtt.messages import LeaksMessage

FINDINGS = ("fix", "leaks", "leak_rate", "isolation", "quiet_window")


class Findings:
    """What has been found so far, as far as later entries refer to it."""

    def __init__(self) -> None:
        """Nothing is known."""
        self._leaks: dict[int, FixEntry] = {}  # those that are followed, by number; the locator bounds them

    def said(self, entry: AnyEntry, payload: bytes) -> Iterator[tuple[str, bytes]]:
        """Topics, below the prefix, and what they are to say now; empty payloads clear."""
        match entry:
            case FixEntry() | LeakGoneEntry() | NoFixEntry():
                yield from self._places(entry, payload)
            case LeakRateEntry():
                yield "leak_rate", payload
            case DetectionOverEntry():
                self._leaks.clear()
                yield "fix", b""
                yield "leaks", b""
            case IsolationEntry():
                yield "isolation", payload
            case QuietWindowEntry():
                yield "quiet_window", payload
            case QuietOverEntry():
                yield "quiet_window", b""
            case PressureSteadyEntry():
                yield "leak_rate", b""
            case _:
                return

    def _places(self, entry: FixEntry | LeakGoneEntry | NoFixEntry, payload: bytes) -> Iterator[tuple[str, bytes]]:
        """`fix` is of the leak that has been known for longest, or says why there is none; `leaks` holds all."""
        if isinstance(entry, FixEntry):
            self._leaks[entry.leak] = entry
        elif isinstance(entry, LeakGoneEntry):
            self._leaks.pop(entry.leak, None)
        else:
            self._leaks.clear()
            yield "fix", payload
        known = [self._leaks[number] for number in sorted(self._leaks)]
        if known:
            yield "fix", to_json(known[0])
        yield "leaks", msgspec.json.encode(LeaksMessage(tuple(known)))
