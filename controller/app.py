"""The composition root: builds the rooms, wires them, supervises them, stops them. It decides and keeps nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np

from controller.alarm.keys import CLOCKS
from controller.clock import ClockWatch, UtcClock
from controller.config import Configuration
from controller.evidence.keeping import Plan
from controller.evidence.state import Memory
from controller.evidence.steps import told_by_conversations
from controller.journal.entries import AlarmEntry
from controller.journal.keeper import Keeper, Runner
from controller.journal.keeper import Settings as KeeperSettings
from controller.journal.standing import Times
from controller.localize.locate import LocateJob, Locator
from controller.localize.verdict import NoFix, Reason, Verdict
from controller.logbook import GOODBYE_S, Logbook, Observers
from controller.outputs.building import Surroundings, outputs_of
from controller.outputs.mqtt.building import Choices, mqtt_output
from controller.outputs.node_desk import NodeDesk, sorting
from controller.outputs.node_requests import Hands
from controller.outputs.switchboard import Switchboard
from controller.pipeline.events import BrokerState, Event, LocateDone, OwnHealth
from controller.pipeline.inbox import Inbox
from controller.pipeline.pipeline import Outcome, Pipeline
from firmware_bridge.bridge import Bridge
from firmware_bridge.link import LinkPort
from firmware_bridge.links.mqtt import MqttHub
from firmware_bridge.scaled_loop import real_seconds
from firmware_bridge.session.exchange import Exchange
from firmware_bridge.units import s_to_ns

STEP_S = 0.25  # at least this often the pipeline is asked what is due
STATE_PERIOD_S = 5.0
RESTART_S = 5.0  # of the machine's time


_log = logging.getLogger(__name__)


async def in_thread(work: Callable[[], object]) -> object:
    """Run heavy or blocking work beside the loop."""
    return await asyncio.to_thread(work)


async def inline(work: Callable[[], object]) -> object:
    """Run it at once: in virtual time nothing else may happen meanwhile."""
    return work()


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
        recording: Plan | None = None,
        wall: Callable[[], datetime] | None = None,
    ) -> None:
        """Wire everything; must be called on the running loop. `hub` only where nodes are behind a broker.

        `wall` is the machine's UTC, to see when it is set; None where the loop does not run with it.
        """
        now_ns = _now_ns()
        self._clock = UtcClock(now_ns)
        self._clock_watch = None if wall is None else ClockWatch(self._clock, wall)
        self._inbox = Inbox(self._dropped)
        self._wake = asyncio.Event()
        keeper = self._keeper_of(configuration, journal_folder, runner)
        self._logbook = Logbook(self._clock, _now_ns, observers, keeper)
        self._pipeline = Pipeline(configuration.site, configuration.compartment, configuration.pipeline)
        self._locator = Locator(configuration.site, configuration.compartment, configuration.locate)
        self._expected = len(configuration.site.nodes)
        random = np.random.default_rng()  # jitters reconnections only
        self._exchange = Exchange(configuration.site, (port.name for port in ports), configuration.session)
        self._bridge = Bridge(self._exchange, ports, self.deliver, random)
        self._job: LocateJob | None = None
        self._hub = hub
        self._desk = self._desk_of(configuration)
        mqtt = configuration.table.mqtt
        choices = Choices(mqtt.command_users, mqtt.home_assistant)
        hears = (self._broker_changed, sorting(self._desk, self.deliver), self._logbook.tell)
        self._mqtt = mqtt_output(configuration.broker, configuration.site, choices, journal_folder, runner, hears)
        around = Surroundings(self.deliver, self._logbook.tell, self._utc)
        outputs = outputs_of(configuration.table.outputs, around)
        self._outputs = Switchboard((*outputs, *filter(None, (self._mqtt,))), self._output_changed)
        self._runner = runner
        self._thinking: asyncio.Task[None] | None = None
        self._next_state_ns = 0
        alarms, self._recovery = self._logbook.recover()
        if alarms is not None:
            self._pipeline.restore_alarms(now_ns, alarms)
        self._logbook.stand(self._pipeline.alarm_record)  # so that the next start knows, come what may
        if recording is not None:
            self._exchange.listen(self._logbook.record(recording, self._memory(), runner))

    def _keeper_of(self, configuration: Configuration, folder: Path | None, runner: Runner) -> Keeper | None:
        if folder is None:
            return None
        table = configuration.table.journal
        keeping = KeeperSettings(table.max_file_megabytes * 1_000_000, table.max_files, table.flush_s)
        stamp, name = self._clock.file_stamp(), configuration.site.name
        times = Times(_now_ns(), self._clock.utc, self._clock.ns_of)
        return Keeper(folder, stamp, keeping, times, runner, self._disk_changed, name)

    def _desk_of(self, configuration: Configuration) -> NodeDesk | None:
        broker, site = configuration.broker, configuration.site.name
        if broker is None:
            return None
        hands = Hands(self._bridge.send, self._bridge.greet)
        return NodeDesk(broker, site, self._exchange.links, hands, self._utc, self._logbook.tell)

    async def run(self) -> None:
        """Run until cancelled; then say goodbye within a bounded time."""
        self._logbook.tell(f"controller started; {self._expected} nodes expected{self._recovery}")
        bridge = asyncio.create_task(self._bridge.run(), name="bridge")
        helpers: list[asyncio.Task[None]] = []
        self._logbook.start()
        if self._hub is not None:
            helpers.append(asyncio.create_task(self._keep("connection to the MQTT nodes", self._hub.run)))
        if self._desk is not None:
            helpers.append(asyncio.create_task(self._keep("nodes on MQTT", self._desk.run)))
        helpers.append(asyncio.create_task(self._outputs.run(), name="outputs"))
        try:
            while not bridge.done():
                await self._turn()
            bridge.result()  # it ends only by a fault of ours: exit non-zero, so that systemd starts us again
        finally:
            await self._stop(bridge, helpers)

    def deliver(self, event: Event) -> None:
        """Put an event into the inbox; never waits. Where it is full, data make way, decisions and states never do."""
        self._inbox.put(event)
        self._wake.set()
        if self._desk is not None:
            self._desk.take(event)

    def _dropped(self, place: int) -> None:
        """Data had to make way."""
        self._logbook.dropped(place)

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
        now_ns = _now_ns()
        for trouble in () if self._clock_watch is None else self._clock_watch.look(_now_ns):
            self.deliver(OwnHealth(CLOCKS, trouble))
        events = self._inbox.take(now_ns)
        self._logbook.step(now_ns, events, self._inbox.places)
        self._fan_out(now_ns, self._pipeline.step(now_ns, events))
        self._logbook.read(now_ns, events)
        if self._thinking is None or self._thinking.done():
            self._logbook.settle(now_ns, self._memory)  # not while the locator changes what it remembers
        if self._inbox.waiting:  # bursts, which may be overtaken: first what came meanwhile is read
            self._wake.set()
            await asyncio.sleep(0)

    def _memory(self) -> Memory:
        """All that the next decision depends on."""
        pending = told_by_conversations(self._inbox.waiting)
        return Memory(self._exchange, self._pipeline, self._locator, self._job, pending)

    def _fan_out(self, now_ns: int, outcome: Outcome) -> None:
        """Commands (the siren's among them), outputs and MQTT first, then heavy work, then journal and displays."""
        for order in outcome.orders:
            self._bridge.send(order.node, order.ticket, order.command)
        self._outputs.show(outcome.picture.alarms)
        entries = self._logbook.entries_of(now_ns, outcome.happenings)
        if self._mqtt is not None:
            for entry in entries:
                self._mqtt.publish(entry)
            if entries or _now_ns() >= self._next_state_ns:
                self._next_state_ns = _now_ns() + s_to_ns(STATE_PERIOD_S)
                self._mqtt.publish_state(self._utc(), outcome.picture)
        if outcome.job is not None:  # the pipeline has at most one under way
            self._job = outcome.job
            self._thinking = asyncio.create_task(self._think(outcome.job), name="locate")
        if any(isinstance(entry, AlarmEntry) for entry in entries):
            self._logbook.stand(self._pipeline.alarm_record)
        for entry in entries:
            self._logbook.note(entry)
        self._logbook.show(outcome.picture)

    async def _think(self, job: LocateJob) -> None:
        verdicts: list[Verdict] = []
        try:
            await self._runner(lambda: verdicts.extend(self._locator.locate_all(job)))
            self.deliver(OwnHealth("locator", None))
        except Exception as error:  # alarms must outlive a fault of the locator, and people must hear of it
            _log.exception("the locator failed")
            self.deliver(OwnHealth("locator", f"it failed ({error}); please report this"))
            verdicts = [NoFix(Reason.INTERNAL, f"the locator failed ({error}); please report this")]
        self.deliver(LocateDone(tuple(verdicts), job.generation))

    def _disk_changed(self, trouble: str | None) -> None:
        """The journal cannot be written, or can again."""
        self.deliver(OwnHealth("disk", trouble))
        if trouble is not None:
            self._logbook.tell_observers(trouble)

    def _utc(self) -> str:
        return self._clock.utc(_now_ns())

    def _output_changed(self, part: str, trouble: str | None) -> None:
        self.deliver(OwnHealth(part, trouble))

    def _broker_changed(self, connected: bool, reason: str) -> None:
        self.deliver(BrokerState(connected, reason))

    async def _stop(self, bridge: asyncio.Task[None], helpers: list[asyncio.Task[None]]) -> None:
        self._outputs.close()  # first of all: the relay falls, whatever comes
        self._logbook.tell("controller stopped")
        self._logbook.stop()
        for task in (bridge, *helpers, *((self._thinking,) if self._thinking else ())):
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(real_seconds(GOODBYE_S)):
                await asyncio.gather(bridge, *helpers, return_exceptions=True)
                await self._logbook.written()
        await self._logbook.close()


def _now_ns() -> int:
    return s_to_ns(asyncio.get_running_loop().time())
