"""The composition root: builds the rooms, wires them, supervises them, stops them. It decides nothing."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from controller.clock import UtcClock
from controller.config import Configuration
from controller.journal.entries import AlarmEntry, AnyEntry, NoteEntry
from controller.journal.telling import Stamp, entry_of
from controller.journal.writer import JournalWriter
from controller.localize.locate import LocateJob, Locator
from controller.localize.verdict import NoFix, Reason, Verdict
from controller.outputs.mqtt import MqttOutput
from controller.pipeline.events import BrokerState, Event, LocateDone
from controller.pipeline.picture import Picture
from controller.pipeline.pipeline import Outcome, Pipeline
from firmware_bridge.bridge import Bridge
from firmware_bridge.link import LinkPort
from firmware_bridge.links.mqtt import MqttHub
from firmware_bridge.samples import LevelBlock, ScalarBlock, VibrationBlock, WaveBlock
from firmware_bridge.scaled_loop import real_seconds
from firmware_bridge.session.events import LinkHealth
from firmware_bridge.units import s_to_ns

STEP_S = 0.25  # at least this often the pipeline is asked what is due
MAX_INBOX = 1024  # events; data beyond it make way, oldest first, and are counted: at most 0.3 GB of bursts
STATE_PERIOD_S = 5.0
GOODBYE_S = 1.0  # of the machine's time
MAX_UNWRITTEN = 10_000  # entries; then the oldest make way: the disk has been full for long
RESTART_S = 5.0  # of the machine's time
_DATA = (ScalarBlock, WaveBlock, VibrationBlock, LevelBlock, LinkHealth)


_log = logging.getLogger(__name__)

Runner = Callable[[Callable[[], object]], Awaitable[object]]


async def in_thread(work: Callable[[], object]) -> object:
    """Run heavy or blocking work beside the loop."""
    return await asyncio.to_thread(work)


async def inline(work: Callable[[], object]) -> object:
    """Run it at once: in virtual time nothing else may happen meanwhile."""
    return work()


@dataclass(frozen=True, slots=True)
class Observers:
    """Who looks on: called for each entry and for each picture. What they raise stays theirs."""

    on_entry: Callable[[AnyEntry], None]
    on_picture: Callable[[Picture, float], None]


class App:
    """One running controller."""

    def __init__(
        self,
        configuration: Configuration,
        ports: Sequence[LinkPort],
        hub: MqttHub | None,
        journal_folder: Path | None,
        observers: Observers,
        *,
        runner: Runner = in_thread,
    ) -> None:
        """Wire everything; must be called on the running loop. `hub` only where nodes are behind a broker."""
        now_ns = _now_ns()
        self._clock = UtcClock(now_ns)
        self._origin_ns = now_ns
        self._observers = observers
        self._pipeline = Pipeline(configuration.site, configuration.compartment, configuration.pipeline)
        self._locator = Locator(configuration.site, configuration.compartment, configuration.locate)
        self._expected = len(configuration.site.nodes)
        self._inbox: list[Event] = []
        self._wake = asyncio.Event()
        random = np.random.default_rng()  # jitters reconnections only
        self._bridge = Bridge(configuration.site, ports, configuration.session, self.deliver, random)
        self._hub = hub
        broker = configuration.broker
        self._mqtt = MqttOutput(broker, configuration.site.name, self._broker_changed, self.deliver) if broker else None
        journal = configuration.table.journal
        self._journal = (
            JournalWriter(
                journal_folder,
                self._clock.file_stamp(),
                max_file_bytes=journal.max_file_megabytes * 1_000_000,
                max_files=journal.max_files,
            )
            if journal_folder is not None
            else None
        )
        self._flush_s = journal.flush_s
        self._unwritten: deque[AnyEntry] = deque(maxlen=MAX_UNWRITTEN)
        self._write_now = asyncio.Event()
        self._runner = runner
        self._thinking: asyncio.Task[None] | None = None
        self._seq = 0
        self._next_state_ns = 0
        self._stopping = False
        self.dropped_blocks = 0

    async def run(self) -> None:
        """Run until cancelled; then say goodbye within a bounded time."""
        self._tell(f"controller started; {self._expected} nodes expected")
        bridge = asyncio.create_task(self._bridge.run(), name="bridge")
        helpers = [asyncio.create_task(self._write_journal(), name="journal")]
        if self._hub is not None:
            helpers.append(asyncio.create_task(self._keep("connection to the MQTT nodes", self._hub.run)))
        if self._mqtt is not None:
            helpers.append(asyncio.create_task(self._keep("MQTT output", self._mqtt.run)))
        try:
            while not bridge.done():
                await self._turn()
            bridge.result()  # it ends only by a fault of ours: exit non-zero, so that systemd starts us again
        finally:
            await self._stop(bridge, helpers)

    def deliver(self, event: Event) -> None:
        """Put an event into the inbox; never waits. Where it is full, data make way, decisions and states never do."""
        if len(self._inbox) >= MAX_INBOX:
            oldest = next((i for i, waiting in enumerate(self._inbox) if isinstance(waiting, _DATA)), None)
            if oldest is not None:
                del self._inbox[oldest]
            self.dropped_blocks += 1
        self._inbox.append(event)
        self._wake.set()

    async def _keep(self, what: str, run: Callable[[], Awaitable[None]]) -> None:
        """Keep something running that the decisions do not depend on; its end is told as the broker's."""
        while True:
            try:
                await run()
            except Exception as error:  # whatever it is, alarms go on without it
                _log.exception("%s failed", what)
                self._broker_changed(False, f"{what} failed ({error}); mend [mqtt] or report this")
            await asyncio.sleep(real_seconds(RESTART_S))

    async def _turn(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(STEP_S):
                await self._wake.wait()
        self._wake.clear()
        events, self._inbox = self._inbox, []
        self._fan_out(self._pipeline.step(_now_ns(), events))

    def _fan_out(self, outcome: Outcome) -> None:
        """Commands (the siren's among them) and MQTT first, then heavy work, then journal and displays."""
        entries = [entry_of(happening, self._stamp()) for happening in outcome.happenings]
        for order in outcome.orders:
            self._bridge.send(order.node, order.ticket, order.command)
        if self._mqtt is not None:
            for entry in entries:
                self._mqtt.publish(entry)
            if entries or _now_ns() >= self._next_state_ns:
                self._next_state_ns = _now_ns() + s_to_ns(STATE_PERIOD_S)
                self._mqtt.publish_state(self._clock.utc(_now_ns()), outcome.picture)
        if outcome.job is not None:  # the pipeline has at most one under way
            self._thinking = asyncio.create_task(self._think(outcome.job), name="locate")
        for entry in entries:
            self._note(entry)
        elapsed_s = self._clock.elapsed_s(_now_ns())
        self._observe(lambda: self._observers.on_picture(outcome.picture, elapsed_s))

    async def _think(self, job: LocateJob) -> None:
        verdicts: list[Verdict] = []
        try:
            await self._runner(lambda: verdicts.append(self._locator.locate(job)))
        except Exception as error:  # alarms must outlive a fault of the locator, and people must hear of it
            _log.exception("the locator failed")
            verdicts = [NoFix(Reason.INTERNAL, f"the locator failed ({error}); please report this")]
        self.deliver(LocateDone(verdicts[0], job.generation))

    def _note(self, entry: AnyEntry) -> None:
        self._unwritten.append(entry)
        if isinstance(entry, AlarmEntry):
            self._write_now.set()
        self._observe(lambda: self._observers.on_entry(entry))

    def _observe(self, look: Callable[[], None]) -> None:
        """What an observer raises stays the observer's."""
        try:
            look()
        except Exception:
            _log.exception("an observer failed")

    def _tell(self, text: str) -> None:
        self._note(self._complaint(text))

    async def _write_journal(self) -> None:
        """Batches while nothing happens, at once and durably on an alarm; ends after the last batch."""
        while not self._stopping:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._flush_s):
                    await self._write_now.wait()
            durable = self._write_now.is_set()
            self._write_now.clear()
            if not await self._write_batch(durable=durable) and durable:
                await asyncio.sleep(real_seconds(RESTART_S))
                self._write_now.set()  # what was urgent stays so

    async def _write_batch(self, *, durable: bool) -> bool:
        """Whether everything is written."""
        batch = list(self._unwritten)
        journal = self._journal
        if journal is None or not batch:
            self._unwritten.clear()
            return True
        try:
            await self._runner(lambda: journal.append(batch, durable=durable))
        except OSError as error:
            # Alarms do not wait for disks: keep what fits, say so, try again.
            complaint = self._complaint(f"journal: {error.strerror}; free the disk or mend [journal]")
            self._observe(lambda: self._observers.on_entry(complaint))
            return False
        for _ in batch:
            self._unwritten.popleft()
        return True

    def _complaint(self, text: str) -> NoteEntry:
        stamp = self._stamp()
        return NoteEntry(seq=stamp.seq, utc=stamp.utc, t_s=round(stamp.t_s, 3), text=text)

    def _stamp(self) -> Stamp:
        now_ns = _now_ns()
        self._seq += 1
        return Stamp(self._seq, self._clock.utc(now_ns), self._clock.elapsed_s(now_ns), self._origin_ns)

    def _broker_changed(self, connected: bool, reason: str) -> None:
        self.deliver(BrokerState(connected, reason))

    async def _stop(self, bridge: asyncio.Task[None], helpers: list[asyncio.Task[None]]) -> None:
        self._tell("controller stopped")
        self._stopping = True
        self._write_now.set()
        journal, *others = helpers
        for task in (bridge, *others, *((self._thinking,) if self._thinking else ())):
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(real_seconds(GOODBYE_S)):
                await asyncio.gather(bridge, *others, return_exceptions=True)
                await journal
        if self._journal is not None and journal.done():
            with suppress(OSError):
                self._journal.close()


def _now_ns() -> int:
    return s_to_ns(asyncio.get_running_loop().time())
