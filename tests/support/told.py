"""What the bridge tells of nodes, made up."""

from firmware_bridge.session.events import CommandOutcome, Counters, Identity, LinkHealth, StateChanged
from firmware_bridge.session.states import State
from firmware_bridge.wire.commands import Command
from firmware_bridge.wire.reports import Feature


def identity(complaints: tuple[str, ...] = ()) -> Identity:
    return Identity(0xA1, 7, "twin 1", Feature.BURSTS, 192_000, 65_536, complaints)


def moved(
    node: str | None,
    state: State = State.STREAMING,
    *,
    link: str = "port",
    reason: str = "",
    who: Identity | None = None,
) -> StateChanged:
    """A conversation reached a state."""
    return StateChanged(link, node, state, reason or f"{node} is {state.value}", who)


def report(node: str | None, *, state: State = State.STREAMING, link: str = "port") -> LinkHealth:
    return LinkHealth(link, node, state, Counters(lost_frames=3), 12_000.0, 1e-6, 900_000, None)


def outcome(node: str, command: Command, *, done: bool = True, ticket: int = 1, text: str = "done") -> CommandOutcome:
    return CommandOutcome(node, ticket, command, done, text)
