"""Pictures of the situation in all phases."""

from controller.alarm.types import Alarm, AlarmClass, AlarmState
from controller.health import NodePicture
from controller.localize.verdict import Fix, NoFix
from controller.pipeline.picture import Picture, Reading
from firmware_bridge.session.states import State
from tests.support.told import report
from tests.support.verdicts import alarm, fix, no_fix, size_of, trend

PHASES = ("learning", "watching", "leak")


def node(name: str, state: State, *, mute: tuple[str, ...] = (), reason: str = "in step") -> NodePicture:
    known = state is not State.CLOSED
    return NodePicture(name, f"/dev/{name}" if known else None, state, reason, report(name) if known else None, mute)


def picture(
    phase: str = "leak",
    *,
    site: str = "Soyuz orbital module",
    verdict: Fix | NoFix | None = None,
    sigmas: float | None = None,
    alarms: tuple[Alarm, ...] = (),
    reason: str = "not heard yet",
) -> Picture:
    """A picture with nodes in every state; `sigmas` of a falling pressure, where it falls."""
    told = None if sigmas is None else trend(sigmas=sigmas)
    nodes = [node(f"N{i}", state) for i, state in enumerate(State)]
    return Picture(
        now_ns=0,
        site=site,
        phase=phase,
        nodes=(*nodes, node("M", State.STREAMING, mute=("M1",)), node("X", State.CLOSED, reason=reason)),
        pressures_pa=(Reading("M", "M-pressure", 99_330.0),),
        loudness_db=(Reading("M", "M", 3.25),),
        trend=told,
        size=None if told is None else size_of(told),
        verdict=verdict,
        alarms=alarms,
        captures=12,
        late_bursts=1,
        incomplete_bursts=2,
    )


def leaking() -> Picture:
    """A leak that all evidence speaks for."""
    grave = alarm(AlarmClass.WARNING, text="leak confirmed by sound and pressure, in orbital-module")
    mild = alarm(AlarmClass.CAUTION, AlarmState.ACKNOWLEDGED, "nodes", "node lost: X")
    place = fix(where="0.11 m aft of the toilet panel")
    return picture(verdict=place, sigmas=6.0, alarms=(grave, mild))


def unlocated() -> Picture:
    return picture(verdict=no_fix())
