"""One happening and one entry of every kind."""

from controller.alarm.types import AlarmChange, AlarmState
from controller.journal.entries import AnyEntry, NoteEntry
from controller.journal.telling import Stamp, entry_of
from controller.localize.verdict import Reason
from controller.pipeline.happenings import (
    Happening,
    Learned,
    Located,
    PressureFalls,
    PressureSteady,
    SoundOnset,
    SoundOver,
)
from firmware_bridge.session.states import State
from firmware_bridge.wire.commands import Capture, Siren, SirenPattern, TriggerRole
from tests.support.told import identity, moved, outcome
from tests.support.verdicts import alarm, fix, no_fix, size_of, trend

ORIGIN_NS = 5_000_000_000
STAMP = Stamp(seq=7, utc="2018-08-29T23:00:00.000Z", t_s=12.3456, origin_ns=ORIGIN_NS)

HAPPENINGS: dict[str, Happening] = {
    "a node streams": moved("A", State.STREAMING, link="/dev/ttyACM0", reason="in step", who=identity()),
    "a stranger": moved(None, State.HELLO, link="port", reason="asks who is there"),
    "a node lost": moved("B", State.LOST, reason="silent for 3 s; check its cable"),
    "learned": Learned(("A", "B")),
    "onset": SoundOnset(("A",), 3.217, 41.26, ORIGIN_NS + 11_000_000_000),
    "over": SoundOver(("A",)),
    "fix": Located(fix(where="0.11 m aft of the toilet panel")),
    "fix without landmark": Located(fix()),
    "no fix": Located(no_fix(Reason.AMBIGUOUS)),
    "pressure falls": PressureFalls(trend(), size_of(trend())),
    "pressure may fall": PressureFalls(trend(sigmas=1.5), size_of(trend(sigmas=1.5))),  # its interval holds none
    "pressure steady": PressureSteady(),
    "alarm": AlarmChange(alarm(), AlarmState.NORMAL, "raised"),
    "siren obeys": outcome("S1", Siren(SirenPattern.WARNING), text="done"),
    "capture fails": outcome("A", Capture(1, 100, TriggerRole.DRIVE, 5), done=False, text="busy"),
}


def entries() -> dict[str, AnyEntry]:
    """Every happening as it is written down, and a note."""
    told: dict[str, AnyEntry] = {name: entry_of(happening, STAMP) for name, happening in HAPPENINGS.items()}
    told["note"] = NoteEntry(seq=1, utc=STAMP.utc, t_s=0.0, text="controller started")
    return told


def note(seq: int, text: str = "x") -> NoteEntry:
    return NoteEntry(seq=seq, utc=STAMP.utc, t_s=float(seq), text=text)
