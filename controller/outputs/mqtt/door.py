"""Who may ask, how often, how late: what arrives on the command topics becomes an event or a refusal, nothing else.

It raises nothing, blocks nowhere, and holds no more than the rates below let in.
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from pydantic import ValidationError

from controller.outputs.mqtt.commands import (
    COMMANDS,
    ID_PATTERN,
    MAX_PAYLOAD_BYTES,
    BeginQuietCommand,
    Command,
    CommandEvent,
    GasCommand,
    HatchCommand,
)

WINDOW = timedelta(seconds=60)  # how far a command's clock may be from ours, either way
BURST = 10  # commands at once, of one user on one topic
PER_S = 1.0  # and so many a second for good: more than hands can do
MAX_USERS = 64
MAX_IDS = 20_000  # only a user who sends as fast as may be, on every topic, comes near; then the oldest goes
MAX_TEXT = 300  # characters of a refusal


class _Loose(msgspec.Struct):
    """The least that an answer needs."""

    id: str = ""


_LOOSE: msgspec.json.Decoder[_Loose] = msgspec.json.Decoder(_Loose)


@dataclass(frozen=True, slots=True)
class Known:
    """What the site has, so that nobody waits for what cannot be."""

    hatches: frozenset[str] = frozenset()
    compartments: frozenset[str] = frozenset()
    equipment: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a message: an event, or why there is none. `id` is where to answer; "" where nobody can be."""

    topic: str
    user: str
    id: str = ""
    event: CommandEvent | None = None
    refusal: str = ""


@dataclass(slots=True)
class _Bucket:
    """Tokens of one user on one topic."""

    tokens: float
    at: datetime


class Door:
    """Lets commands in, one at a time."""

    def __init__(self, users: tuple[str, ...], known: Known, utc: Callable[[], datetime]) -> None:
        """Let in `users` only, each on `command/<verb>/<user>`; () lets in whoever the broker lets publish.

        `utc` is the machine's own clock, not a scaled one: it is compared with other machines' clocks.
        """
        self._users = frozenset(users[:MAX_USERS])
        self._known = known
        self._utc = utc
        self._not_before = utc()
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._ids: dict[str, datetime] = {}
        self._order: deque[str] = deque()
        self.refused = 0

    @property
    def topics(self) -> tuple[str, ...]:
        """What to subscribe to, below the prefix."""
        if self._users:
            return tuple(f"command/{verb}/{user}" for verb in COMMANDS for user in sorted(self._users))
        return tuple(f"command/{verb}{rest}" for verb in COMMANDS for rest in ("", "/+"))

    def hear(self, topic: str, payload: bytes, *, retained: bool) -> Heard:
        """Judge one message on `topic` (below the prefix)."""
        heard = self._hear(topic, payload, retained=retained)
        self.refused += heard.event is None
        return heard

    def _hear(self, topic: str, payload: bytes, *, retained: bool) -> Heard:
        _, _, rest = topic.partition("/")
        verb, _, user = rest.partition("/")
        kind = COMMANDS.get(verb)
        if kind is None or not topic.startswith("command/"):
            return Heard(topic[:MAX_TEXT], "", refusal="there is no such command")
        if self._users and user not in self._users:
            return Heard(verb, "", refusal="nobody who may command here")
        user = user[:MAX_TEXT] if self._users else ""
        now = self._utc()
        if not self._has_room(user, verb, now):
            return Heard(verb, user, refusal=f"more than {BURST} at once or {PER_S:g} a second")
        if retained:
            return Heard(
                verb, user, refusal="it was retained by the broker: commands are for now, not for whoever comes"
            )
        if len(payload) > MAX_PAYLOAD_BYTES:
            return Heard(verb, user, refusal=f"more than {MAX_PAYLOAD_BYTES} bytes")
        try:
            command = kind.model_validate_json(payload)
        except ValidationError as error:
            return Heard(verb, user, _id_in(payload), refusal=_told(error))
        refusal = self._stale(command, now) or self._unknown(command)
        if refusal is not None:
            return Heard(verb, user, command.id, refusal=refusal)
        return Heard(verb, user, command.id, event=command.event())

    def _has_room(self, user: str, verb: str, now: datetime) -> bool:
        bucket = self._buckets.setdefault((user, verb), _Bucket(BURST, now))  # users and verbs are few and known
        passed_s = max(0.0, (now - bucket.at).total_seconds())  # clocks are set back at times
        bucket.tokens, bucket.at = min(BURST, bucket.tokens + passed_s * PER_S), now
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True

    def _stale(self, command: Command, now: datetime) -> str | None:
        """Why a command is too late, too early, or was here before; else it is remembered."""
        self._not_before = min(self._not_before, now)  # the clock was set back: nobody is to be locked out by that
        try:
            late = now - command.utc
        except OverflowError:
            return "its utc is no time of ours"
        if abs(late) > WINDOW:
            way = "ago" if late > timedelta(0) else "in the future"
            return f"asked {abs(late).total_seconds():.0f} s {way} by your clock, more than {WINDOW.seconds} s; see utc"
        if command.utc < self._not_before:
            return "asked before this controller started; look how things stand, and ask again"
        while self._order and (now - self._ids[self._order[0]] > WINDOW or len(self._order) >= MAX_IDS):
            del self._ids[self._order.popleft()]
        if command.id in self._ids:
            return "a command with this id was taken already"
        self._ids[command.id] = max(now, command.utc)
        self._order.append(command.id)
        return None

    def _unknown(self, command: Command) -> str | None:
        if isinstance(command, HatchCommand) and command.hatch not in self._known.hatches:
            return f"there is no such hatch; known are {', '.join(sorted(self._known.hatches)) or 'none'}"[:MAX_TEXT]
        if isinstance(command, GasCommand) and command.compartment not in self._known.compartments:
            return f"there is no such compartment; known are {', '.join(sorted(self._known.compartments))}"[:MAX_TEXT]
        if isinstance(command, BeginQuietCommand) and not self._known.equipment.issuperset(command.equipment):
            known = ", ".join(sorted(self._known.equipment)) or "none"
            return f"there is no such equipment; known is {known}"[:MAX_TEXT]
        return None


def _id_in(payload: bytes) -> str:
    """The id of a command that is wrong elsewhere, so that whoever asked learns what; "" where there is none."""
    try:
        found = _LOOSE.decode(payload).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return found if re.fullmatch(ID_PATTERN, found) else ""


def _told(error: ValidationError) -> str:
    """What is wrong, without repeating what was sent."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    listed = [f"{'.'.join(str(part)[:40] for part in problem['loc'])}: {problem['msg']}" for problem in problems[:3]]
    text = "; ".join(one.removeprefix(": ") for one in listed)
    return "".join(character if character.isprintable() else "?" for character in text)[:MAX_TEXT]
