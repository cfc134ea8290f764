"""Evidence -> conditions: which class a leak deserves, and which faults people must know of."""

from dataclasses import dataclass

from controller.alarm.types import AlarmClass, Condition
from controller.detect.pressure import PressureTrend
from controller.localize.verdict import Fix, NoFix
from controller.measure.leak_size import LeakSize
from firmware_bridge.units import S_PER_HOUR

LEAK = "leak"
NODES = "nodes"
SENSORS = "sensors"
BROKER = "broker"
SIREN = "siren"


@dataclass(frozen=True, slots=True)
class Settings:
    """The ladder: loss rates and reserve times at which a leak is graver."""

    caution_mmhg_h: float = 0.5
    warning_mmhg_h: float = 5.0
    warning_reserve_h: float = 24.0
    emergency_mmhg_min: float = 2.6
    emergency_reserve_h: float = 3.0


@dataclass(frozen=True, slots=True)
class LeakEvidence:
    """What speaks for a leak. `loud_nodes` stand above their noise floor; `trend` only where significant."""

    loud_nodes: tuple[str, ...] = ()
    verdict: Fix | NoFix | None = None
    trend: PressureTrend | None = None
    size: LeakSize | None = None


@dataclass(frozen=True, slots=True)
class FaultEvidence:
    """What is broken. Texts name what to do."""

    lost_nodes: tuple[tuple[str, str], ...] = ()  # (node, why)
    poor_sensors: tuple[tuple[str, str], ...] = ()  # (node or sensor, why)
    broker: str | None = None
    siren: str | None = None


def leak_conditions(evidence: LeakEvidence, settings: Settings) -> list[Condition]:
    """One leak condition, or none.

    Emergency and Warning need two independent kinds of evidence or two sensors that agree; whatever a lone sensor or
    sound alone says is at most a Caution.
    """
    by_sound, by_pressure = bool(evidence.loud_nodes), evidence.trend is not None
    if not by_sound and not by_pressure:
        return []
    reasons = []
    if by_sound:
        reasons.append(f"ultrasound above the noise floor at {', '.join(evidence.loud_nodes)}")
    if isinstance(evidence.verdict, Fix):
        reasons.append(
            f"located within {100 * evidence.verdict.radius95_m:.1f} cm (95 %) by nodes "
            + ", ".join(evidence.verdict.nodes_used)
        )
    elif evidence.verdict is not None:
        reasons.append(f"no fix: {evidence.verdict.explanation}")
    if evidence.trend is not None:
        reasons.append(
            f"pressure falls {evidence.trend.fall.sigmas:.1f} sigma over {evidence.trend.fall.window_s:.0f} s at "
            + ", ".join(evidence.trend.agreeing or evidence.trend.watched)
        )
    return [Condition(LEAK, _leak_class(evidence, settings), _leak_text(evidence), tuple(reasons))]


def fault_conditions(evidence: FaultEvidence) -> list[Condition]:
    """Fault conditions, grouped by cause: any number of lost nodes is one alarm."""
    conditions = []
    if evidence.lost_nodes:
        names = ", ".join(name for name, _ in evidence.lost_nodes)
        reasons = tuple(f"{name}: {why}" for name, why in evidence.lost_nodes)
        plural = "s" if len(evidence.lost_nodes) > 1 else ""
        members = frozenset(name for name, _ in evidence.lost_nodes)
        conditions.append(Condition(NODES, AlarmClass.CAUTION, f"node{plural} lost: {names}", reasons, members))
    if evidence.poor_sensors:
        names = ", ".join(dict.fromkeys(name for name, _ in evidence.poor_sensors))
        reasons = tuple(f"{name}: {why}" for name, why in evidence.poor_sensors)
        members = frozenset(reasons)
        conditions.append(Condition(SENSORS, AlarmClass.ADVISORY, f"not fully working: {names}", reasons, members))
    if evidence.broker is not None:
        conditions.append(Condition(BROKER, AlarmClass.ADVISORY, "MQTT broker is away", (evidence.broker,)))
    if evidence.siren is not None:
        conditions.append(Condition(SIREN, AlarmClass.CAUTION, "siren does not obey", (evidence.siren,)))
    return conditions


def _leak_class(evidence: LeakEvidence, settings: Settings) -> AlarmClass:
    by_sound, trend, size = bool(evidence.loud_nodes), evidence.trend, evidence.size
    if trend is None or size is None:
        return AlarmClass.CAUTION
    loss_mmhg_h, reserve_h = size.rate_mmhg_h.value, size.reserve_s.value / S_PER_HOUR
    if loss_mmhg_h > 60 * settings.emergency_mmhg_min or reserve_h < settings.emergency_reserve_h:
        by_ladder = AlarmClass.EMERGENCY
    elif by_sound or loss_mmhg_h > settings.warning_mmhg_h or reserve_h < settings.warning_reserve_h:
        by_ladder = AlarmClass.WARNING
    else:
        by_ladder = AlarmClass.CAUTION if loss_mmhg_h > settings.caution_mmhg_h else AlarmClass.ADVISORY
    independent = by_sound or len(trend.agreeing) > 1
    return by_ladder if independent else min(by_ladder, AlarmClass.CAUTION)


def _leak_text(evidence: LeakEvidence) -> str:
    """One line for people; without figures that change all the time."""
    known = "leak confirmed by sound and pressure" if evidence.loud_nodes and evidence.trend else None
    if known is None:
        known = "possible leak, heard" if evidence.loud_nodes else "pressure falls: possible leak"
    fix = evidence.verdict
    if isinstance(fix, Fix):
        where = fix.where or "at ({:.2f}, {:.2f}, {:.2f}) m".format(*fix.position_m)
        return f"{known}, in {fix.compartment}, {where}"
    return f"{known}, place unknown"
