"""What comes into the pipeline's inbox, beside what the bridge tells."""

from dataclasses import dataclass

from controller.localize.verdict import Verdict
from firmware_bridge.session.events import SessionEvent


@dataclass(frozen=True, slots=True)
class LocateDone:
    """A job is finished; `generation` is the job's."""

    verdict: Verdict
    generation: int


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A person acknowledges one occurrence of an alarm."""

    key: str
    occurrence: int
    by: str


@dataclass(frozen=True, slots=True)
class BrokerState:
    """The broker came or went."""

    connected: bool
    reason: str


Event = SessionEvent | LocateDone | Acknowledge | BrokerState
