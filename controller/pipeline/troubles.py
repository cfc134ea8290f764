"""Gathers what is broken and not under repair: nodes, sensors, lines, clocks, broker, siren, the controller itself.

What becomes of it is for alarm to say.
"""

from collections.abc import Iterable

from controller.alarm.faults import FaultEvidence
from controller.alarm.keys import CLOCKS, DISK, LINKS, NODES, SENSORS
from controller.alarm.machine import AlarmMachine
from controller.health import Health
from controller.pipeline.events import BrokerState, OwnHealth
from controller.pipeline.line_watch import LineWatch
from firmware_bridge.session.events import LinkHealth
from firmware_bridge.site.survey import Site

BROKER_LINKS = "mqtt:"  # how the names of links begin that go through the broker


class Troubles:
    """Remembers what lines, the broker and the controller's own parts said last; asks the others when it is due."""

    def __init__(self, site: Site) -> None:
        """Nothing is broken."""
        self._node_of = {sensor.name: node.name for node in site.nodes for sensor in node.sensors}
        self._siren_nodes = frozenset(node.name for node in site.nodes if node.siren)
        self._lines = LineWatch(frozenset(node.name for node in site.nodes))
        self._broker: BrokerState | None = None
        self._own: dict[str, str] = {}

    def take(self, now_ns: int, event: LinkHealth | BrokerState | OwnHealth) -> None:
        """How a line, the broker or a part of the controller is now."""
        match event:
            case LinkHealth():
                self._lines.take(now_ns, event)
            case BrokerState():
                self._broker = event
            case OwnHealth():
                self._own.pop(event.part, None)
                if event.trouble is not None:
                    self._own[event.part] = event.trouble

    def evidence(
        self,
        now_ns: int,
        health: Health,
        machine: AlarmMachine,
        distrusted: Iterable[tuple[str, str]],
        siren: str | None,
    ) -> FaultEvidence:
        """Everything that is broken and not out of service.

        Args:
            now_ns: the loop's time.
            health: knows lost nodes and mute microphones.
            machine: knows what is out of service.
            distrusted: (sensor, why) of slow sensors that do not vote.
            siren: why a siren does not do as it is told.
        """
        lost = health.lost(now_ns)
        named = {node for node, _ in lost}
        slow = [(name, why) for name, why in distrusted if self._node_of.get(name, name) not in named]
        broker = self._broker
        return FaultEvidence(
            lost_nodes=self._in_service(machine, NODES, lost),
            poor_sensors=self._in_service(machine, SENSORS, (*health.poor(), *slow)),
            poor_links=self._in_service(machine, LINKS, self._lines.poor_lines(now_ns)),
            poor_clocks=self._in_service(machine, CLOCKS, self._lines.poor_clocks(now_ns))
            + tuple(("controller", why) for part, why in self._own.items() if part == CLOCKS),
            broker=broker.reason if broker is not None and not broker.connected else None,
            behind_broker=frozenset(
                node.node for node in health.picture() if (node.link or "").startswith(BROKER_LINKS)
            ),
            siren=siren,
            siren_nodes=self._siren_nodes,
            disk=self._own.get(DISK),
            own=tuple((part, why) for part, why in self._own.items() if part not in {DISK, CLOCKS}),
        )

    def _in_service(
        self, machine: AlarmMachine, group: str, troubles: Iterable[tuple[str, str]]
    ) -> tuple[tuple[str, str], ...]:
        """Without what is under repair: a node that is out of service has no sensors, lines and clocks either."""
        return tuple(
            (name, why)
            for name, why in troubles
            if not machine.out_of_service(group, name)
            and not machine.out_of_service(NODES, self._node_of.get(name, name))
        )
