"""What comes into the pipeline's inbox, beside what the bridge tells."""

from dataclasses import dataclass

from controller.alarm.requests import (
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
from controller.localize.verdict import Verdict
from firmware_bridge.session.events import SessionEvent


@dataclass(frozen=True, slots=True)
class LocateDone:
    """A job is finished; `generation` is the job's. Verdicts are one a leak, and at the end one that is no fix."""

    verdicts: tuple[Verdict, ...]
    generation: int


@dataclass(frozen=True, slots=True)
class BrokerState:
    """The broker came or went."""

    connected: bool
    reason: str


@dataclass(frozen=True, slots=True)
class OwnHealth:
    """A part of the controller itself fails, or is well again where `trouble` is None.

    "disk", "inbox", "locator", "clocks" (its UTC), an output's name.
    """

    part: str
    trouble: str | None


@dataclass(frozen=True, slots=True)
class HatchMoved:
    """Somebody, or a sensor, says how a hatch of the site stands now."""

    hatch: str
    open: bool


@dataclass(frozen=True, slots=True)
class GasMoved:
    """Gas that people know of comes in (positive) or goes out over the next `over_s`: feed, airlock, vehicle, vent.

    `kg` None: nobody knows how much; pressure is then not judged meanwhile. `gas` is "air", "nitrogen" or "oxygen".
    """

    compartment: str
    kg: float | None
    over_s: float
    gas: str = "air"


@dataclass(frozen=True, slots=True)
class SearchAsked:
    """A person wants a leak searched for by its compartment though nothing is suspected, or ends a search."""

    on: bool
    by: str


@dataclass(frozen=True, slots=True)
class BeginQuiet:
    """A person announces quiet for the next `duration_s`; `equipment` is off, or is to be where relays can do it.

    () says that it is quiet without any of the site's machines being switched. As in every request, `asked_utc` and
    `request_id` are the client's own, written down and handed back.
    """

    duration_s: float
    equipment: tuple[str, ...]
    by: str
    asked_utc: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class EndQuiet:
    """A person ends the quiet that is on, whoever asked for it: machines may run again."""

    by: str
    asked_utc: str = ""
    request_id: str = ""


QuietRequest = BeginQuiet | EndQuiet

Event = (
    SessionEvent | LocateDone | Request | BrokerState | OwnHealth | HatchMoved | GasMoved | SearchAsked | QuietRequest
)

# What people ask is told where all else is told that comes in.
__all__ = [
    "Acknowledge",
    "BeginQuiet",
    "BrokerState",
    "EndInhibition",
    "EndQuiet",
    "Event",
    "GasMoved",
    "HatchMoved",
    "Inhibit",
    "LocateDone",
    "OwnHealth",
    "QuietRequest",
    "Request",
    "Reset",
    "ReturnToService",
    "SearchAsked",
    "Shelve",
    "TakeOutOfService",
    "Unshelve",
]
