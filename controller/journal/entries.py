"""The journal's entries, which are also the lines of `--json` and the payloads of MQTT events. Version 1.

Absent values are null; in an interval, null stands for infinity, which JSON cannot say.
"""

import msgspec

VERSION = 1


class Span(msgspec.Struct, frozen=True):
    """A value with its 95 % interval."""

    value: float | None
    low: float | None
    high: float | None


class Place(msgspec.Struct, frozen=True):
    """A candidate position (m) and how far it stands out of the map, in standard deviations."""

    position_m: tuple[float, float, float]
    standing: float


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
    """Where the leak is: site frame, m; covariance 3 x 3, m²; the radius holds the leak at 95 %."""

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


class NoFixEntry(Entry, tag="no_fix", frozen=True, kw_only=True):
    """Why the place cannot be told."""

    reason: str
    explanation: str
    candidates: tuple[Place, ...]
    bursts: int


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


class PressureSteadyEntry(Entry, tag="pressure_steady", frozen=True, kw_only=True):
    """Pressure no longer falls significantly."""


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
    | NoFixEntry
    | LeakRateEntry
    | PressureSteadyEntry
    | AlarmEntry
    | CommandEntry
)


def to_json(entry: AnyEntry) -> bytes:
    """One line without its end."""
    return msgspec.json.encode(entry)


_DECODER: msgspec.json.Decoder[AnyEntry] = msgspec.json.Decoder(AnyEntry)


def from_json(line: bytes) -> AnyEntry:
    """The entry of one line; msgspec.DecodeError where it is none."""
    return _DECODER.decode(line)
