"""One node in its place: how it runs, and what fails about it. Its sensors are `senses`, the rig is `plant`."""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.site.survey import Node
from firmware_bridge.units import NS_PER_S, ns_to_s, s_to_ns
from firmware_bridge.wire.reports import Channel, Feature
from sim.faults.node_faults import HEALTHY, NodeCondition, NodeFaults
from sim.faults.schedule import Fault, hitting
from sim.node.board import BOARD_SUPPLY_V, POWER_UP, WATCHDOG, Board, BurstOrder, Pins
from sim.node.firmware import Firmware
from sim.node.outgoing import TRANSMIT_BYTES, Outgoing
from sim.node.program import ProgramMaker
from sim.node.transducer import SENSITIVITY_K
from sim.plant.front_ends import oscillator
from sim.plant.senses import NodeSurroundings, Senses
from sim.scenario.scenario import ScenarioTable

LONGEST_BURST = 65_536
SUPPLY_NOISE_V = 0.01  # ripple of a USB supply as a slow converter sees it
NEVER_NS = 1 << 62
NEVER_S = 1e9  # thirty years: later than any scenario
MAX_WAITING = 4096  # commands or frames that a slow node holds


class Station:
    """One node in its place; times are true times."""

    def __init__(
        self,
        scenario: ScenarioTable,
        node: Node,
        around: NodeSurroundings,
        seed: np.random.SeedSequence,
        faults: Sequence[Fault] = (),
        program: ProgramMaker = Firmware,
    ) -> None:
        """Build the node as the scenario describes it; `faults` are those of the whole rig, `program` runs on it."""
        build_seed, noise_seed = seed.spawn(2)
        sense_seed, clock_seed, supply_seed = seed.spawn(3)
        random = np.random.default_rng(build_seed)
        self.node = node
        self.drift = scenario.clocks.drift_spread_ppm * 1e-6 * float(random.standard_normal())
        self._around = around
        self._now_ns = self._followed_ns = 0
        self._warmer_k = scenario.clocks.board_warmer_k
        self.faults = NodeFaults(hitting(faults, "node", node.name))
        self._condition = HEALTHY
        self.senses = Senses(
            scenario, node, around, random=random, seed=sense_seed, noise_seed=noise_seed, faults=faults
        )
        self._supply_random = np.random.default_rng(supply_seed)
        self.clock = oscillator(
            scenario.clocks, int(random.integers(0, 1 << 40)), self.drift, clock_seed, self.faults.clock_steps
        )
        serial = scenario.links.get(node.name) == "serial"
        self.firmware = program(
            board=self._board(),
            oscillator=self.clock,
            read_slow=lambda: self.senses.read_slow(self._now_ns),
            boot_id=int(random.integers(0, 256)),
            pins=Pins(self.senses.read_levels, self._move_relay, self._board_state),
            outgoing=Outgoing(
                scenario.lines.baud if serial else None, scenario.lines.transmit_bytes if serial else TRANSMIT_BYTES
            ),
            samples_a_frame=scenario.streams.samples_a_frame,
        )
        self.under_way: list[BurstOrder] = []
        self._inbox: deque[tuple[int, bytes]] = deque(maxlen=MAX_WAITING)
        self._outbox: deque[tuple[int, bytes]] = deque(maxlen=MAX_WAITING)

    # ------------------------------------------------------------------ the node over time

    @property
    def rate_hz(self) -> float:
        """Nominal samples a second of its bursts."""
        return self.senses.rate_hz

    @property
    def powered(self) -> bool:
        """Whether it is there at all."""
        return self._condition.powered

    @property
    def line_takes_time(self) -> bool:
        """Whether another frame may follow the one that was fetched at a later time."""
        return self.firmware.outgoing.next_ns is not None or bool(self._outbox)

    def receive(self, now_ns: int, data: bytes) -> None:
        """Bytes from the line; what comes to a node that is off or hangs is lost."""
        self._now_ns = max(now_ns, self._now_ns)
        self._follow_faults(self._now_ns)
        if not self._condition.powered or self._condition.hung:
            return
        if self._inbox or self._condition.inbound_s:
            due_ns = now_ns + s_to_ns(self.faults.jittered_s(self._condition))
            self._inbox.append((max(due_ns, self._inbox[-1][0] if self._inbox else 0), data))
        else:
            self.firmware.receive(now_ns, data)

    def step(self, now_ns: int) -> list[BurstOrder]:
        """Do what is due; returns bursts that begin now."""
        self._now_ns = now_ns
        self._follow_faults(now_ns)
        if self.clock.next_ns is not None:
            self.clock.follow(now_ns, self._board_temperature_k())
        if not self._condition.powered or self._condition.hung:
            return []
        while self._inbox and self._inbox[0][0] <= now_ns:
            self.firmware.receive(*self._inbox.popleft())
        begun = self.firmware.step(now_ns)
        self.under_way += begun
        return begun

    def edge(self, at_ns: int) -> None:
        """The trigger line that it hangs on was pulsed."""
        if self._condition.powered and not self._condition.hung:
            order = self.firmware.edge(at_ns)
            self.under_way += [order] if order else []

    def render(self, order: BurstOrder, temperature_k: float) -> tuple[NDArray[np.int16], bool]:
        """Counts (channels, samples) of a burst of sensors at `temperature_k`, and whether it saturated."""
        return self.senses.render(order, self.clock.rate_at(order.start_ns), temperature_k)

    def temperature_k(self) -> float:
        """Of its sensors now; what nothing depends on is not looked up."""
        return self.senses.air_k() if self.senses.fast else SENSITIVITY_K

    def finish(self, order: BurstOrder, now_ns: int, counts: NDArray[np.int16], *, saturated: bool) -> None:
        """A burst was rendered."""
        if self._condition.powered and not self._condition.hung:
            self.firmware.recorded(now_ns, order, counts, saturated=saturated)

    def next_frame(self, now_ns: int) -> bytes | None:
        """The next frame that it has for its line."""
        if not self._condition.powered or self._condition.hung:
            return None
        if not self._condition.outbound_s and not self._outbox:
            return self.firmware.outgoing.pop(now_ns)
        late_ns = s_to_ns(self._condition.outbound_s)
        while (frame := self.firmware.outgoing.pop(now_ns)) is not None:
            self._outbox.append((max(now_ns + late_ns, self._outbox[-1][0] if self._outbox else 0), frame))
        return self._outbox.popleft()[1] if self._outbox and self._outbox[0][0] <= now_ns else None

    def reboot(self, now_ns: int, cause: int = POWER_UP) -> None:
        """Start anew; everything that was under way is lost."""
        self.under_way.clear()
        self._inbox.clear()
        self._outbox.clear()
        self.firmware.reboot(now_ns, cause)
        self.firmware.pretend(self._condition.uid, self._condition.version)

    def next_ns(self, now_ns: int) -> int | None:
        """True time after `now_ns` at which there is something to do or to fetch, or earlier what is due already."""
        next_ns = self._edge_ns(now_ns)
        for order in self.under_way:
            next_ns = min(next_ns, self.end_ns(order))
        if self.clock.next_ns is not None:
            next_ns = min(next_ns, self.clock.next_ns)
        if self._condition.powered and not self._condition.hung:
            firmware_ns = self.firmware.next_ns
            if firmware_ns is not None and firmware_ns < next_ns:
                next_ns = firmware_ns
            if self._inbox:
                next_ns = min(next_ns, self._inbox[0][0])
            # A frame that has left waits for the line, not for us.
            left_ns = self.firmware.outgoing.next_ns
            if left_ns is not None and left_ns > now_ns:
                next_ns = min(next_ns, left_ns)
            if self._outbox and self._outbox[0][0] > now_ns:
                next_ns = min(next_ns, self._outbox[0][0])
        return None if next_ns >= NEVER_NS else next_ns

    def end_ns(self, order: BurstOrder) -> int:
        """When the last sample of a burst has passed."""
        return order.start_ns + round(order.samples / self.senses.rate_hz * NS_PER_S)

    def take_ended(self, now_ns: int) -> list[BurstOrder]:
        """The recordings that are over; each is given once."""
        ended = [order for order in self.under_way if self.end_ns(order) <= now_ns]
        if ended:
            self.under_way = [order for order in self.under_way if order not in ended]
        return ended

    def _edge_ns(self, now_ns: int) -> int:
        """When a fault begins or ends next, one nanosecond on, so that rounding never wakes us just before it."""
        if not self.faults:
            return NEVER_NS
        edge_s = self.faults.next_s(ns_to_s(now_ns))
        return s_to_ns(edge_s) + 1 if edge_s < NEVER_S else NEVER_NS

    def _follow_faults(self, now_ns: int) -> None:
        if not self.faults:
            return
        now_s, before_s = ns_to_s(now_ns), ns_to_s(self._followed_ns)
        self._followed_ns = now_ns
        was, self._condition = self._condition, self.faults.condition(now_s)
        if was is HEALTHY and self._condition is HEALTHY:
            return
        is_now: NodeCondition = self._condition
        if was.powered and not is_now.powered:
            self.under_way.clear()
            self._inbox.clear()
            self._outbox.clear()
            self.firmware.lose_power()
        elif is_now.powered and (not was.powered or any(before_s < at_s <= now_s for at_s in self.faults.swaps_s)):
            self.reboot(now_ns, POWER_UP)
        elif is_now.powered and any(before_s < at_s <= now_s for at_s in self.faults.resets_s):
            self.reboot(now_ns, WATCHDOG)
        elif was.hung and not is_now.hung:
            self.under_way.clear()
            self.firmware.resume(now_ns)

    # ------------------------------------------------------------------ its board

    def _board(self) -> Board:
        features = Feature.NONE
        if self.senses.fast:
            features |= Feature.BURSTS | Feature.LEVELS
            if not any(fast.front_end.skew_s for fast in self.senses.fast):
                features |= Feature.SIMULTANEOUS
        if self.node.trigger_line is not None:
            features |= Feature.TRIGGER_LINE
        if self.node.siren:
            features |= Feature.SIREN
        if self.node.switches:
            features |= Feature.SWITCH
        return Board(
            uid=self.node.uid,
            channels=tuple(Channel(s.quantity, self.senses.scale_of(s.quantity), 0.0) for s in self.node.sensors),
            features=features,
            burst_rate_hz=round(self.senses.rate_hz),
            longest_burst=LONGEST_BURST,
            bands_hz=self.senses.bands_hz,
            outputs=frozenset(equipment.output for equipment in self.node.switches),
        )

    def _move_relay(self, output: int, on: bool) -> None:
        for equipment in self.node.switches:
            if equipment.output == output:
                self._around.relay(equipment.name, on)

    def _board_temperature_k(self) -> float:
        return self.senses.air_k() + self._warmer_k

    def _board_state(self) -> tuple[float, float]:
        supply_v = BOARD_SUPPLY_V + SUPPLY_NOISE_V * float(self._supply_random.standard_normal())
        return self._board_temperature_k(), supply_v
