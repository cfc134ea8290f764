"""step(now, events) -> Outcome: joins the thinking rooms in the order in which a sample passes through them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from controller.alarm.machine import AlarmMachine
from controller.alarm.policy import FaultEvidence, LeakEvidence, fault_conditions, leak_conditions
from controller.alarm.policy import Settings as PolicySettings
from controller.detect.onset import Settings as OnsetSettings
from controller.detect.pressure import Settings as PressureSettings
from controller.health import Health
from controller.health import Settings as HealthSettings
from controller.localize.locate import LocateJob
from controller.measure.captures import Collector
from controller.measure.leak_size import Settings as SizeSettings
from controller.pipeline.events import Acknowledge, BrokerState, Event, LocateDone
from controller.pipeline.happenings import Happening
from controller.pipeline.picture import Picture, Reading
from controller.pipeline.pressure_watch import PressureWatch
from controller.pipeline.sound_watch import Phase, SoundWatch
from controller.tasking import Order, Tasking
from controller.tasking import Settings as TaskingSettings
from firmware_bridge.samples import LevelBlock, ScalarBlock, VibrationBlock, WaveBlock
from firmware_bridge.session.events import CommandOutcome, LinkHealth, StateChanged
from firmware_bridge.session.states import DELIVERING
from firmware_bridge.site.survey import Site
from firmware_bridge.wire.commands import Capture, Start


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of all rooms below."""

    onset: OnsetSettings = field(default_factory=OnsetSettings)
    pressure: PressureSettings = field(default_factory=PressureSettings)
    size: SizeSettings = field(default_factory=SizeSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    tasking: TaskingSettings = field(default_factory=TaskingSettings)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step decided. `job`, where present, is to be computed and come back as `LocateDone`."""

    happenings: tuple[Happening, ...]
    orders: tuple[Order, ...]
    job: LocateJob | None
    picture: Picture


class Pipeline:
    """The whole decision for one site with one compartment that is listened to."""

    def __init__(self, site: Site, compartment: str, settings: Settings) -> None:
        """Join the rooms."""
        self._site = site
        self._settings = settings
        self._node_of = {sensor.name: node.name for node in site.nodes for sensor in node.sensors}
        self._health = Health(site, settings.health)
        self._collector = Collector()
        self._sound = SoundWatch(site, compartment, settings.onset)
        self._pressure = PressureWatch(site, compartment, settings.pressure, settings.size)
        self._machine = AlarmMachine()
        self._tasking = Tasking(site, compartment, settings.tasking)
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
            self._health.note_capture(frozenset(capture.blocks), capture.missing)
            self._sound.take_capture(capture)
        happenings += self._sound.step(self._health.hearing)
        happenings += self._pressure.step(now_ns, self._sound.since_ns)
        conditions = leak_conditions(self._leak_evidence(), self._settings.policy)
        conditions += fault_conditions(self._faults(now_ns))
        happenings += self._machine.step(now_ns, conditions)
        alert = self._sound.phase in {Phase.LOUD, Phase.SOUNDING} or self._pressure.trend is not None
        tasks = self._tasking.step(
            now_ns,
            self._health.delivering,
            self._machine.standing,
            alert=alert,
            settled=self._sound.phase is not Phase.LEARNING,
        )
        if tasks.capture is not None:
            self._collector.expect(tasks.capture.burst_id, tasks.capture.nodes, tasks.capture.closes_ns)
        return Outcome(tuple(happenings), tasks.orders, self._job(), self._picture(now_ns))

    def _take(self, now_ns: int, event: Event) -> list[Happening]:
        match event:
            case StateChanged():
                if self._health.note_state(now_ns, event) and event.node is not None:
                    if event.state in DELIVERING:
                        self._tasking.rejoined(event.node)
                    else:
                        self._sound.node_gone(event.node)
                return [event]
            case LinkHealth():
                self._health.note_health(event)
            case ScalarBlock():
                self._pressure.take(now_ns, event)
            case WaveBlock():
                self._health.note_burst(event)
                self._sound.take_burst(event)
                self._collector.add(event)
            case VibrationBlock() | LevelBlock():
                pass  # what contact sensors feel, and levels that nodes computed themselves, decide nothing yet
            case CommandOutcome():
                return self._take_outcome(event)
            case LocateDone():
                self._job_running = False
                return self._sound.take_verdict(now_ns, event.verdict, event.generation)
            case Acknowledge():
                changes, _ = self._machine.acknowledge(event.key, event.occurrence, event.by)
                return list(changes)
            case BrokerState():
                self._broker = event
        return []

    def _take_outcome(self, outcome: CommandOutcome) -> list[Happening]:
        self._tasking.outcome(outcome)
        if isinstance(outcome.command, Capture):
            # Told one by one, refused captures would drown people; health says when a node delivers none any more.
            self._health.note_capture_outcome(outcome)
            return []
        if isinstance(outcome.command, Start):  # the session's own: it tries again for as long as it lives
            self._health.note_start_outcome(outcome)
            return []
        return [outcome]

    def _leak_evidence(self) -> LeakEvidence:
        sound, pressure = self._sound, self._pressure
        return LeakEvidence(sound.loud_nodes, sound.verdict, pressure.trend, pressure.size)

    def _faults(self, now_ns: int) -> FaultEvidence:
        lost = self._health.lost(now_ns)
        named = {node for node, _ in lost}
        poor = [(name, why) for name, why in self._pressure.poor(now_ns) if self._node_of[name] not in named]
        return FaultEvidence(
            lost_nodes=lost,
            poor_sensors=(*self._health.poor(), *poor),
            broker=self._broker.reason if self._broker is not None and not self._broker.connected else None,
            siren=self._tasking.siren_failure,
        )

    def _job(self) -> LocateJob | None:
        """At most one job at a time; sound that comes meanwhile waits in the spectra."""
        if self._job_running:
            return None
        job = self._sound.next_job(self._pressure.temperature_k)
        self._job_running = job is not None
        return job

    def _picture(self, now_ns: int) -> Picture:
        sound, pressure = self._sound, self._pressure
        leak = sound.phase is Phase.SOUNDING or pressure.trend is not None
        readings = pressure.readings_pa(now_ns)
        return Picture(
            now_ns=now_ns,
            site=self._site.title,
            phase="leak" if leak else "learning" if sound.phase is Phase.LEARNING else "watching",
            nodes=self._health.picture(),
            pressures_pa=tuple(Reading(self._node_of[name], name, value) for name, value in readings.items()),
            loudness_db=tuple(Reading(name, name, heard.rise_db) for name, heard in sound.loudness.items()),
            trend=pressure.trend,
            size=pressure.size,
            verdict=sound.verdict,
            alarms=self._machine.standing,
            captures=self._captures,
            late_bursts=self._collector.late,
            incomplete_bursts=self._collector.incomplete,
        )
