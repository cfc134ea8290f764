"""A plant without lines, and who asks its nodes."""

from firmware_bridge.wire.codec import decode, encode
from firmware_bridge.wire.commands import Command
from firmware_bridge.wire.framing import Deframer, Packet, encode_packet
from firmware_bridge.wire.reports import Report
from sim.plant.plant import Plant


class PlantBench:
    """A plant and who asks it."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.sequence = 0

    def tell(self, name: str, now_ns: int, command: Command) -> list[Report]:
        self.sequence += 1
        self.plant.receive(name, now_ns, encode_packet(encode(command, sequence=self.sequence)))
        return self.said(name)

    def run(self, since_ns: int, until_ns: int) -> None:
        now_ns = since_ns
        while now_ns <= until_ns:
            for job in self.plant.step(now_ns):
                counts, saturated = self.plant.render(job)
                self.plant.finish(job, now_ns, counts, saturated=saturated)
            now_ns = max(self.plant.next_ns(now_ns), now_ns + 1)

    def said(self, name: str) -> list[Report]:
        data = b"".join(iter(lambda: self.plant.next_frame(name), None))
        read = [decode(packet) for packet in Deframer().feed(data) if isinstance(packet, Packet)]
        return [report for report in read if isinstance(report, Report)]
