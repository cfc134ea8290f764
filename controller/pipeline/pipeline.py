"""step(now, events) -> Outcome: joins the thinking rooms in the order in which a sample passes through them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from controller.alarm.faults import fault_conditions
from controller.alarm.machine import AlarmMachine
from controller.alarm.machine import Settings as AlarmSettings
from controller.alarm.policy import LeakEvidence, leak_conditions
from controller.alarm.policy import Settings as PolicySettings
from controller.alarm.types import Alarm
from controller.detect.onset import Settings as OnsetSettings
from controller.detect.pressure import Settings as PressureSettings
from controller.health import Health
from controller.health import Settings as HealthSettings
from controller.isolate.settings import Settings as IsolationSettings
from controller.localize.locate import LocateJob
from controller.measure.captures import Collector
from controller.measure.leak_size import Settings as SizeSettings
from controller.pipeline.background_captures import Settings as BackgroundSettings
from controller.pipeline.events import (
    BeginQuiet,
    BrokerState,
    EndQuiet,
    Event,
    GasMoved,
    HatchMoved,
    LocateDone,
    OwnHealth,
    Request,
    SearchAsked,
)
from controller.pipeline.happenings import Happening
from controller.pipeline.isolation_watch import IsolationWatch
from controller.pipeline.likeness import machine_near
from controller.pipeline.picture import HatchPicture, Picture, Reading
from controller.pipeline.pressure_watch import PressureWatch
from controller.pipeline.quiet_watch import Heard
from controller.pipeline.sound_watch import Phase, SoundWatch
from controller.pipeline.troubles import Troubles
from controller.tasking import Order, Tasking
from controller.tasking import Settings as TaskingSettings
from firmware_bridge.samples import LevelBlock, ScalarBlock, VibrationBlock, WaveBlock
from firmware_bridge.session.events import CommandOutcome, LinkHealth, StateChanged
from firmware_bridge.session.states import DELIVERING
from firmware_bridge.site.survey import Site
from firmware_bridge.units import PA_PER_MMHG, Quantity
from firmware_bridge.wire.commands import Capture, Start, Switch

USUAL_RATE_HZ = 192_000.0  # of bursts, where only their length matters


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of all rooms below."""

    onset: OnsetSettings = field(default_factory=OnsetSettings)
    background: BackgroundSettings = field(default_factory=BackgroundSettings)
    pressure: PressureSettings = field(default_factory=PressureSettings)
    size: SizeSettings = field(default_factory=SizeSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    alarm_times: AlarmSettings = field(default_factory=AlarmSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    tasking: TaskingSettings = field(default_factory=TaskingSettings)
    isolation: IsolationSettings = field(default_factory=IsolationSettings)


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
        self._sound = SoundWatch(site, compartment, settings.onset, settings.background)
        self._pressure = PressureWatch(site, compartment, settings.pressure, settings.size)
        names = frozenset(node.name for node in site.nodes)
        # What was lost before a restart is known to be so again only after the grace.
        settle_s = max(settings.alarm_times.settle_s, 2 * settings.health.startup_grace_s)
        times = replace(settings.alarm_times, settle_s=settle_s)
        self._machine = AlarmMachine(times, names | self._node_of.keys())
        self._troubles = Troubles(site)
        self._tasking = Tasking(site, compartment, settings.tasking)
        limit_pa = settings.size.evacuation_limit_mmhg * PA_PER_MMHG
        self._isolation = IsolationWatch(site, compartment, settings.isolation, limit_pa)
        self._recovered: list[Happening] = []
        self._job_running = self._restored = False
        self._captures = 0

    @property
    def alarm_record(self) -> tuple[Alarm, ...]:
        """All alarms as they must survive a restart."""
        return self._machine.record

    def restore_alarms(self, now_ns: int, alarms: Iterable[Alarm]) -> None:
        """Let alarms stand as they stood before a restart; the next step tells of them, and sirens at once."""
        self._restored = True
        self._recovered += self._machine.restore(now_ns, alarms)

    def step(self, now_ns: int, events: Iterable[Event]) -> Outcome:
        """Take in what came, decide what is due at `now_ns`."""
        happenings, self._recovered = self._recovered, []
        for event in events:
            happenings += self._take(now_ns, event)
        for capture in self._collector.closed(now_ns):
            self._captures += 1
            self._health.note_capture(frozenset(capture.blocks), capture.missing)
            self._sound.take_capture(capture)
        happenings += self._sound.step(self._health.hearing)
        happenings += self._pressure.step(now_ns, self._sound.since_ns)
        distrusted = (*self._pressure.poor(now_ns), *self._isolation.poor(now_ns))
        happenings += self._isolation.step(
            now_ns,
            self._pressure.trend,
            self._pressure.size,
            self._pressure.reserves,
            self._heard(),
            (name for name, _ in distrusted),
        )
        falling = self._pressure.trend is not None
        happenings += self._sound.keep_quiet(now_ns, self._isolation.quiet, falling=falling)
        conditions = leak_conditions(self._leak_evidence(), self._settings.policy)
        siren = self._tasking.siren_failure
        broken = self._troubles.evidence(now_ns, self._health, self._machine, distrusted, siren)
        conditions += fault_conditions(broken)
        happenings += self._machine.step(now_ns, conditions)
        alert = self._sound.phase in {Phase.LOUD, Phase.SOUNDING} or falling or self._isolation.quiet is not None
        tasks = self._tasking.step(
            now_ns,
            self._health.delivering,
            self._machine.standing,
            alert=alert,
            settled=self._restored or self._sound.phase is not Phase.LEARNING,
            relays=self._isolation.wanted,
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
                self._troubles.take(now_ns, event)
            case ScalarBlock():
                self._isolation.take(now_ns, event)
                if event.quantity is Quantity.HATCH:
                    self._follow_hatches(now_ns)
                self._pressure.take(now_ns, event)
            case HatchMoved():
                self._isolation.hatch_moved(now_ns, event)
                self._follow_hatches(now_ns)
            case SearchAsked():
                self._isolation.search_asked(event)
            case BeginQuiet() | EndQuiet():
                heard, pressure = self._heard(), self._pressure
                return self._isolation.quiet_asked(now_ns, event, pressure.trend, pressure.size, heard)
            case GasMoved():
                self._pressure.gas_moved(now_ns, event)
            case WaveBlock():
                self._health.note_burst(event)
                self._sound.take_burst(event)
                self._collector.add(event)
            case VibrationBlock() | LevelBlock():
                pass  # what contact sensors feel, and levels that nodes computed themselves, decide nothing yet
            case CommandOutcome():
                return self._take_outcome(now_ns, event)
            case LocateDone():
                self._job_running = False
                return self._sound.take_verdicts(now_ns, event.verdicts, event.generation)
            case BrokerState() | OwnHealth():
                self._troubles.take(now_ns, event)
            case _:
                return self._asked(now_ns, event)
        return []

    def _follow_hatches(self, now_ns: int) -> None:
        """What hangs together follows from how hatches stand; that is found out in one place."""
        for name, stand in self._isolation.hatches.items():
            self._pressure.hatch_moved(now_ns, HatchMoved(name, not stand.shut))

    def _take_outcome(self, now_ns: int, outcome: CommandOutcome) -> list[Happening]:
        relay = self._tasking.outcome(outcome)
        if relay is not None and isinstance(outcome.command, Switch):
            self._isolation.switched(now_ns, relay, on=outcome.command.on)
            self._follow_hatches(now_ns)
        if isinstance(outcome.command, Capture):
            # Told one by one, refused captures would drown people; health says when a node delivers none any more.
            self._health.note_capture_outcome(outcome)
            return []
        if isinstance(outcome.command, Start):  # the session's own: it tries again for as long as it lives
            self._health.note_start_outcome(outcome)
            return []
        return [outcome]

    def _asked(self, now_ns: int, request: Request) -> list[Happening]:
        """A person's request, and what we answer."""
        changes, answer = self._machine.answer(now_ns, request)
        return [*changes, answer]

    def _heard(self) -> Heard:
        """What sound says, for the search by hatches."""
        sound, tasking = self._sound, self._settings.tasking
        return Heard(
            verdict=sound.verdict,
            sounding=sound.phase is Phase.SOUNDING or sound.in_quiet,
            listening=sound.phase is not Phase.LEARNING and bool(self._health.hearing),
            loudness=sound.loudness,
            period_s=tasking.alert_period_s,
            burst_s=tasking.burst_samples / USUAL_RATE_HZ,
            quiet=sound.quiet_heard,
        )

    def _leak_evidence(self) -> LeakEvidence:
        sound, pressure = self._sound, self._pressure
        trend = pressure.trend
        nodes = None if trend is None else frozenset(self._node_of.get(name, name) for name in trend.agreeing)
        leaks = tuple(leak.fix for leak in sound.leaks)
        return LeakEvidence(
            sound.loud_nodes,
            sound.verdict,
            trend,
            pressure.size,
            nodes,
            leaks,
            hissing=sound.hissing,
            beside=machine_near(self._site, sound.verdict),
            in_quiet=sound.in_quiet,
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
            reserves=pressure.reserves,
            verdict=sound.verdict,
            leaks=sound.leaks,
            alarms=self._machine.standing,
            captures=self._captures,
            late_bursts=self._collector.late,
            incomplete_bursts=self._collector.incomplete,
            quieted=self._machine.quieted,
            isolation=self._isolation.advice,
            quiet=self._isolation.quiet,
            hatches=tuple(
                HatchPicture(name, not stand.shut, stand.source.name.lower())
                for name, stand in self._isolation.hatches.items()
            ),
        )
