"""The declared form of a controller file: one table a room, with bounds and contradictions. Reading it is not here."""

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field

from controller.alarm.machine import Settings as AlarmSettings
from controller.alarm.policy import Settings as PolicySettings
from controller.detect.onset import Settings as OnsetSettings
from controller.detect.pressure import Settings as PressureSettings
from controller.health import Settings as HealthSettings
from controller.isolate.settings import Settings as IsolationSettings
from controller.localize.locate import Settings as LocateSettings
from controller.measure.leak_size import Settings as SizeSettings
from controller.outputs.declared import OutputTables
from controller.outputs.declared import contradictions as output_contradictions
from controller.outputs.mqtt.door import MAX_USERS
from controller.pipeline.background_captures import Settings as BackgroundSettings
from controller.tasking import Settings as TaskingSettings
from firmware_bridge.declared import Declared
from firmware_bridge.session.conversation import Settings as SessionSettings

Count = Annotated[int, Field(ge=1, le=1000)]
Sigmas = Annotated[float, Field(ge=1, le=100)]
Seconds = Annotated[float, Field(ge=0.05, le=86_400)]
Rate = Annotated[float, Field(gt=0, le=10_000)]
Delay = Annotated[float, Field(ge=0, le=600)]

_BACKGROUND = BackgroundSettings()
_ONSET, _PRESSURE, _SIZE, _LOCATE = OnsetSettings(), PressureSettings(), SizeSettings(), LocateSettings()
_HEALTH, _TASKING, _POLICY, _SESSION = HealthSettings(), TaskingSettings(), PolicySettings(), SessionSettings()
_ALARM_TIMES = AlarmSettings()
_ISOLATION = IsolationSettings()


class SerialLinkTable(Declared):
    """A serial port to ask for a node."""

    kind: Literal["serial"]
    port: Annotated[str, Field(min_length=1, max_length=255)]
    baud_rate: Annotated[int, Field(ge=1200, le=12_000_000)] = 921_600


class TcpLinkTable(Declared):
    """A socket to ask for a node: a serial server such as ser2net, or a board that listens itself."""

    kind: Literal["tcp"]
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]{1,255}$")]
    port: Annotated[int, Field(ge=1, le=65_535)]


class MqttLinkTable(Declared):
    """A topic prefix at which a node listens (see docs/protocol.md)."""

    kind: Literal["mqtt"]
    prefix: Annotated[str, Field(pattern=r"^[^+#\s\x00]{1,200}$")]


class MqttTable(Declared):
    """The broker; one for nodes and alarms."""

    enabled: bool = True
    host: Annotated[str, Field(min_length=1, max_length=255)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    version: Literal["3.1.1", "5"] = "3.1.1"
    username: Annotated[str, Field(max_length=255)] | None = None
    password_file: str | None = None  # or the environment: LEAKLOC_MQTT_PASSWORD
    tls: bool = False
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    command_users: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[^+#/\s]{1,64}$")], ...], Field(max_length=MAX_USERS)
    ] = ()
    home_assistant: bool = False


class JournalTable(Declared):
    """Where decisions are written down."""

    folder: Annotated[str, Field(min_length=1)] = "journal"
    max_file_megabytes: Annotated[int, Field(ge=1, le=1024)] = 16
    max_files: Annotated[int, Field(ge=1, le=1000)] = 8
    flush_s: Annotated[float, Field(ge=0.1, le=3600)] = 60.0


class RecordingTable(Declared):
    """What is kept of the bytes around events; a whole run is recorded by `leakctl run --record`."""

    enabled: bool = True
    folder: Annotated[str, Field(min_length=1)] | None = None  # beside the journal: its subfolder `events`
    before_s: Annotated[float, Field(ge=10, le=600)] = 60.0
    after_s: Annotated[float, Field(ge=1, le=600)] = 60.0
    max_megabytes: Annotated[int, Field(ge=10, le=1_000_000)] = 512
    max_whole_megabytes: Annotated[int, Field(ge=10, le=10_000_000)] = 4000


class SessionTable(Declared):
    """Conversations with nodes."""

    silence_s: Seconds = _SESSION.silence_s
    sample_period_ms: Annotated[int, Field(ge=10, le=60_000)] = _SESSION.sample_period_ms


class OnsetTable(Declared):
    """When ultrasound is news."""

    learning_bursts: Annotated[int, Field(ge=3, le=1000)] = _ONSET.learning_bursts
    threshold_sigmas: Sigmas = _ONSET.threshold_sigmas
    threshold_db: Annotated[float, Field(ge=0, le=40)] = _ONSET.threshold_db
    bursts_in_a_row: Annotated[int, Field(ge=1, le=100)] = _ONSET.bursts_in_a_row
    follow_s: Annotated[float, Field(ge=60, le=1e9)] = _ONSET.follow_s
    guard_s: Annotated[float, Field(ge=0, le=3600)] = _ONSET.guard_s
    most_followed_db: Annotated[float, Field(ge=0, le=20)] = _ONSET.most_followed_db


class BackgroundTable(Declared):
    """How the captures that say what the room sounds like follow it."""

    refresh_s: Annotated[float, Field(ge=1, le=86_400)] = _BACKGROUND.refresh_s
    guard_s: Annotated[float, Field(ge=0, le=3600)] = _BACKGROUND.guard_s


class PressureTable(Declared):
    """When a fall of pressure is news."""

    wander_pa: Annotated[float, Field(gt=0, le=1000)] = _PRESSURE.wander_pa
    wander_s: Annotated[float, Field(ge=60, le=86_400)] = _PRESSURE.wander_s
    walk_pa2_s: Annotated[float, Field(gt=0, le=1000)] = _PRESSURE.walk_pa2_s
    orbit_pa: Annotated[float, Field(ge=0, le=1000)] = _PRESSURE.orbit_pa
    crew: Annotated[int, Field(ge=0, le=100)] | None = _PRESSURE.crew
    oxygen_feed_kg_day: Annotated[float, Field(ge=0, le=1000)] = _PRESSURE.oxygen_feed_kg_day
    threshold_sigmas: Sigmas = _PRESSURE.threshold_sigmas
    confirm_sigmas: Sigmas = _PRESSURE.confirm_sigmas
    nitrogen_sigmas: Sigmas = _PRESSURE.nitrogen_sigmas
    gas_settle_s: Annotated[float, Field(ge=1, le=3600)] = _PRESSURE.gas_settle_s
    disagree_pa: Annotated[float, Field(ge=1, le=10_000)] = _PRESSURE.disagree_pa


class SizeTable(Declared):
    """From pressure to hole and time."""

    evacuation_limit_mmhg: Annotated[float, Field(ge=1, le=1000)] = _SIZE.evacuation_limit_mmhg
    discharge_coefficient: Annotated[float, Field(ge=0.1, le=1)] = _SIZE.discharge_coefficient
    discharge_coefficient_sigma: Annotated[float, Field(ge=0, le=0.5)] = _SIZE.discharge_coefficient_sigma
    volume_sigma: Annotated[float, Field(ge=0, le=0.5)] = _SIZE.volume_sigma


class LocateTable(Declared):
    """When a place deserves trust."""

    min_standing: Annotated[float, Field(ge=5, le=1000)] = _LOCATE.min_standing
    rival_share: Annotated[float, Field(ge=0, le=1)] = _LOCATE.rival_share
    rival_support: Annotated[float, Field(ge=0, le=1)] = _LOCATE.rival_support
    max_misfit: Annotated[float, Field(ge=1, le=1000)] = _LOCATE.max_misfit
    max_radius_m: Annotated[float, Field(gt=0, le=100)] = _LOCATE.max_radius_m
    most_leaks: Annotated[int, Field(ge=1, le=8)] = _LOCATE.most_leaks


class HealthTable(Declared):
    """When a silent node is a lost one."""

    startup_grace_s: Seconds = _HEALTH.startup_grace_s
    lost_after_s: Seconds = _HEALTH.lost_after_s


class TaskingTable(Declared):
    """How often and how long to listen."""

    capture_period_s: Seconds = _TASKING.capture_period_s
    alert_period_s: Seconds = _TASKING.alert_period_s
    capture_lead_s: Seconds = _TASKING.capture_lead_s
    capture_window_s: Seconds = _TASKING.capture_window_s
    burst_samples: Annotated[int, Field(ge=2048, le=262_144)] = _TASKING.burst_samples
    siren_retry_s: Seconds = _TASKING.siren_retry_s


class AlarmTable(Declared):
    """The ladder of alarm classes."""

    advisory_mmhg_h: Rate = _POLICY.advisory_mmhg_h
    advisory_deadband: Annotated[float, Field(ge=0, le=0.9)] = _POLICY.advisory_deadband
    caution_mmhg_h: Rate = _POLICY.caution_mmhg_h
    warning_mmhg_h: Rate = _POLICY.warning_mmhg_h
    warning_reserve_h: Rate = _POLICY.warning_reserve_h
    emergency_mmhg_min: Rate = _POLICY.emergency_mmhg_min
    emergency_reserve_h: Rate = _POLICY.emergency_reserve_h


class AlarmTimesTable(Declared):
    """How long something must be so, and when people are called again."""

    on_delay_s: Delay = _ALARM_TIMES.on_delay_s
    off_delay_s: Delay = _ALARM_TIMES.off_delay_s
    chatter_hold_s: Delay = _ALARM_TIMES.chatter_hold_s
    reannounce_emergency_s: Seconds = _ALARM_TIMES.reannounce_emergency_s
    reannounce_warning_s: Seconds = _ALARM_TIMES.reannounce_warning_s
    reannounce_caution_s: Seconds = _ALARM_TIMES.reannounce_caution_s
    settle_s: Seconds = _ALARM_TIMES.settle_s


class IsolationTable(Declared):
    """The search by hatches, and the quiet to listen in; the evacuation limit is that of `[size]`."""

    command_hatches: bool = _ISOLATION.command_hatches
    command_quiet: bool = _ISOLATION.command_quiet
    error_rate: Annotated[float, Field(gt=0, le=0.2)] = _ISOLATION.error_rate
    sure: Annotated[float, Field(ge=0.9, lt=1)] = _ISOLATION.sure
    jam_mmhg: Annotated[float, Field(gt=0, le=100)] = _ISOLATION.jam_mmhg
    haven_reserve_s: Annotated[float, Field(ge=0, le=86_400)] = _ISOLATION.haven_reserve_s
    operation_s: Annotated[float, Field(ge=1, le=3600)] = _ISOLATION.operation_s
    motor_s: Annotated[float, Field(ge=1, le=3600)] = _ISOLATION.motor_s
    settle_s: Annotated[float, Field(ge=1, le=600)] = _ISOLATION.settle_s
    random_walk_pa2_s: Annotated[float, Field(gt=0, le=1000)] = _ISOLATION.random_walk_pa2_s
    own_weather: Annotated[float, Field(ge=0.01, le=1)] = _ISOLATION.own_weather
    unexplained_kg_day: Annotated[float, Field(ge=0, le=100)] = _ISOLATION.unexplained_kg_day
    volume_sigma: Annotated[float, Field(ge=0.01, le=1)] = _ISOLATION.volume_sigma
    no_leak: Annotated[float, Field(gt=0, lt=1)] = _ISOLATION.no_leak


class ControllerTable(Declared):
    """A whole controller file."""

    format: Literal[1]
    site: Annotated[str, Field(min_length=1)]
    compartment: str | None = None
    links: Annotated[
        tuple[Annotated[SerialLinkTable | TcpLinkTable | MqttLinkTable, Field(discriminator="kind")], ...],
        Field(max_length=128),
    ] = ()
    mqtt: MqttTable = MqttTable()
    outputs: OutputTables = ()
    journal: JournalTable = JournalTable()
    recording: RecordingTable = RecordingTable()
    session: SessionTable = SessionTable()
    onset: OnsetTable = OnsetTable()
    background: BackgroundTable = BackgroundTable()
    pressure: PressureTable = PressureTable()
    size: SizeTable = SizeTable()
    locate: LocateTable = LocateTable()
    health: HealthTable = HealthTable()
    tasking: TaskingTable = TaskingTable()
    alarm: AlarmTable = AlarmTable()
    alarm_times: AlarmTimesTable = AlarmTimesTable()
    isolation: IsolationTable = IsolationTable()


def _place(link: SerialLinkTable | TcpLinkTable | MqttLinkTable) -> str:
    match link:
        case SerialLinkTable():
            return link.port
        case TcpLinkTable():
            return f"{link.host}:{link.port}"
        case MqttLinkTable():
            return link.prefix


def contradictions(table: ControllerTable) -> list[str]:
    """What a table says against itself, one line a problem."""
    places = [_place(link) for link in table.links]
    alarm, tasking = table.alarm, table.tasking
    problems = [f"links[]: {place!r} is listed {times} times" for place, times in Counter(places).items() if times > 1]
    if not table.mqtt.enabled and any(isinstance(link, MqttLinkTable) for link in table.links):
        problems.append("links[]: MQTT nodes are listed, but mqtt.enabled is false")
    if not table.mqtt.tls and (table.mqtt.ca_file or table.mqtt.certificate_file or table.mqtt.key_file):
        problems.append("mqtt.tls: certificates are named, but tls is false: nothing would be encrypted")
    if table.mqtt.key_file and not table.mqtt.certificate_file:
        problems.append("mqtt.certificate_file: missing, though key_file names a key")
    problems += output_contradictions(table.outputs)
    if tasking.capture_window_s <= tasking.capture_lead_s:
        problems.append("tasking.capture_window_s: must be longer than capture_lead_s, or no burst is ever in time")
    if not alarm.advisory_mmhg_h <= alarm.caution_mmhg_h:
        problems.append("alarm.advisory_mmhg_h: must not be above caution_mmhg_h")
    if not alarm.caution_mmhg_h < alarm.warning_mmhg_h < 60 * alarm.emergency_mmhg_min:
        problems.append("alarm: caution_mmhg_h < warning_mmhg_h < 60 x emergency_mmhg_min does not hold")
    if not alarm.emergency_reserve_h < alarm.warning_reserve_h:
        problems.append("alarm: emergency_reserve_h must be less than warning_reserve_h")
    return problems
