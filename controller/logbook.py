"""What a run leaves behind: numbers its entries, hands each to journal, recording and observers. It decides nothing."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from controller.alarm.types import Alarm
from controller.clock import UtcClock
from controller.evidence.keeping import Evidence, Plan
from controller.evidence.state import Memory
from controller.journal.entries import AnyEntry, NoteEntry
from controller.journal.keeper import Keeper, Runner
from controller.journal.standing import Times
from controller.journal.telling import Stamp, entry_of
from controller.pipeline.events import Event
from controller.pipeline.happenings import Happening
from controller.pipeline.picture import Picture
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.scaled_loop import real_seconds
from firmware_bridge.session.tape import Tape

GOODBYE_S = 1.0  # of the machine's time

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Observers:
    """Who looks on: called for each entry and for each picture. What they raise stays theirs."""

    on_entry: Callable[[AnyEntry], None]
    on_picture: Callable[[Picture, float], None]


class Logbook:
    """Of one run. All but `written` and `close` is called on the loop and returns at once."""

    def __init__(self, clock: UtcClock, now: Callable[[], int], observers: Observers, keeper: Keeper | None) -> None:
        """Begin at entry 1. `now` is the loop's time in nanoseconds; without a `keeper` nothing is journaled."""
        self._clock = clock
        self._now = now
        self._observers = observers
        self._keeper = keeper
        self._evidence: Evidence | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._recording: asyncio.Task[None] | None = None
        self._seq = 0

    def recover(self) -> tuple[list[Alarm] | None, str]:
        """How alarms stood before this start, None where that is not known, and what is to be said of it."""
        if self._keeper is None:
            return None, ""
        alarms, told = self._keeper.recover(self._times())
        return alarms if self._keeper.knew else None, told

    def record(self, plan: Plan, memory: Memory, runner: Runner) -> Tape:
        """Record from now on, beginning with what the rooms remember; returns the tape for the conversations."""
        self._evidence = Evidence(plan, self._clock, self._clock.origin_ns, memory, runner, self.tell)
        return self._evidence.tape

    def start(self) -> None:
        """Begin to write."""
        if self._keeper is not None:
            self._keeping = asyncio.create_task(self._keeper.run(), name="journal")
        if self._evidence is not None:
            self._recording = asyncio.create_task(self._evidence.run(), name="recording")

    def dropped(self, place: int) -> None:
        """The event of conversations at `place` of those that wait made way."""
        if self._evidence is not None:
            self._evidence.dropped(place)

    def step(self, now_ns: int, events: Sequence[Event], places: tuple[int, ...] | None) -> None:
        """The pipeline is about to take `events`; `places` are the inbox's."""
        if self._evidence is not None:
            self._evidence.step(now_ns, events, self._seq, places)

    def settle(self, now_ns: int, remembered: Callable[[], Memory]) -> None:
        """A step is over and nothing is half done."""
        if self._evidence is not None:
            self._evidence.settle(now_ns, remembered)

    def entries_of(self, now_ns: int, happenings: Iterable[Happening]) -> list[AnyEntry]:
        """What happened as entries with their numbers, not yet noted: outputs come first."""
        entries = []
        for happening in happenings:
            self._seq += 1
            stamp = Stamp(self._seq, self._clock.utc(now_ns), self._clock.elapsed_s(now_ns), self._clock.origin_ns)
            entries.append(entry_of(happening, stamp))
        return entries

    def stand(self, alarms: Iterable[Alarm]) -> None:
        """How alarms stand now, for the next start; before the entries that tell of it are noted."""
        if self._keeper is not None:
            self._keeper.stand(alarms, self._times(), self._seq)

    def note(self, entry: AnyEntry) -> None:
        """Into the recording, the journal and before those who look on."""
        if self._evidence is not None:
            self._evidence.entry(self._now(), entry)
        if self._keeper is not None:
            self._keeper.note(entry)
        self._observe(lambda: self._observers.on_entry(entry))

    def tell(self, text: str) -> None:
        """A sentence of the controller's own."""
        self.note(self._sentence(text))

    def tell_observers(self, text: str) -> None:
        """A sentence that is not written down: the disk itself is in trouble."""
        sentence = self._sentence(text)
        self._observe(lambda: self._observers.on_entry(sentence))

    def read(self, now_ns: int, events: Iterable[Event]) -> None:
        """Slow values, for the journal only: outputs have the newest in the picture."""
        if self._keeper is not None:
            blocks = (event for event in events if isinstance(event, ScalarBlock))
            self._keeper.read(now_ns, blocks, self._unnumbered)

    def show(self, picture: Picture) -> None:
        """The newest picture, to those who look on."""
        elapsed_s = self._clock.elapsed_s(self._now())
        self._observe(lambda: self._observers.on_picture(picture, elapsed_s))

    def stop(self) -> None:
        """Let what is left be written, and nothing begin."""
        if self._keeper is not None:
            self._keeper.stop(self._unnumbered)
        if self._recording is not None:
            self._recording.cancel()

    async def written(self) -> None:
        """The journal has all that it gets."""
        if self._recording is not None:
            await asyncio.gather(self._recording, return_exceptions=True)
        if self._keeping is not None:
            await self._keeping

    async def close(self) -> None:
        """Close the files; the recording last. What it has not written within `GOODBYE_S` is as after a crash."""
        if self._keeper is not None and self._keeping is not None and self._keeping.done():
            self._keeper.close()
        if self._evidence is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(real_seconds(GOODBYE_S)):
                    await self._evidence.stop()

    def _observe(self, look: Callable[[], None]) -> None:
        """What an observer raises stays the observer's."""
        try:
            look()
        except Exception:
            _log.exception("an observer failed")

    def _sentence(self, text: str) -> NoteEntry:
        self._seq += 1
        return NoteEntry(**self._unnumbered(), text=text)

    def _unnumbered(self) -> dict[str, Any]:
        """A head without a number of its own: what only the journal holds leaves no gap in what outputs tell."""
        now_ns = self._now()
        return {"seq": self._seq, "utc": self._clock.utc(now_ns), "t_s": round(self._clock.elapsed_s(now_ns), 3)}

    def _times(self) -> Times:
        return Times(self._now(), self._clock.utc, self._clock.ns_of)
