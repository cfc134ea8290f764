"""What a conversation tells the floor above: state changes, counters, what became of a command."""

from dataclasses import dataclass, field

from firmware_bridge.samples import BurstBlock, LevelBlock, ScalarBlock
from firmware_bridge.session.states import State
from firmware_bridge.wire.commands import Command
from firmware_bridge.wire.reports import Feature, Status


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answered HELLO."""

    uid: int
    boot_id: int
    firmware: str
    features: Feature
    burst_rate_hz: int
    longest_burst: int
    complaints: tuple[str, ...] = ()  # what the site file says of it and it does not give


@dataclass(frozen=True, slots=True)
class StateChanged:
    """A conversation moved; `node` is the surveyed name once known, `reason` a sentence for people."""

    link: str
    node: str | None
    state: State
    reason: str
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """What happened on one link since it was first opened.

    `bad_frames` were damaged (bad CRC, or no frame at all), `resynchronised` counts the stretches of them;
    `lost_frames` never came, `dropped_bytes` came faster than we read them; `connections` less one is how often it was
    connected anew.
    """

    received_bytes: int = 0
    frames: int = 0
    bad_frames: int = 0
    undecodable: int = 0
    lost_frames: int = 0
    repeated_frames: int = 0
    reboots: int = 0
    clock_steps: int = 0
    connections: int = 0
    resynchronised: int = 0
    pings_unanswered: int = 0
    dropped_bytes: int = 0


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """Once a second: counters, time base, and what the node says of itself."""

    link: str
    node: str | None
    state: State
    counters: Counters
    clock_sigma_ns: float
    clock_rate_error: float
    round_trip_ns: int | None
    status: Status | None


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """What became of a command; `ticket` is the number that the sender gave."""

    node: str
    ticket: int
    command: Command
    done: bool
    text: str


SessionEvent = StateChanged | LinkHealth | CommandOutcome | ScalarBlock | BurstBlock | LevelBlock


@dataclass(frozen=True, slots=True)
class Step:
    """What one call made of a conversation: events in order, bytes for the line, and when to call `tick` next."""

    events: tuple[SessionEvent, ...] = ()
    data: bytes = b""
    next_ns: int = field(default=0)
