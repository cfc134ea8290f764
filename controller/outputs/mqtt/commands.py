"""Payloads that people send, strictly checked, and the event that each becomes. Who may send is the door's.

Nothing here trusts its input: sizes are bounded before anything is parsed, unknown keys are refused.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from controller.alarm.requests import (
    DEFAULT_OUT_OF_SERVICE_S,
    MAX_INHIBITION_S,
    MAX_NAME,
    MAX_OUT_OF_SERVICE_S,
    MAX_REASON,
    MAX_SHELF_S,
    MIN_QUIET_S,
    Acknowledge,
    EndInhibition,
    Inhibit,
    Request,
    Reset,
    ReturnToService,
    Shelve,
    TakeOutOfService,
    Unshelve,
)
from controller.alarm.types import AlarmClass
from controller.outputs.node_requests import MAX_SECONDS, Do, NodeRequest
from controller.pipeline.events import BeginQuiet, EndQuiet, GasMoved, HatchMoved, QuietRequest, SearchAsked

MAX_PAYLOAD_BYTES = 4096
ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"  # it becomes a topic
MAX_GAS_KG = 10_000.0
MAX_GAS_S = 86_400.0
MIN_WINDOW_S = 30.0  # fans take so long to run down
MAX_WINDOW_S = 3600.0  # equipment that is off for longer is an outage, not a window to listen in
MAX_EQUIPMENT = 32

PipelineEvent = Request | HatchMoved | SearchAsked | GasMoved | QuietRequest
CommandEvent = PipelineEvent | NodeRequest


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be printable and not blank")
    return text


Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_printable)]
Reason = Annotated[str, Field(min_length=1, max_length=MAX_REASON), AfterValidator(_printable)]
Occurrence = Annotated[int, Field(ge=0, le=2**53)]


class Command(BaseModel):
    """What every command carries: an id that was never used, when it was asked (UTC, ISO 8601), and who asks."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
    topic: ClassVar[str]
    id: Annotated[str, Field(pattern=ID_PATTERN)]
    utc: AwareDatetime
    by: Name

    def event(self) -> CommandEvent:
        """What enters the pipeline's inbox, or goes to the desk of the nodes."""
        raise NotImplementedError

    @property
    def marks(self) -> tuple[str, str]:
        """`asked_utc` and `request_id` of the request."""
        return self.utc.isoformat(timespec="milliseconds"), self.id


class AcknowledgeCommand(Command):
    """A person takes notice of one occurrence of an alarm."""

    topic = "acknowledge"
    key: Name
    occurrence: Occurrence

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        return Acknowledge(self.key, self.occurrence, self.by, *self.marks)


class ResetCommand(Command):
    """A person has seen to a latched alarm."""

    topic = "reset"
    key: Name
    occurrence: Occurrence

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        return Reset(self.key, self.occurrence, self.by, *self.marks)


class ShelveCommand(Command):
    """Out of sight for a while."""

    topic = "shelve"
    key: Name
    occurrence: Occurrence
    duration_s: Annotated[float, Field(ge=MIN_QUIET_S, le=MAX_SHELF_S)]

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        return Shelve(self.key, self.occurrence, self.duration_s, self.by, *self.marks)


class UnshelveCommand(Command):
    """Back in sight."""

    topic = "unshelve"
    key: Name

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        return Unshelve(self.key, self.by, *self.marks)


class InhibitCommand(Command):
    """A plan explains what will be seen, up to a class: such as a planned depressurization."""

    topic = "inhibit"
    key: Name
    duration_s: Annotated[float, Field(ge=MIN_QUIET_S, le=MAX_INHIBITION_S)]
    reason: Reason
    up_to: Literal["advisory", "caution", "warning", "emergency"] = "warning"

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        up_to = AlarmClass[self.up_to.upper()]
        return Inhibit(self.key, self.duration_s, self.reason, self.by, up_to, *self.marks)


class EndInhibitionCommand(Command):
    """The plan is over."""

    topic = "end_inhibition"
    key: Name

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        return EndInhibition(self.key, self.by, *self.marks)


class TakeOutOfServiceCommand(Command):
    """An alarm, or one part of a grouped one ("nodes:B"), is under repair."""

    topic = "take_out_of_service"
    key: Name
    reason: Reason
    duration_s: Annotated[float, Field(ge=MIN_QUIET_S, le=MAX_OUT_OF_SERVICE_S)] = DEFAULT_OUT_OF_SERVICE_S

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        return TakeOutOfService(self.key, self.reason, self.by, self.duration_s, *self.marks)


class ReturnToServiceCommand(Command):
    """The repair is done."""

    topic = "return_to_service"
    key: Name

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        return ReturnToService(self.key, self.by, *self.marks)


class HatchCommand(Command):
    """Somebody opened or shut a hatch by hand, or saw how it stands."""

    topic = "hatch"
    hatch: Name
    open: bool

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        return HatchMoved(self.hatch, self.open)


class SearchCommand(Command):
    """Begin to search for the leaking compartment, or end it and forget what was found."""

    topic = "search"
    on: bool

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        return SearchAsked(self.on, self.by)


class GasCommand(Command):
    """Gas that people know of comes in (positive, kg) or goes out within `over_s`; null: nobody knows how much."""

    topic = "gas"
    compartment: Name
    kg: Annotated[float, Field(ge=-MAX_GAS_KG, le=MAX_GAS_KG)] | None
    over_s: Annotated[float, Field(gt=0, le=MAX_GAS_S)]
    gas: Literal["air", "nitrogen", "oxygen"] = "air"

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        return GasMoved(self.compartment, self.kg, self.over_s, self.gas)


class BeginQuietCommand(Command):
    """Quiet begins, or a window that is on is replaced: `equipment` is off, relays that we may move see to theirs."""

    topic = "begin_quiet"
    duration_s: Annotated[float, Field(ge=MIN_WINDOW_S, le=MAX_WINDOW_S)]
    equipment: Annotated[tuple[Name, ...], Field(max_length=MAX_EQUIPMENT)]

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        return BeginQuiet(self.duration_s, self.equipment, self.by, *self.marks)


class EndQuietCommand(Command):
    """Quiet is over, whoever asked for it: machines may run again."""

    topic = "end_quiet"

    def event(self) -> CommandEvent:
        """What enters the inbox."""
        return EndQuiet(self.by, *self.marks)


class NodeCommand(Command):
    """One node is to ping, identify itself, tell its levels or be greeted anew; `node` is a name or a UID."""

    topic = "node"
    node: Name
    do: Do
    seconds: Annotated[float, Field(gt=0, le=MAX_SECONDS)] = 10.0

    def event(self) -> CommandEvent:
        """What goes to the desk of the nodes."""
        return NodeRequest(self.id, self.node, self.do, self.seconds, self.by)


COMMANDS: dict[str, type[Command]] = {
    kind.topic: kind
    for kind in (
        AcknowledgeCommand,
        ResetCommand,
        ShelveCommand,
        UnshelveCommand,
        InhibitCommand,
        EndInhibitionCommand,
        TakeOutOfServiceCommand,
        ReturnToServiceCommand,
        HatchCommand,
        SearchCommand,
        GasCommand,
        BeginQuietCommand,
        EndQuietCommand,
        NodeCommand,
    )
}
