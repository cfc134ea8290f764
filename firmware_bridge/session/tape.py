"""What a run is made of, mark by mark: every call into its conversations, with its time. Where marks go is links'."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from firmware_bridge.wire.codec import decode, encode
from firmware_bridge.wire.commands import Command
from firmware_bridge.wire.framing import Deframer, Packet, encode_packet

LINKS = "links/"
ORDERS = "controller/orders"


class Role(StrEnum):
    """What a mark about a link tells."""

    FROM_NODE = "from-node"  # bytes that came in
    TO_NODE = "to-node"  # bytes that went out; what comes of the other marks, kept as evidence
    CALL = "call"  # what the supervisor told the conversation: see `Call`


class Call(StrEnum):
    """What a conversation is told beside bytes."""

    OPEN_ASKED = "open_asked"
    OPEN_FAILED = "open_failed"
    OPENED = "opened"
    HUNG_UP = "hung_up"
    TICK = "tick"
    GREET = "greet"
    OVERRUN = "overrun"
    SEND = "send"


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that happened at `now_ns` of the loop; `at_ns` is when bytes that came in were seen."""

    topic: str
    now_ns: int
    at_ns: int
    data: bytes


class Tape(Protocol):
    """Whoever keeps marks; must not block."""

    def mark(self, mark: Mark) -> None:
        """Take one."""
        ...


def link_topic(link: str, role: Role) -> str:
    """The topic of marks about one link."""
    return f"{LINKS}{link}/{role}"


def link_of(topic: str) -> tuple[str, Role] | None:
    """Link and role of a mark's topic; None for marks about something else. Raises ValueError at an unknown role."""
    if not topic.startswith(LINKS):
        return None
    link, _, role = topic.removeprefix(LINKS).rpartition("/")
    return link, Role(role)


def send_data(node: str, ticket: int, command: Command) -> bytes:
    """An order to a node as a mark's data: whom, the sender's number, and the frame in hexadecimal."""
    return f"{Call.SEND} {node} {ticket} {encode_packet(encode(command, sequence=0)).hex()}".encode()


def order_of(text: str) -> tuple[str, int, Command]:
    """Node, ticket and command of a SEND's text. Raises ValueError where it is none."""
    node, ticket, frame = text.split(" ")
    found = Deframer().feed(bytes.fromhex(frame))
    command = decode(found[0]) if len(found) == 1 and isinstance(found[0], Packet) else None
    if not isinstance(command, Command):
        raise ValueError(f"no order: {text}")  # noqa: TRY004 - what was written is wrong, not who calls
    return node, int(ticket), command


def call_data(call: Call, text: str = "") -> bytes:
    """A call as a mark's data: one word, and a sentence where there is one."""
    return f"{call} {text}".rstrip().encode()


def call_of(data: bytes) -> tuple[Call, str]:
    """The call that `call_data` wrote. Raises ValueError at an unknown one."""
    word, _, text = data.decode("utf-8", "replace").partition(" ")
    return Call(word), text
