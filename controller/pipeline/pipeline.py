"""step(now, events) -> Outcome: joins the thinking rooms in the order in which a sample passes through them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from controller.alarm.machine import AlarmMachine
from controller.alarm.policy import FaultEvidence, fault_conditions, leak_conditions
from controller.alarm.policy import Settings as PolicySettings
from controller.health import Health
from controller.health import Settings as HealthSettings
from controller.localize.locate import LocateJob
from controller.measure.captures import Collector
from controller.pipeline.happenings import (
    Acknowledge,
    BrokerState,
    Happening,
    LocateDone,
    Outcome,
    Picture,
    SensorReading,
)
from controller.pipeline.leak_watch import LeakWatch
from controller.pipeline.leak_watch import Settings as WatchSettings
from controller.tasking import Settings as TaskingSettings
from controller.tasking import Tasking
from firmware_bridge.samples import ScalarBlock, WaveBlock
from firmware_bridge.session.events import CommandOutcome, LinkHealth, SessionEvent, StateChanged
from firmware_bridge.session.states import DELIVERING
from firmware_bridge.site.survey import Site
from firmware_bridge.wire.commands import Capture

Event = SessionEvent | LocateDone | Acknowledge | BrokerState


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of all rooms below."""

    watch: WatchSettings = field(default_factory=WatchSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    tasking: TaskingSettings = field(default_factory=TaskingSettings)


class Pipeline:
    """The whole decision for one site with one compartment that is listened to."""

    def __init__(self, site: Site, compartment: str, settings: Settings) -> None:
        """Join the rooms."""
        self._site = site
        self._settings = settings
        self._health = Health(site, settings.health)
        self._collector = Collector()
        self._watch = LeakWatch(site, compartment, settings.watch)
        self._machine = AlarmMachine()
        self._tasking = Tasking(site, settings.tasking)
        self._broker: BrokerState | None = None
        self._job_running = False
        self._captures = 0

    def step(self, now_ns: int, events: Iterable[Event]) -> Outcome:
        """Take in what came, decide what is due at `now_ns`."""
        happenings: list[Happening] = []
        for event in events:
            happenings += self._take(now_ns, event)
        for capture in self._collector.closed(now_ns):
            self._captures += 1
            self._watch.take_capture(capture)
        delivering = frozenset(node.name for node in self._site.nodes if self._health.delivering(node.name))
        happenings += self._watch.step(now_ns, delivering)
        conditions = leak_conditions(self._watch.evidence(), self._settings.policy)
        conditions += fault_conditions(self._faults(now_ns))
        happenings += self._machine.step(now_ns, conditions)
        tasks = self._tasking.step(now_ns, self._health.delivering, self._machine.standing, alert=self._watch.alert)
        if tasks.capture is not None:
            self._collector.expect(tasks.capture.burst_id, tasks.capture.nodes, tasks.capture.closes_ns)
        return Outcome(tuple(happenings), tasks.orders, self._job(), self._picture(now_ns))

    def _take(self, now_ns: int, event: Event) -> list[Happening]:
        match event:
            case StateChanged():
                self._health.note_state(event)
                if event.node is not None and event.state not in DELIVERING:
                    self._watch.node_gone(event.node)
                elif event.node is not None:
                    self._tasking.rejoined(event.node)
                return [event]
            case LinkHealth():
                self._health.note_health(event)
            case ScalarBlock():
                self._watch.take_scalars(event)
            case WaveBlock():
                self._health.note_burst(event)
                self._watch.take_burst(event)
                self._collector.add(event)
            case CommandOutcome():
                self._tasking.outcome(event)
                # A capture that fails shows in the bursts that do not come; told one by one it would only drown people.
                routine = isinstance(event.command, Capture) or (event.done and event.ticket == 0)
                return [] if routine else [event]
            case LocateDone():
                self._job_running = False
                return self._watch.take_verdict(now_ns, event.verdict)
            case Acknowledge():
                changes, _ = self._machine.acknowledge(now_ns, event.key, event.occurrence, event.by)
                return list(changes)
            case BrokerState():
                self._broker = event
        return []

    def _faults(self, now_ns: int) -> FaultEvidence:
        away = self._broker is not None and not self._broker.connected
        return FaultEvidence(
            lost_nodes=self._health.lost(now_ns),
            broker=self._broker.reason if away and self._broker is not None else None,
            siren=self._tasking.siren_failure,
        )

    def _job(self) -> LocateJob | None:
        """At most one job at a time; sound that comes meanwhile waits in the spectra."""
        if self._job_running:
            return None
        job = self._watch.next_job()
        self._job_running = job is not None
        return job

    def _picture(self, now_ns: int) -> Picture:
        watch = self._watch
        phase = "leak" if watch.evidence().loud_nodes or watch.trend else "watching" if watch.learned else "learning"
        return Picture(
            now_ns=now_ns,
            site=self._site.title,
            phase=phase,
            nodes=self._health.picture(),
            pressures_pa=tuple(SensorReading(name, value) for name, value in watch.pressures_pa.items()),
            loudness_db=tuple(SensorReading(name, value.rise_db) for name, value in watch.loudness.items()),
            trend=watch.trend,
            size=watch.size,
            verdict=watch.verdict,
            alarms=self._machine.standing,
            captures=self._captures,
            late_bursts=self._collector.late,
            incomplete_bursts=self._collector.incomplete,
        )
