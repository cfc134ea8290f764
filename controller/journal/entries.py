"""The journal's entries, which are also the lines of `--json` and the payloads of MQTT events. Version 1.

Absent values are null; in an interval, null stands for infinity, which JSON cannot say.
"""

import typing

import msgspec

VERSION = 1


class Span(msgspec.Struct, frozen=True):
    """A value with its 95 % interval."""

    value: float | None
    low: float | None
    high: float | None


class Place(msgspec.Struct, frozen=True):
    """A candidate position (m), how far it stands out of the map in standard deviations, and how probable it is.

    `probability` is null in journals from before it was told.
    """

    position_m: tuple[float, float, float]
    standing: float
    probability: float | None = None


class LeftOut(msgspec.Struct, frozen=True):
    """Evidence that was rejected."""

    node: str
    why: str


class Entry(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every entry has: version, running number, UTC, seconds since the controller's start."""

    version: int = VERSION
    seq: int
    utc: str
    t_s: float


class NoteEntry(Entry, tag="note", frozen=True, kw_only=True):
    """Something about the controller itself: start, stop, a fault of its own."""

    text: str


class NodeEntry(Entry, tag="node", frozen=True, kw_only=True):
    """A conversation with a node changed its state."""

    link: str
    node: str | None
    state: str
    reason: str
    uid: str | None
    firmware: str | None


class LearnedEntry(Entry, tag="learned", frozen=True, kw_only=True):
    """The noise floor is known; from here on ultrasonic leaks are detected."""

    nodes: tuple[str, ...]


class DetectionEntry(Entry, tag="detection", frozen=True, kw_only=True):
    """Ultrasound stands above the floor; `since_t_s` is the start of the first burst that showed it."""

    nodes: tuple[str, ...]
    rise_db: float
    rise_sigmas: float
    since_t_s: float


class DetectionOverEntry(Entry, tag="detection_over", frozen=True, kw_only=True):
    """No ultrasound above the floor for a while."""

    nodes: tuple[str, ...]


class FixEntry(Entry, tag="fix", frozen=True, kw_only=True):
    """Where a leak is: site frame, m; covariance 3 x 3, m²; the radius holds the leak at 95 %.

    `leak` is the number that the leak keeps; `probability` that of this place, `elsewhere` what the
    candidates lack of 1.
    """

    position_m: tuple[float, float, float]
    covariance_m2: tuple[tuple[float, ...], ...]
    radius95_m: float
    compartment: str
    where: str | None
    standing: float
    misfit: float
    sound_speed_m_s: float
    nodes_used: tuple[str, ...]
    rejected: tuple[LeftOut, ...]
    candidates: tuple[Place, ...]
    bursts: int
    leak: int = 1
    probability: float | None = None
    elsewhere: float | None = None


class LeakGoneEntry(Entry, tag="leak_gone", frozen=True, kw_only=True):
    """A leak is heard no more, while others are, or while no place can be told; where it was."""

    leak: int
    position_m: tuple[float, float, float]
    where: str | None


class NoFixEntry(Entry, tag="no_fix", frozen=True, kw_only=True):
    """Why the place cannot be told."""

    reason: str
    explanation: str
    candidates: tuple[Place, ...]
    bursts: int
    elsewhere: float | None = None


class LeakRateEntry(Entry, tag="leak_rate", frozen=True, kw_only=True):
    """What the falling pressure says: all losses positive."""

    window_s: float
    sigmas: float
    pressure_pa: float
    rate_pa_s: Span
    rate_mmhg_h: Span
    mass_rate_kg_s: Span
    hole_diameter_m: Span
    reserve_s: Span
    connected_volume_m3: float
    sensors: tuple[str, ...]
    agreeing: tuple[str, ...]
    rooms: tuple[str, ...] = ()


class PressureSteadyEntry(Entry, tag="pressure_steady", frozen=True, kw_only=True):
    """Pressure no longer falls significantly."""


class HatchEntry(Entry, tag="hatch", frozen=True, kw_only=True):
    """A hatch was opened or shut; `source` is how that is known: command, operator or sensor."""

    hatch: str
    open: bool
    source: str


class HatchMove(msgspec.Struct, frozen=True):
    """One hatch to be opened or shut; `equalise` first by the valve in it."""

    hatch: str
    opens: bool
    by_motor: bool
    equalise: bool


class IsolationEntry(Entry, tag="isolation", frozen=True, kw_only=True):
    """The next step of a search by hatches: move, watch, isolate, isolated, safe_haven or undecided.

    `shut` are the hatches that are to be shut then; `watch_s` how long to watch, `hold_s` how long they may stay shut
    at most (null: as long as one likes). `probabilities` are the compartments', `no_leak` what they lack of 1.
    """

    step: str
    why: str
    moves: tuple[HatchMove, ...]
    outcomes: tuple[str, ...]
    shut: tuple[str, ...]
    watch_s: float | None
    hold_s: float | None
    bits: float | None
    compartment: str | None
    probabilities: dict[str, float]
    no_leak: float


class QuietWindowEntry(Entry, tag="quiet_window", frozen=True, kw_only=True):
    """Equipment to switch off for a while, to hear a leak beside it; the controller switches `commanded` itself."""

    compartment: str
    equipment: tuple[str, ...]
    commanded: tuple[str, ...]
    duration_s: float
    bursts: int
    gain_db: float
    enough: bool
    why: str


class QuietOverEntry(Entry, tag="quiet_over", frozen=True, kw_only=True):
    """The equipment may run again; `found` says that a leak was located meanwhile, `told` what the quiet has shown."""

    equipment: tuple[str, ...]
    found: bool
    told: str = ""


class AlarmEntry(Entry, tag="alarm", frozen=True, kw_only=True):
    """An alarm moved, or its text did."""

    key: str
    alarm_class: str
    state: str
    before: str
    cause: str
    text: str
    evidence: tuple[str, ...]
    occurrence: int
    acknowledged_by: str | None
    priority: int = 0  # 1 (emergency) to 4 (advisory); 0 in journals from before there was one
    raised_t_s: float | None = None  # of the controller's start, like t_s; negative: before it
    members: tuple[str, ...] = ()
    present: bool = True  # whether its condition is so
    suppressed_by: str | None = None  # of what is shelved, suppressed or out of service, as all below
    reason: str | None = None
    up_to: str | None = None
    until_t_s: float | None = None


class OperatorEntry(Entry, tag="operator", frozen=True, kw_only=True):
    """What a person asked of an alarm, and our answer; absent is what the action does not have."""

    action: str
    key: str
    by: str
    accepted: bool
    text: str
    occurrence: int | None = None
    duration_s: float | None = None
    reason: str | None = None
    asked_utc: str | None = None
    request_id: str | None = None


class ReadingsEntry(Entry, tag="readings", frozen=True, kw_only=True):
    """Slow values of a while, a column a sensor: means over `period_s`, the first from `since_t_s`; null: none came."""

    since_t_s: float
    period_s: float
    values: dict[str, tuple[float | None, ...]]


class CommandEntry(Entry, tag="command", frozen=True, kw_only=True):
    """What became of a command to a node."""

    node: str
    command: str
    done: bool
    text: str


AnyEntry = (
    NoteEntry
    | NodeEntry
    | LearnedEntry
    | DetectionEntry
    | DetectionOverEntry
    | FixEntry
    | LeakGoneEntry
    | NoFixEntry
    | LeakRateEntry
    | PressureSteadyEntry
    | HatchEntry
    | IsolationEntry
    | QuietWindowEntry
    | QuietOverEntry
    | AlarmEntry
    | OperatorEntry
    | ReadingsEntry
    | CommandEntry
)


def to_json(entry: AnyEntry) -> bytes:
    """One line without its end."""
    return msgspec.json.encode(entry)


_DECODER: msgspec.json.Decoder[AnyEntry] = msgspec.json.Decoder(AnyEntry)


def from_json(line: bytes) -> AnyEntry:
    """The entry of one line; msgspec.DecodeError where it is none."""
    return _DECODER.decode(line)


KINDS = tuple(sorted(str(kind.__struct_config__.tag) for kind in typing.get_args(AnyEntry)))
