"""The recording of the run that goes on: what the controller tells it, and when it writes. Replays are next door."""

import asyncio
import logging
import pickle
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version

from controller.clock import UtcClock
from controller.evidence.state import Memory, freeze
from controller.evidence.steps import ENTRIES, STEPS, step_data
from controller.journal.entries import AlarmEntry, AnyEntry, DetectionEntry, to_json
from controller.pipeline.events import Event
from firmware_bridge.links.recording import Recorder, Settings
from firmware_bridge.links.recording_file import Head
from firmware_bridge.scaled_loop import real_seconds
from firmware_bridge.session.tape import Mark, Tape

WRITE_PERIOD_S = 2.0  # what a loss of power may cost; each write is one sync of the disk
_NEWS = frozenset({"raised", "graver", "grew"})
_MINOR = "advisory"  # told and journaled; nothing that one would want to hear again

_log = logging.getLogger(__name__)

Runner = Callable[[Callable[[], object]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to record, and the declared tables (JSON) without which it could not be replayed."""

    settings: Settings
    site: bytes
    controller: bytes
    compartment: str


class Evidence:
    """Takes everything that a replay needs."""

    def __init__(
        self,
        plan: Plan,
        clock: UtcClock,
        now_ns: int,
        memory: Memory,
        runner: Runner,
        on_trouble: Callable[[str], None],
    ) -> None:
        """Begin with what the rooms remember now; `on_trouble` is told in a sentence what cannot be recorded."""
        stamp = _file_stamp(clock.utc(now_ns))
        software = f"leakloc {version('leakloc')}"
        head = Head(
            run=stamp,
            software=software,
            origin_ns=now_ns,
            origin_utc_ns=clock.origin_utc_ns,
            site=plan.site,
            controller=plan.controller,
            compartment=plan.compartment,
            links=memory.exchange.links,
        )
        self._on_trouble = on_trouble
        self._runner = runner
        self._drops: list[int] = []
        self._forgetful = False
        self._told_given_up = 0
        self._told_overflowed = 0
        self._stopping = False
        self._recorder = Recorder(
            head, plan.settings, lambda at_ns: _file_stamp(clock.utc(at_ns)), now_ns, self._frozen(memory)
        )

    @property
    def tape(self) -> Tape:
        """For the conversations."""
        return self._recorder

    def dropped(self, place: int) -> None:
        """The event of conversations at `place` of those that wait made way."""
        self._drops.append(place)

    def step(self, now_ns: int, events: Sequence[Event], seq: int, places: tuple[int, ...] | None = None) -> None:
        """The pipeline is about to take `events`; `seq` is the last entry's number, `places` are the inbox's."""
        self._recorder.mark(Mark(STEPS, now_ns, now_ns, step_data(events, self._drops, seq, places)))
        self._drops.clear()

    def entry(self, now_ns: int, entry: AnyEntry) -> None:
        """An entry was made; what is worth it is kept with all around it."""
        self._recorder.mark(Mark(ENTRIES, now_ns, now_ns, to_json(entry)))
        if isinstance(entry, AlarmEntry) and entry.cause in _NEWS and entry.alarm_class != _MINOR:
            self._recorder.keep(now_ns, "".join(c if c.isalnum() or c == "-" else "_" for c in entry.key))
        elif isinstance(entry, DetectionEntry):
            self._recorder.keep(now_ns, "detection")

    def settle(self, now_ns: int, remembered: Callable[[], Memory]) -> None:
        """A step is over and nothing is half done."""
        self._recorder.settle(now_ns, lambda: self._frozen(remembered()))
        if self._recorder.given_up > self._told_given_up:
            self._told_given_up = self._recorder.given_up
            self._on_trouble("recording: the disk is too slow or full; a stretch is not recorded")
        if self._recorder.overflowed > self._told_overflowed:
            self._told_overflowed = self._recorder.overflowed
            self._on_trouble("recording: a line floods; what comes before an event is not kept for a minute")

    async def run(self) -> None:
        """Write now and then, until `stop`; then once more."""
        while not self._stopping:
            await asyncio.sleep(real_seconds(WRITE_PERIOD_S))
            await self._write()

    async def stop(self) -> None:
        """Write what is left, and close."""
        self._stopping = True
        self._recorder.end()
        await self._write()

    async def _write(self) -> None:
        parts = self._recorder.take()
        if not parts:
            return
        try:
            await self._runner(lambda: self._recorder.write(parts))
        except OSError as error:
            self._recorder.failed(round(asyncio.get_running_loop().time() * 1e9))
            self._on_trouble(f"recording: {error.strerror or error}; free the disk or mend [recording]")

    def _frozen(self, memory: Memory) -> bytes | None:
        with suppress(pickle.PicklingError, TypeError, AttributeError):
            return freeze(memory)
        if not self._forgetful:
            self._forgetful = True
            _log.exception("what the rooms remember cannot be recorded")
        return None


def _file_stamp(utc: str) -> str:
    return utc.replace("-", "").replace(":", "").replace(".", "")
