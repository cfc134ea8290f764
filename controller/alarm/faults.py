"""What is broken in our own equipment -> conditions, grouped by root cause. What is broken is found elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass

from controller.alarm.keys import BROKER, CLOCKS, DISK, LINKS, NODES, SELF, SENSORS, SIREN
from controller.alarm.types import AlarmClass, Condition

Troubles = tuple[tuple[str, str], ...]  # (node, sensor or part; why, and what to do)


@dataclass(frozen=True, slots=True)
class FaultEvidence:
    """What is broken. Texts name what to do."""

    lost_nodes: Troubles = ()
    poor_sensors: Troubles = ()
    poor_links: Troubles = ()
    poor_clocks: Troubles = ()
    broker: str | None = None
    behind_broker: frozenset[str] = frozenset()  # nodes whose frames come through it
    siren: str | None = None
    siren_nodes: frozenset[str] = frozenset()
    disk: str | None = None
    own: Troubles = ()


def fault_conditions(evidence: FaultEvidence) -> list[Condition]:
    """Fault conditions, each root cause once.

    Any number of lost nodes is one alarm. Nodes that are cut off by a lost broker belong to the broker's alarm, and all
    that is wrong with a lost node (its sensors, its line, its clock, its siren) to that of the node.
    """
    broker_lost = evidence.broker is not None
    cut_off = tuple(one for one in evidence.lost_nodes if broker_lost and one[0] in evidence.behind_broker)
    lost = tuple(one for one in evidence.lost_nodes if one not in cut_off)
    gone = {name for name, _ in evidence.lost_nodes}
    conditions = []
    if lost:
        plural = "s" if len(lost) > 1 else ""
        names = frozenset(name for name, _ in lost)
        mute = tuple(f"{name} is a siren: it will not sound" for name in sorted(evidence.siren_nodes & names))
        text = f"node{plural} lost: {_names(lost)}"
        conditions.append(Condition(NODES, AlarmClass.CAUTION, text, (*_reasons(lost), *mute), names))
    if evidence.broker is not None:
        members = frozenset(name for name, _ in cut_off)
        text = "MQTT broker is away" + (f"; nodes cut off: {_names(cut_off)}" if cut_off else "")
        severity = AlarmClass.CAUTION if cut_off else AlarmClass.ADVISORY
        conditions.append(Condition(BROKER, severity, text, (evidence.broker, *_reasons(cut_off)), members))
    conditions += _grouped(SENSORS, AlarmClass.ADVISORY, "not fully working", _without(evidence.poor_sensors, gone))
    conditions += _grouped(LINKS, AlarmClass.ADVISORY, "poor line", _without(evidence.poor_links, gone))
    conditions += _grouped(
        CLOCKS, AlarmClass.ADVISORY, "clock not to be relied on", _without(evidence.poor_clocks, gone)
    )
    if evidence.siren is not None and not (evidence.siren_nodes and evidence.siren_nodes <= gone):
        conditions.append(Condition(SIREN, AlarmClass.CAUTION, "siren does not obey", (evidence.siren,)))
    if evidence.disk is not None:
        text = "the journal cannot be written; alarms go on"
        conditions.append(Condition(DISK, AlarmClass.CAUTION, text, (evidence.disk,)))
    conditions += _grouped(SELF, AlarmClass.CAUTION, "the controller is not well", evidence.own)
    return conditions


def _grouped(key: str, alarm_class: AlarmClass, what: str, troubles: Troubles) -> list[Condition]:
    if not troubles:
        return []
    # A node's second complaint, or its first in other words, is no news to whoever took notice of that node.
    members = frozenset(name for name, _ in troubles)
    return [Condition(key, alarm_class, f"{what}: {_names(troubles)}", _reasons(troubles), members)]


def _without(troubles: Troubles, gone: Iterable[str]) -> Troubles:
    return tuple(one for one in troubles if one[0] not in gone)


def _names(troubles: Troubles) -> str:
    return ", ".join(dict.fromkeys(name for name, _ in troubles))


def _reasons(troubles: Troubles) -> tuple[str, ...]:
    return tuple(f"{name}: {why}" for name, why in troubles)
