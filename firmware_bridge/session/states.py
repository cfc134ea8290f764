"""The states of a conversation and the ONE table that moves between them; what is done in a state is conversation's."""

from enum import StrEnum


class State(StrEnum):
    """Where a conversation stands."""

    CLOSED = "closed"
    OPENING = "opening"
    HELLO = "hello"
    SYNC = "sync"
    STREAMING = "streaming"
    DEGRADED = "degraded"
    INCOMPATIBLE = "incompatible"
    LOST = "lost"


class Trigger(StrEnum):
    """What moves a conversation."""

    OPEN_ASKED = "open_asked"
    OPENED = "opened"
    OPEN_FAILED = "open_failed"
    IDENTIFIED = "identified"
    VERSION_MISMATCH = "version_mismatch"
    DUPLICATE = "duplicate"
    SYNCHRONISED = "synchronised"
    LOSS_HIGH = "loss_high"
    LOSS_LOW = "loss_low"
    REBOOTED = "rebooted"
    GREETING_ASKED = "greeting_asked"
    SILENT = "silent"
    HUNG_UP = "hung_up"


_ON_LINE = (State.HELLO, State.SYNC, State.STREAMING, State.DEGRADED, State.INCOMPATIBLE)

TRANSITIONS: dict[tuple[State, Trigger], State] = {
    (State.CLOSED, Trigger.OPEN_ASKED): State.OPENING,
    (State.LOST, Trigger.OPEN_ASKED): State.OPENING,
    (State.OPENING, Trigger.OPENED): State.HELLO,
    (State.OPENING, Trigger.OPEN_FAILED): State.LOST,
    (State.HELLO, Trigger.IDENTIFIED): State.SYNC,
    (State.INCOMPATIBLE, Trigger.IDENTIFIED): State.SYNC,
    (State.HELLO, Trigger.VERSION_MISMATCH): State.INCOMPATIBLE,
    (State.HELLO, Trigger.DUPLICATE): State.INCOMPATIBLE,
    (State.SYNC, Trigger.SYNCHRONISED): State.STREAMING,
    (State.STREAMING, Trigger.LOSS_HIGH): State.DEGRADED,
    (State.DEGRADED, Trigger.LOSS_LOW): State.STREAMING,
    (State.SYNC, Trigger.REBOOTED): State.HELLO,
    (State.STREAMING, Trigger.REBOOTED): State.HELLO,
    (State.DEGRADED, Trigger.REBOOTED): State.HELLO,
    (State.SYNC, Trigger.GREETING_ASKED): State.HELLO,
    (State.STREAMING, Trigger.GREETING_ASKED): State.HELLO,
    (State.DEGRADED, Trigger.GREETING_ASKED): State.HELLO,
    (State.INCOMPATIBLE, Trigger.GREETING_ASKED): State.HELLO,
    (State.SYNC, Trigger.SILENT): State.LOST,
    (State.STREAMING, Trigger.SILENT): State.LOST,
    (State.DEGRADED, Trigger.SILENT): State.LOST,
    **{(state, Trigger.HUNG_UP): State.LOST for state in _ON_LINE},
}

DELIVERING = frozenset({State.STREAMING, State.DEGRADED})


def diagram() -> str:
    """The table as a mermaid state diagram."""
    arrows = [f"    {before} --> {then}: {trigger}" for (before, trigger), then in TRANSITIONS.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> closed", *arrows, "```"])


def after(state: State, trigger: Trigger) -> State:
    """The state after `trigger`; a trigger that the table does not list for `state` changes nothing."""
    return TRANSITIONS.get((state, trigger), state)
