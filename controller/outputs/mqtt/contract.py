"""Every topic of the contract in one table: who publishes it, whether it is retained, what it carries."""

import typing
from dataclasses import dataclass

from controller.journal.entries import (
    AlarmEntry,
    AnyEntry,
    FixEntry,
    IsolationEntry,
    LeakRateEntry,
    NoFixEntry,
    QuietWindowEntry,
    ReadingsEntry,
)
from controller.outputs.mqtt.commands import COMMANDS
from controller.outputs.mqtt.messages import (
    CallingMessage,
    HealthMessage,
    LeaksMessage,
    ReplyMessage,
    ReservesMessage,
    StateMessage,
    StatusMessage,
)
from controller.outputs.mqtt.outbox import AlarmEvent
from controller.outputs.node_board import NodesMessage
from controller.outputs.node_requests import NodeReply

EVENTS = tuple(kind for kind in typing.get_args(AnyEntry) if kind is not ReadingsEntry)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic below `leakloc/<site>`; `{name}` stands for one level. `taken` is what the controller listens to."""

    name: str
    payloads: tuple[type, ...]
    says: str
    retained: bool = False
    taken: bool = False
    may_be_empty: bool = False


def _says(kind: type) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]


PUBLISHED = (
    Topic("status", (StatusMessage,), "whether a controller is connected; false at its end and as last will", True),
    Topic("state", (StateMessage,), "the situation, at every event and every 5 s", True),
    Topic("health", (HealthMessage,), "how the leak locator itself is, at every event and every 5 s", True),
    Topic("reserve", (ReservesMessage,), "reserve times of the volumes that lose gas, when they changed", True),
    Topic("calling", (CallingMessage,), "what lamps and horns show: the gravest that nobody took notice of", True),
    Topic("alarm/{key}", (AlarmEntry,), "how one alarm stands", True, may_be_empty=True),
    Topic("alarm_event", (AlarmEvent,), "every move of every alarm, in order, at least once, also after an outage"),
    Topic("fix", (FixEntry, NoFixEntry), "where the leak known for longest is, or why nobody knows", True, False, True),
    Topic("leaks", (LeaksMessage,), "the newest fix of every leak that is followed", True, may_be_empty=True),
    Topic("leak_rate", (LeakRateEntry,), "how fast pressure falls", True, may_be_empty=True),
    Topic("isolation", (IsolationEntry,), "the next step of a search by hatches", True, may_be_empty=True),
    Topic("quiet_window", (QuietWindowEntry,), "equipment that is to be off for now", True, may_be_empty=True),
    Topic("nodes", (NodesMessage,), "every link with its node and counters", True),
    Topic("event", EVENTS, "every decision as it is made; not kept over a restart"),
    Topic("reply/{id}", (ReplyMessage, NodeReply), "what became of the command with that id"),
)
TAKEN = (
    *(Topic(f"command/{verb}", (kind,), _says(kind), taken=True) for verb, kind in COMMANDS.items()),
    *(
        Topic(f"command/{verb}/{{user}}", (kind,), f"{_says(kind)} As the user whom the broker knows.", taken=True)
        for verb, kind in COMMANDS.items()
    ),
)
TOPICS = (*PUBLISHED, *TAKEN)


def topic_of(name: str) -> Topic | None:
    """The topic that `name`, below the prefix, is one of."""
    levels = name.split("/")
    for topic in TOPICS:
        wanted = topic.name.split("/")
        pairs = zip(wanted, levels, strict=False)
        if len(wanted) == len(levels) and all(want == is_ or (want[0] == "{" and is_) for want, is_ in pairs):
            return topic
    return None
