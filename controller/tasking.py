"""What to ask of which node next: captures in step across trigger lines, siren, relays. The only source of commands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from controller.alarm.table import SOUNDING
from controller.alarm.types import Alarm, AlarmClass
from firmware_bridge.session.events import CommandOutcome
from firmware_bridge.site.fittings import Equipment
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, Quantity, s_to_ns
from firmware_bridge.wire.commands import Capture, Command, Siren, SirenPattern, Switch, TriggerRole

MAX_BURST_ID = 1 << 32
RELAY_RETRY_S = 60.0  # a relay that refuses, or says nothing in all a conversation's own retries, is asked again
SIREN_WAIT_S = 60.0  # so long a siren from before a restart may sound on, where nothing says why it does
SIREN_PATTERNS = {
    AlarmClass.ADVISORY: SirenPattern.SILENT,
    AlarmClass.CAUTION: SirenPattern.CAUTION,
    AlarmClass.WARNING: SirenPattern.WARNING,
    AlarmClass.EMERGENCY: SirenPattern.EMERGENCY,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How often and how long to listen."""

    capture_period_s: float = 4.0
    alert_period_s: float = 2.0
    capture_lead_s: float = 0.6  # commands must have arrived everywhere before the common start
    capture_window_s: float = 6.0  # the bursts of one capture must be in by then
    burst_samples: int = 16_384
    siren_retry_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Order:
    """One command for one node."""

    node: str
    ticket: int
    command: Command


@dataclass(frozen=True, slots=True)
class CapturePlan:
    """A capture that was ordered: whose bursts to expect until when."""

    burst_id: int
    nodes: tuple[str, ...]
    closes_ns: int


@dataclass(slots=True)
class _SirenNode:
    wanted: SirenPattern = SirenPattern.SILENT
    confirmed: SirenPattern | None = None
    asked_ns: int | None = None
    failure: str | None = None
    commanded: bool = False  # by us, since we started


@dataclass(slots=True)
class _Relay:
    wanted: bool
    confirmed: bool | None = None
    next_ns: int = 0


@dataclass(frozen=True, slots=True)
class Tasks:
    """What one step asks for."""

    orders: tuple[Order, ...] = ()
    capture: CapturePlan | None = None
    next_ns: int = field(default=0)


class Tasking:
    """Plans captures and follows the siren's acknowledgements."""

    def __init__(self, site: Site, compartment: str, settings: Settings) -> None:
        """Group the array nodes of the listened compartment by trigger line."""
        self._settings = settings
        self._line_of = {
            node.name: node.trigger_line
            for node in site.nodes
            if node.compartment == compartment and node.of_quantity(Quantity.ULTRASOUND)
        }
        self._sirens = {node.name: _SirenNode() for node in site.nodes if node.siren}
        self._relays: dict[Equipment, _Relay] = {}
        self._relay_of = {(relay.node, relay.output): relay for node in site.nodes for relay in node.switches}
        self._burst_id = 0
        self._ticket = 0
        self._next_capture_ns = 0
        self._began_ns: int | None = None

    def step(
        self,
        now_ns: int,
        delivering: Callable[[str], bool],
        standing: tuple[Alarm, ...],
        *,
        alert: bool,
        settled: bool,
        relays: Mapping[Equipment, bool] | None = None,
    ) -> Tasks:
        """Orders due now; before the situation is `settled`, a siren that may sound from before is left alone.

        `relays` are those that are to be on or off; others stay as they are.
        """
        self._began_ns = now_ns if self._began_ns is None else self._began_ns
        settled = settled or now_ns - self._began_ns >= s_to_ns(SIREN_WAIT_S)  # it may never be, without a microphone
        orders = self._siren_orders(now_ns, delivering, standing, settled=settled)
        orders += self._relay_orders(now_ns, delivering, relays or {})
        plan = None
        period_ns = s_to_ns(self._settings.alert_period_s if alert else self._settings.capture_period_s)
        self._next_capture_ns = min(self._next_capture_ns, now_ns + period_ns)
        if now_ns >= self._next_capture_ns:
            self._next_capture_ns = now_ns + period_ns
            nodes = tuple(node for node in self._line_of if delivering(node))
            if nodes:
                plan = self._plan(now_ns, nodes)
                orders += self._capture_orders(plan, now_ns)
        return Tasks(tuple(orders), plan, self._next_capture_ns)

    def outcome(self, outcome: CommandOutcome) -> Equipment | None:
        """What became of an order; the relay that has moved by it, if one has."""
        if isinstance(outcome.command, Switch):
            return self._switched(outcome.node, outcome.command, done=outcome.done)
        siren = self._sirens.get(outcome.node)
        if siren is None or not isinstance(outcome.command, Siren):
            return None
        siren.confirmed = outcome.command.pattern if outcome.done else None
        siren.failure = None if outcome.done else f"{outcome.node}: {outcome.text}; check its cable and power"
        return None

    def rejoined(self, node: str) -> None:
        """A node came back: whatever its siren and its relays were told before is not to be relied on."""
        for relay, state in self._relays.items():
            if relay.node == node:
                state.confirmed, state.next_ns = None, 0
        if node in self._sirens:
            self._sirens[node].confirmed = None
            self._sirens[node].asked_ns = None

    @property
    def siren_failure(self) -> str | None:
        """Why a siren that should sound does not, where that is so."""
        return next((s.failure for s in self._sirens.values() if s.failure and s.wanted != s.confirmed), None)

    def _siren_orders(
        self, now_ns: int, delivering: Callable[[str], bool], standing: tuple[Alarm, ...], *, settled: bool
    ) -> list[Order]:
        sounding = [alarm.alarm_class for alarm in standing if alarm.state in SOUNDING]
        wanted = SIREN_PATTERNS[max(sounding)] if sounding else SirenPattern.SILENT
        orders = []
        for name, siren in self._sirens.items():
            if wanted is not siren.wanted:
                siren.wanted, siren.asked_ns = wanted, None
            waiting = siren.asked_ns is not None and now_ns - siren.asked_ns < s_to_ns(self._settings.siren_retry_s)
            if siren.confirmed is siren.wanted or waiting or not delivering(name):
                continue
            if wanted is SirenPattern.SILENT and not siren.commanded and not settled:
                continue  # it may sound from before a restart: that is not silenced before we know better
            siren.asked_ns, siren.commanded = now_ns, True
            orders.append(self._order(name, Siren(wanted)))
        return orders

    def _relay_orders(
        self, now_ns: int, delivering: Callable[[str], bool], wanted: Mapping[Equipment, bool]
    ) -> list[Order]:
        for gone in self._relays.keys() - wanted.keys():
            del self._relays[gone]
        orders = []
        for relay, on in wanted.items():
            state = self._relays.setdefault(relay, _Relay(on))
            if state.wanted is not on:
                state.wanted, state.next_ns = on, 0
            if state.confirmed is on or now_ns < state.next_ns or not delivering(relay.node):
                continue
            state.next_ns = now_ns + s_to_ns(RELAY_RETRY_S)
            orders.append(self._order(relay.node, Switch(relay.output, on)))
        return orders

    def _switched(self, node: str, command: Switch, *, done: bool) -> Equipment | None:
        relay = self._relay_of.get((node, command.output))
        state = self._relays.get(relay) if relay is not None else None
        if state is not None:
            state.confirmed = command.on if done else None
        return relay if done else None

    def _plan(self, now_ns: int, nodes: tuple[str, ...]) -> CapturePlan:
        self._burst_id = (self._burst_id + 1) % MAX_BURST_ID
        return CapturePlan(self._burst_id, nodes, now_ns + s_to_ns(self._settings.capture_window_s))

    def _capture_orders(self, plan: CapturePlan, now_ns: int) -> list[Order]:
        """One node of each trigger line drives it, the others wait for the edge; lone nodes start by their clocks."""
        start_ns = now_ns + s_to_ns(self._settings.capture_lead_s)
        lines: dict[str, list[str]] = {}
        orders = []
        samples = self._settings.burst_samples
        for node in plan.nodes:
            line = self._line_of[node]
            if line is None:
                orders.append(self._order(node, Capture(plan.burst_id, samples, TriggerRole.AT_TIME, start_ns)))
            else:
                lines.setdefault(line, []).append(node)
        for members in lines.values():
            driver, *followers = members
            given_up_ns = start_ns + NS_PER_S
            orders += [
                self._order(node, Capture(plan.burst_id, samples, TriggerRole.WAIT_EDGE, given_up_ns))
                for node in followers
            ]
            orders.append(self._order(driver, Capture(plan.burst_id, samples, TriggerRole.DRIVE, start_ns)))
        return orders

    def _order(self, node: str, command: Command) -> Order:
        self._ticket += 1
        return Order(node, self._ticket, command)
