"""The ONE table of all alarm transitions, and the picture made from it. Who pulls which trigger is the machine's."""

from enum import StrEnum

from controller.alarm.types import AlarmState


class Trigger(StrEnum):
    """What moves an alarm. Where two differ by "over", the condition of the second is so no more."""

    RAISED = "raised"
    GRAVER = "graver"
    GREW = "grew"
    BROKE_OUT = "broke out"
    HELD_BACK = "held back"
    RETURNED = "returned"
    LATCHED = "over but latched"
    ACKNOWLEDGED = "acknowledged"
    RESET = "reset"
    REANNOUNCED = "announced again"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    UNSHELVED_OVER = "unshelved, over"
    INHIBITED = "inhibited"
    TAKEN_OUT = "taken out of service"
    RELEASED = "released"
    RELEASED_OVER = "released, over"


_NORMAL, _UNACKNOWLEDGED, _ACKNOWLEDGED = AlarmState.NORMAL, AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED
_RETURNED, _LATCHED, _SHELVED = AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.LATCHED, AlarmState.SHELVED
_LATCHED_UNACKNOWLEDGED, _SUPPRESSED = AlarmState.LATCHED_UNACKNOWLEDGED, AlarmState.SUPPRESSED
_OUT = AlarmState.OUT_OF_SERVICE

TRANSITIONS: dict[tuple[AlarmState, Trigger], AlarmState] = {
    # The condition comes, or comes again.
    (_NORMAL, Trigger.RAISED): _UNACKNOWLEDGED,
    (_RETURNED, Trigger.RAISED): _UNACKNOWLEDGED,
    (_LATCHED_UNACKNOWLEDGED, Trigger.RAISED): _UNACKNOWLEDGED,
    (_LATCHED, Trigger.RAISED): _UNACKNOWLEDGED,
    (_NORMAL, Trigger.HELD_BACK): _SUPPRESSED,
    # It becomes worse, or people forget it.
    (_UNACKNOWLEDGED, Trigger.GRAVER): _UNACKNOWLEDGED,
    (_ACKNOWLEDGED, Trigger.GRAVER): _UNACKNOWLEDGED,
    (_UNACKNOWLEDGED, Trigger.GREW): _UNACKNOWLEDGED,
    (_ACKNOWLEDGED, Trigger.GREW): _UNACKNOWLEDGED,
    (_UNACKNOWLEDGED, Trigger.REANNOUNCED): _UNACKNOWLEDGED,
    (_ACKNOWLEDGED, Trigger.REANNOUNCED): _UNACKNOWLEDGED,
    (_SHELVED, Trigger.BROKE_OUT): _UNACKNOWLEDGED,
    (_SUPPRESSED, Trigger.BROKE_OUT): _UNACKNOWLEDGED,
    (_OUT, Trigger.BROKE_OUT): _UNACKNOWLEDGED,
    # It is over.
    (_UNACKNOWLEDGED, Trigger.RETURNED): _RETURNED,
    (_ACKNOWLEDGED, Trigger.RETURNED): _NORMAL,
    (_UNACKNOWLEDGED, Trigger.LATCHED): _LATCHED_UNACKNOWLEDGED,
    (_ACKNOWLEDGED, Trigger.LATCHED): _LATCHED,
    # People take notice.
    (_UNACKNOWLEDGED, Trigger.ACKNOWLEDGED): _ACKNOWLEDGED,
    (_RETURNED, Trigger.ACKNOWLEDGED): _NORMAL,
    (_LATCHED_UNACKNOWLEDGED, Trigger.ACKNOWLEDGED): _LATCHED,
    (_LATCHED, Trigger.RESET): _NORMAL,
    (_ACKNOWLEDGED, Trigger.RESET): _NORMAL,  # only what stood before a restart and was not seen since
    # People want quiet, for a while.
    (_UNACKNOWLEDGED, Trigger.SHELVED): _SHELVED,
    (_ACKNOWLEDGED, Trigger.SHELVED): _SHELVED,
    (_RETURNED, Trigger.SHELVED): _SHELVED,
    (_SHELVED, Trigger.UNSHELVED): _ACKNOWLEDGED,  # by hand: whoever does it has seen it (ISA-18.2, 11.7.3)
    (_SHELVED, Trigger.UNSHELVED_OVER): _NORMAL,
    (_SHELVED, Trigger.RELEASED): _UNACKNOWLEDGED,  # by its expiry: nobody may have looked
    (_SHELVED, Trigger.RELEASED_OVER): _NORMAL,
    (_NORMAL, Trigger.INHIBITED): _SUPPRESSED,
    (_UNACKNOWLEDGED, Trigger.INHIBITED): _SUPPRESSED,
    (_ACKNOWLEDGED, Trigger.INHIBITED): _SUPPRESSED,
    (_RETURNED, Trigger.INHIBITED): _SUPPRESSED,
    (_SHELVED, Trigger.INHIBITED): _SUPPRESSED,
    (_SUPPRESSED, Trigger.RELEASED): _UNACKNOWLEDGED,
    (_SUPPRESSED, Trigger.RELEASED_OVER): _NORMAL,
    (_NORMAL, Trigger.TAKEN_OUT): _OUT,
    (_UNACKNOWLEDGED, Trigger.TAKEN_OUT): _OUT,
    (_ACKNOWLEDGED, Trigger.TAKEN_OUT): _OUT,
    (_RETURNED, Trigger.TAKEN_OUT): _OUT,
    (_SHELVED, Trigger.TAKEN_OUT): _OUT,
    (_SUPPRESSED, Trigger.TAKEN_OUT): _OUT,
    (_OUT, Trigger.RELEASED): _UNACKNOWLEDGED,
    (_OUT, Trigger.RELEASED_OVER): _NORMAL,
}

ACTIVE = frozenset({_UNACKNOWLEDGED, _ACKNOWLEDGED})
SOUNDING = frozenset({_UNACKNOWLEDGED, _LATCHED_UNACKNOWLEDGED})  # what a siren is for
LATCHING = frozenset({_LATCHED_UNACKNOWLEDGED, _LATCHED})
QUIETED = frozenset({_SHELVED, _SUPPRESSED, _OUT})


def diagram() -> str:
    """The table as a mermaid state diagram."""
    arrows = [f"    {before} --> {after}: {trigger}" for (before, trigger), after in TRANSITIONS.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> normal", *arrows, "```"])
