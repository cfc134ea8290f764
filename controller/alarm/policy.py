"""Evidence -> the leak's condition: which class it deserves. Faults of our own equipment are next door."""

from dataclasses import dataclass

from controller.alarm.keys import LEAK
from controller.alarm.types import AlarmClass, Condition
from controller.detect.pressure import PressureTrend
from controller.localize.verdict import Fix, NoFix, Reason
from controller.measure.leak_size import LeakSize
from firmware_bridge.units import S_PER_HOUR


@dataclass(frozen=True, slots=True)
class Settings:
    """The ladder: loss rates and reserve times at which a leak is graver."""

    advisory_mmhg_h: float = 0.1  # crew and feeds make as much by themselves
    advisory_deadband: float = 0.2  # a standing alarm holds until the rate is this share below that
    caution_mmhg_h: float = 0.5
    warning_mmhg_h: float = 5.0
    warning_reserve_h: float = 24.0
    emergency_mmhg_min: float = 2.6
    emergency_reserve_h: float = 3.0


@dataclass(frozen=True, slots=True)
class LeakEvidence:
    """What speaks for a leak. `loud_nodes` stand above their noise floor; `trend` only where significant.

    `pressure_nodes` are the nodes of the agreeing barometers, where known: two on one node share its faults. `leaks`
    are all places that are followed, `verdict` is on the first of them or on none. `hissing` says that the sound is
    like a jet's and not like a machine's, `beside` names a machine that stands near, `in_quiet` that all was heard in a
    quiet window.
    """

    loud_nodes: tuple[str, ...] = ()
    verdict: Fix | NoFix | None = None
    trend: PressureTrend | None = None
    size: LeakSize | None = None
    pressure_nodes: frozenset[str] | None = None
    leaks: tuple[Fix, ...] = ()
    hissing: bool = True
    beside: str | None = None
    in_quiet: bool = False

    @property
    def off_hull(self) -> bool:
        """Whether what is heard is in the room, or a machine: then it is no second witness of a fall of pressure."""
        return isinstance(self.verdict, NoFix) and self.verdict.reason in {Reason.OFF_HULL, Reason.EQUIPMENT}

    @property
    def like_a_leak(self) -> bool:
        """Whether the sound alone tells a leak from a machine: it hisses from one place on the wall."""
        return isinstance(self.verdict, Fix) and self.hissing


def leak_conditions(evidence: LeakEvidence, settings: Settings) -> list[Condition]:
    """One leak condition, or none; in the deadband one that only holds an alarm that stands.

    Emergency and Warning need two independent kinds of evidence or two sensors that agree; whatever a lone sensor or
    sound alone says is at most a Caution, and an Advisory where the sound may as well be a machine's.
    """
    by_sound, by_pressure = bool(evidence.loud_nodes), evidence.trend is not None
    if not by_sound and not by_pressure:
        return []
    reasons = []
    if by_sound:
        how = "ultrasound in the quiet window" if evidence.in_quiet else "ultrasound above the noise floor"
        reasons.append(f"{how} at {', '.join(evidence.loud_nodes)}")
    if isinstance(evidence.verdict, Fix):
        fixes = evidence.leaks or (evidence.verdict,)
        reasons += [
            f"located within {100 * fix.radius95_m:.1f} cm (95 %) by nodes {', '.join(fix.nodes_used)}"
            + (f": {_place(fix)}" if len(fixes) > 1 else "")
            for fix in fixes
        ]
    elif evidence.verdict is not None:
        reasons.append(f"no fix: {evidence.verdict.explanation}")
    if evidence.trend is not None:
        reasons.append(
            f"pressure falls {evidence.trend.fall.sigmas:.1f} sigma over {evidence.trend.fall.window_s:.0f} s at "
            + ", ".join(evidence.trend.agreeing or evidence.trend.watched)
        )
    leak_class = _leak_class(evidence, settings)
    holds = False
    if leak_class is AlarmClass.ADVISORY and evidence.size is not None and not by_sound:
        loss_mmhg_h = evidence.size.rate_mmhg_h.value
        if loss_mmhg_h < (1 - settings.advisory_deadband) * settings.advisory_mmhg_h:
            return []
        holds = loss_mmhg_h < settings.advisory_mmhg_h
    return [Condition(LEAK, leak_class, _leak_text(evidence), tuple(reasons), only_holds=holds)]


def _leak_class(evidence: LeakEvidence, settings: Settings) -> AlarmClass:
    by_sound, trend, size = bool(evidence.loud_nodes) and not evidence.off_hull, evidence.trend, evidence.size
    if trend is None or size is None:
        alone = by_sound and not evidence.like_a_leak and trend is None
        return AlarmClass.ADVISORY if evidence.off_hull or alone else AlarmClass.CAUTION
    loss_mmhg_h, reserve_h = size.rate_mmhg_h.value, size.reserve_s.value / S_PER_HOUR
    if loss_mmhg_h > 60 * settings.emergency_mmhg_min or reserve_h < settings.emergency_reserve_h:
        by_ladder = AlarmClass.EMERGENCY
    elif by_sound or loss_mmhg_h > settings.warning_mmhg_h or reserve_h < settings.warning_reserve_h:
        by_ladder = AlarmClass.WARNING
    else:
        by_ladder = AlarmClass.CAUTION if loss_mmhg_h > settings.caution_mmhg_h else AlarmClass.ADVISORY
    sources = trend.agreeing if evidence.pressure_nodes is None else evidence.pressure_nodes
    independent = by_sound or len(sources) > 1
    return by_ladder if independent else min(by_ladder, AlarmClass.CAUTION)


def _leak_text(evidence: LeakEvidence) -> str:
    """One line for people; without figures that change all the time."""
    if evidence.off_hull and evidence.loud_nodes:
        inside = "a sound began inside the room: equipment?"
        return f"pressure falls: possible leak, place unknown; {inside}" if evidence.trend else inside
    if not evidence.like_a_leak and evidence.trend is None:
        place = "place unknown"
        if isinstance(evidence.verdict, Fix):
            place = f"in {evidence.verdict.compartment}, {_place(evidence.verdict)}"
        what = "a machine" if evidence.beside is None else evidence.beside
        return f"a new sound, {place}: {what} that was switched on, or a leak; pressure shows none so far"
    known = "leak confirmed by sound and pressure" if evidence.loud_nodes and evidence.trend else None
    if known is None:
        known = "possible leak, heard" if evidence.loud_nodes else "pressure falls: possible leak"
    fix = evidence.verdict
    if isinstance(fix, Fix):
        others = [_place(other) for other in evidence.leaks if other is not fix]
        return f"{known}, in {fix.compartment}, {_place(fix)}" + "".join(f"; another {where}" for where in others)
    return f"{known}, place unknown"


def _place(fix: Fix) -> str:
    return fix.where or "at ({:.2f}, {:.2f}, {:.2f}) m".format(*fix.position_m)
