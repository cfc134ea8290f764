"""One happening and one entry of every kind."""

from dataclasses import replace

from controller.alarm.requests import Acknowledge, Answer, Inhibit
from controller.alarm.types import AlarmChange, AlarmClass, AlarmState, Suppression
from controller.isolate.advice import Advice, Step
from controller.isolate.moves import Move
from controller.journal.entries import AnyEntry, NoteEntry, ReadingsEntry
from controller.journal.telling import Stamp, entry_of
from controller.localize.verdict import Reason
from controller.pipeline.events import BeginQuiet, EndQuiet
from controller.pipeline.happenings import (
    Happening,
    HatchStands,
    IsolationAdvised,
    LeakGone,
    Learned,
    Located,
    PressureFalls,
    PressureSteady,
    QuietAnswer,
    QuietAsked,
    QuietOver,
    SoundOnset,
    SoundOver,
)
from controller.quiet.window import QuietWindow
from firmware_bridge.session.states import State
from firmware_bridge.wire.commands import Capture, Siren, SirenPattern, TriggerRole
from tests.support.told import identity, moved, outcome
from tests.support.verdicts import alarm, fix, no_fix, size_of, trend

ORIGIN_NS = 5_000_000_000
STAMP = Stamp(seq=7, utc="2018-08-29T23:00:00.000Z", t_s=12.3456, origin_ns=ORIGIN_NS)


def search_advice() -> Advice:
    """One step of a search."""
    return Advice(
        step=Step.MOVE,
        moves=(Move("h1", opens=True, by_motor=False, equalise=True), Move("h2", opens=False, by_motor=True)),
        why="shutting h2 divides lab (50%) from store (45%), and 12 min tell them apart",
        outcomes=("if lab falls by about 21 Pa more than the rest, it leaks there",),
        watch_s=720.0,
        hold_s=float("inf"),
        bits=0.912345,
        compartment=None,
        probabilities=(("lab", 0.5), ("store", 0.45)),
        no_leak=0.05,
        shut=frozenset({"h2"}),
    )


HAPPENINGS: dict[str, Happening] = {
    "a node streams": moved("A", State.STREAMING, link="/dev/ttyACM0", reason="in step", who=identity()),
    "a stranger": moved(None, State.HELLO, link="port", reason="asks who is there"),
    "a node lost": moved("B", State.LOST, reason="silent for 3 s; check its cable"),
    "learned": Learned(("A", "B")),
    "onset": SoundOnset(("A",), 3.217, 41.26, ORIGIN_NS + 11_000_000_000),
    "over": SoundOver(("A",)),
    "fix": Located(fix(where="0.11 m aft of the toilet panel")),
    "fix without landmark": Located(fix()),
    "second leak": Located(fix((0.5, 0.1, 1.1)), 2),
    "leak gone": LeakGone(2, fix((0.5, 0.1, 1.1), where="at the window")),
    "leak gone without landmark": LeakGone(1, fix()),
    "no fix": Located(no_fix(Reason.AMBIGUOUS)),
    "pressure falls": PressureFalls(trend(), size_of(trend())),
    "pressure may fall": PressureFalls(trend(sigmas=1.5), size_of(trend(sigmas=1.5))),  # its interval holds none
    "pressure steady": PressureSteady(),
    "hatch": HatchStands("prk-hatch", open=False, source="sensor"),
    "search": IsolationAdvised(search_advice()),
    "quiet asked": QuietAsked(
        QuietWindow(
            "lab", ("rack 1", "fan"), ("rack 1",), 204.0, 87, 12.3, -9.0, 3.3, True, "switch off rack 1 and fan"
        )
    ),
    "quiet over": QuietOver(("rack 1", "fan"), found=True),
    "quiet announced": QuietAnswer(
        BeginQuiet(300.0, ("rack 1", "fan"), "Gerst", "2018-08-29T23:00:00Z", "r2"), True, "quiet for 5 min"
    ),
    "quiet ended in vain": QuietAnswer(EndQuiet("Gerst"), False, "no quiet was asked for or announced"),
    "alarm": AlarmChange(alarm(), AlarmState.NORMAL, "raised"),
    "alarm shelved": AlarmChange(
        replace(
            alarm(AlarmClass.CAUTION, AlarmState.SHELVED, "nodes"),
            members=frozenset("BA"),
            suppression=Suppression("Gerst", "shelved", AlarmClass.CAUTION, ORIGIN_NS + 3600_000_000_000),
        ),
        AlarmState.UNACKNOWLEDGED,
        "shelved by Gerst",
    ),
    "asked": Answer(Acknowledge("leak", 1, "Gerst", "2018-08-29T23:00:00Z", "r1"), True, "acknowledged"),
    "asked in vain": Answer(Inhibit("leak", float("nan"), "x" * 10_000, "Gerst"), False, "so long cannot be"),
    "siren obeys": outcome("S1", Siren(SirenPattern.WARNING), text="done"),
    "capture fails": outcome("A", Capture(1, 100, TriggerRole.DRIVE, 5), done=False, text="busy"),
}


def entries() -> dict[str, AnyEntry]:
    """Every happening as it is written down, and a note."""
    told: dict[str, AnyEntry] = {name: entry_of(happening, STAMP) for name, happening in HAPPENINGS.items()}
    values: dict[str, tuple[float | None, ...]] = {
        "P1-pressure": (99_330.12, None),
        "P1-temperature": (295.151, 295.152),
    }
    told["readings"] = ReadingsEntry(seq=2, utc=STAMP.utc, t_s=60.0, since_t_s=0.0, period_s=1.0, values=values)
    told["note"] = NoteEntry(seq=1, utc=STAMP.utc, t_s=0.0, text="controller started")
    return told


def note(seq: int, text: str = "x") -> NoteEntry:
    return NoteEntry(seq=seq, utc=STAMP.utc, t_s=float(seq), text=text)
