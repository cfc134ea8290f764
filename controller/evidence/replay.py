"""A recording -> the decisions of its run, made again by the same rooms; no clock, no cable, nothing is sent.

A part that does not begin with the run starts from what the rooms remembered. Each entry is compared with the one
that was written then: a difference means another version, another machine's arithmetic, or a fault of ours.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from controller.clock import UtcClock
from controller.config import Configuration, fitted
from controller.declared import ControllerTable
from controller.evidence.state import Memory, thaw
from controller.evidence.steps import ENTRIES, STEPS, VerdictOf, events_of, step_of
from controller.journal.entries import AnyEntry, NoteEntry, ReadingsEntry, from_json, to_json
from controller.journal.telling import Stamp, entry_of
from controller.localize.locate import LocateJob, Locator
from controller.localize.verdict import NoFix, Reason
from controller.pipeline.events import Event, LocateDone
from controller.pipeline.picture import Picture
from controller.pipeline.pipeline import Outcome, Pipeline
from firmware_bridge.declared import parse_declared
from firmware_bridge.errors import BridgeError, RecordingError
from firmware_bridge.links.recording_file import SUFFIX, Recorded, open_recording, read_marks
from firmware_bridge.session.exchange import Exchange
from firmware_bridge.session.tape import LINKS, ORDERS, Mark, Role, call_of, link_of, order_of
from firmware_bridge.site.schema import SiteTable
from firmware_bridge.site.survey import build_site

_NOT_DECIDED = (NoteEntry, ReadingsEntry)  # told by the controller of itself, or copied from sensors


@dataclass(frozen=True, slots=True)
class Moment:
    """What one step decided again, at `now_ns` of the run's loop and `elapsed_s` after the controller's start."""

    now_ns: int
    elapsed_s: float
    entries: tuple[AnyEntry, ...]
    picture: Picture


@dataclass(slots=True)
class Comparison:
    """How the replay stands beside the run: decisions and sent pieces that are the same, and the first that is not."""

    decisions: int = 0
    sent: int = 0
    differences: int = 0
    first: str | None = None

    def compare(self, what: str, then: object, now: object) -> None:
        """Note whether `now` is what was `then`."""
        if then != now:
            self.differences += 1
            self.first = self.first or f"{what}: then {_short(then)}, now {_short(now)}"


@dataclass(slots=True)
class _Sent:
    """Takes what conversations send again."""

    marks: list[Mark] = field(default_factory=list)

    def mark(self, mark: Mark) -> None:
        """Keep what went to a node; the rest is what we were told."""
        if mark.topic.startswith(LINKS) and link_of(mark.topic) is not None and mark.topic.endswith(f"/{Role.TO_NODE}"):
            self.marks.append(mark)


class Replay:
    """One recording, replayed once."""

    def __init__(self, parts: Sequence[Recorded]) -> None:
        """Prepare the replay of consecutive `parts` of one run.

        Raises:
            RecordingError: they do not belong together, or cannot be read by this version.
        """
        self._parts = parts
        first = parts[0]
        self.head = first.head
        self.configuration = configuration_of(first)
        origin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.head.origin_utc_ns // 1000)
        self._clock = UtcClock(self.head.origin_ns, origin)
        self._sent = _Sent()
        self._memory = self._begun(first)
        self._memory.exchange.listen(self._sent)
        self._then: list[AnyEntry] = []
        self._now: list[AnyEntry] = []
        self.comparison = Comparison()

    def moments(self) -> Iterator[Moment]:
        """Make every step again. Raises RecordingError where that is impossible."""
        for part in self._parts:
            for mark in read_marks(part):
                try:
                    moment = self._take(mark)
                except BridgeError:
                    raise
                except Exception as error:  # what a state of another making remembers fails in any way it likes
                    raise RecordingError(
                        f"{part.path}: {mark.topic} says what this version does not know "
                        f"({type(error).__name__}: {error})",
                        remedy=f"replay it with {self.head.software}",
                    ) from error
                if moment is not None:
                    yield moment
        self._check_entries(len(self._then))  # a recording that was cut may lack the entries of its last step

    def _begun(self, first: Recorded) -> Memory:
        state = first.state
        if state is not None:
            return thaw(state)
        if first.part != 1:
            raise RecordingError(
                f"{first.path} does not begin with its run, and what was remembered is not in it",
                remedy="its bytes can be looked at; to replay, name the folder with the run's first part",
            )
        own = self.configuration
        exchange = Exchange(own.site, self.head.links, own.session)
        pipeline = Pipeline(own.site, own.compartment, own.pipeline)
        return Memory(exchange, pipeline, Locator(own.site, own.compartment, own.locate), None, [])

    def _take(self, mark: Mark) -> Moment | None:
        memory = self._memory
        if mark.topic == STEPS:
            return self._step(mark)
        if mark.topic == ENTRIES:
            self._recorded(mark)
            return None
        if mark.topic == ORDERS:
            node, ticket, command = order_of(mark.data.decode("utf-8", "replace").partition(" ")[2])
            memory.pending += memory.exchange.send(mark.now_ns, node, ticket, command).step.events
            return None
        known = link_of(mark.topic)
        if known is None:
            return None
        link, role = known
        if role is Role.TO_NODE:
            now = self._sent.marks.pop(0) if self._sent.marks else None
            self.comparison.compare("sent", (mark.topic, mark.data), now and (now.topic, now.data))
            self.comparison.sent += 1
        elif role is Role.FROM_NODE:
            memory.pending += memory.exchange.received(link, mark.now_ns, mark.data, mark.at_ns).events
        else:
            call, text = call_of(mark.data)
            memory.pending += memory.exchange.call(link, call, mark.now_ns, text).events
        return None

    def _step(self, mark: Mark) -> Moment:
        memory, step = self._memory, step_of(mark.data)
        self._check_entries()
        events = [self._verdict(e) if isinstance(e, VerdictOf) else e for e in events_of(step, memory.pending)]
        outcome = memory.pipeline.step(mark.now_ns, events)
        memory.job = outcome.job or memory.job
        entries = tuple(self._entries(outcome, mark.now_ns, step.seq))
        self._now += entries
        return Moment(mark.now_ns, self._clock.elapsed_s(mark.now_ns), entries, outcome.picture)

    def _verdict(self, of: VerdictOf) -> Event:
        job, self._memory.job = self._memory.job, None
        if job is None or job.generation != of.generation:
            raise RecordingError("a place was found that nobody looked for", remedy="replay with the same version")
        return located(self._memory.locator, job)

    def _entries(self, outcome: Outcome, now_ns: int, seq: int) -> Iterator[AnyEntry]:
        utc, elapsed_s = self._clock.utc(now_ns), self._clock.elapsed_s(now_ns)
        for number, happening in enumerate(outcome.happenings, start=seq + 1):
            yield entry_of(happening, Stamp(number, utc, elapsed_s, self.head.origin_ns))

    def _recorded(self, mark: Mark) -> None:
        try:
            entry = from_json(mark.data)
        except msgspec.MsgspecError as error:
            self.comparison.compare("an entry of another version", str(error), None)
            return
        if not isinstance(entry, _NOT_DECIDED):
            self._then.append(entry)

    def _check_entries(self, most: int | None = None) -> None:
        """Entries are written after their step, all of them before the next one."""
        for k in range(max(len(self._then), len(self._now)) if most is None else most):
            then = _said(self._then[k]) if k < len(self._then) else None
            now = _said(self._now[k]) if k < len(self._now) else None
            self.comparison.compare("decided", then, now)
            self.comparison.decisions += 1
        self._then.clear()
        self._now.clear()


def _said(entry: AnyEntry) -> bytes:
    """Without its UTC, which the machine's clock may have been set in: that is for people and decides nothing."""
    return to_json(msgspec.structs.replace(entry, utc=""))


def located(locator: Locator, job: LocateJob) -> LocateDone:
    """The verdict on `job` as an event; one that cannot be computed is a verdict too."""
    try:
        return LocateDone(locator.locate_all(job), job.generation)
    except Exception as error:  # as the controller did when it ran
        return LocateDone(
            (NoFix(Reason.INTERNAL, f"the locator failed ({error}); please report this"),), job.generation
        )


def configuration_of(recorded: Recorded) -> Configuration:
    """Site and choices of a recorded run.

    Raises:
        DeclaredFileError: this version does not take them.
        ControllerError: they do not fit, as this version sees it.
    """
    source = str(recorded.path)
    try:
        site_tables, own_tables = msgspec.json.decode(recorded.head.site), msgspec.json.decode(recorded.head.controller)
    except msgspec.MsgspecError as error:
        raise RecordingError(f"{source}: its head is damaged ({error})", remedy="it cannot be replayed") from error
    site = build_site(parse_declared(site_tables, source, SiteTable), source)
    table = parse_declared({**own_tables, "compartment": recorded.head.compartment}, source, ControllerTable)
    return fitted(table, site, source)


def recorded_parts(path: Path, on_left_out: Callable[[str], None] = lambda _why: None) -> tuple[Recorded, ...]:
    """The recording at `path`; of a folder the newest run's parts, from the first that follows on without a gap.

    `on_left_out` is told of each file of a folder that cannot be read, as a crash or a full disk leaves them.

    Raises:
        RecordingError: there is none.
    """
    if not path.is_dir():
        return (open_recording(path),)
    known: list[Recorded] = []
    left_out: list[RecordingError] = []
    for file in sorted(path.glob(f"*{SUFFIX}")):
        try:
            known.append(open_recording(file))
        except RecordingError as error:
            left_out.append(error)
    for why in left_out if known else ():
        on_left_out(why.what)
    if not known:
        raise (
            left_out[0]
            if left_out
            else RecordingError(f"no recording in {path}", remedy=f"name a {SUFFIX} file, or a folder with some")
        )
    newest = max(known, key=lambda one: one.head.origin_utc_ns).head.run
    parts = sorted((one for one in known if one.head.run == newest), key=lambda one: one.part)
    while any(one.part != parts[0].part + k for k, one in enumerate(parts)):
        parts.pop(0)
    return tuple(parts)


def _short(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 300 else f"{text[:300]}..."
