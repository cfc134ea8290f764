"""A host that follows a script, and writes down every byte of every node: two runs can be compared bit by bit."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from firmware_bridge.site.survey import Site
from firmware_bridge.units import s_to_ns
from firmware_bridge.wire.codec import decode, encode
from firmware_bridge.wire.commands import Command
from firmware_bridge.wire.framing import Deframer, Packet, encode_packet
from firmware_bridge.wire.reports import Report, Samples
from sim.plant.plant import Plant
from sim.scenario.scenario import ScenarioTable

Script = Sequence[tuple[float, str, Command]]
Kind = TypeVar("Kind", bound=Report)


@dataclass
class Heard:
    """What came from the nodes: (true time s, piece) by node."""

    plant: Plant
    pieces: dict[str, list[tuple[float, bytes]]] = field(default_factory=lambda: defaultdict(list))

    def data(self, node: str) -> bytes:
        return b"".join(piece for _, piece in self.pieces[node])

    def packets(self, node: str) -> list[tuple[float, Packet]]:
        deframer = Deframer()
        return [
            (at_s, packet)
            for at_s, piece in self.pieces[node]
            for packet in deframer.feed(piece)
            if isinstance(packet, Packet)
        ]

    def of_kind(self, node: str, kind: type[Kind]) -> list[tuple[float, Kind]]:
        read = [(at_s, decode(packet)) for at_s, packet in self.packets(node)]
        return [(at_s, report) for at_s, report in read if isinstance(report, kind)]

    def counts(self, node: str, column: int = 0) -> np.ndarray:
        """(time s, count) of one slow channel, (n, 2)."""
        return np.array([(at_s, s.counts[0, column]) for at_s, s in self.of_kind(node, Samples)], dtype=float)


def play(scenario: ScenarioTable, site: Site, script: Script, until_s: float) -> Heard:
    """Drive a plant without a rig: its lines carry as the scenario's faults let them."""
    plant = Plant(scenario, site)
    heard = Heard(plant)
    lines = plant.line_faults
    queue = sorted(
        ((s_to_ns(at_s), place, node, command) for place, (at_s, node, command) in enumerate(script)),
        key=lambda entry: entry[:2],
    )
    now_ns, end_ns = 0, s_to_ns(until_s)
    while now_ns <= end_ns:
        while queue and queue[0][0] <= now_ns:
            _, place, node, command = queue.pop(0)
            lines[node].from_host(now_ns, encode_packet(encode(command, sequence=place + 1)))
        for job in plant.step(now_ns):
            counts, saturated = plant.render(job)
            plant.finish(job, now_ns, counts, saturated=saturated)
        for node, line in lines.items():
            while (data := line.to_node.pop(now_ns)) is not None:
                plant.receive(node, now_ns, data)
            while line.accepts(now_ns / 1e9) and (frame := plant.next_frame(node)) is not None:
                if line.plugged(now_ns / 1e9) and plant.powered(node):
                    line.from_node(now_ns, frame)
            while (piece := line.to_host.pop(now_ns)) is not None:
                heard.pieces[node].append((now_ns / 1e9, piece))
        due = [plant.next_ns(now_ns), *(entry[0] for entry in queue[:1])]
        due += [ns for line in lines.values() for ns in (line.next_ns(now_ns),) if ns is not None and ns > now_ns]
        now_ns = max(min(due), now_ns + 1)
    return heard
