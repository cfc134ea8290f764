"""Every kind of alarm output on a bench: what it shows, read back where it leaves us."""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from gpiozero.pins.mock import MockFactory

from controller.alarm.types import AlarmClass
from controller.outputs.building import Surroundings, outputs_of
from controller.outputs.command import CommandHook
from controller.outputs.declared import AnyOutput, BuzzerTable, CommandTable, LampTable, RelayTable
from controller.outputs.lamps import Blinker, Relay
from controller.outputs.mqtt.output import MqttOutput
from controller.outputs.output import Output, Shown
from controller.outputs.pins import GpioPins
from controller.tasking import Settings, Tasking
from firmware_bridge.links.broker import BrokerSettings
from firmware_bridge.wire.commands import Siren
from tests.support.rig import COMPARTMENT
from tests.support.shipped import shipped
from tests.support.told import outcome

PIN = 17
LEAST = dict.fromkeys(("relay", "buzzer", "siren"), AlarmClass.CAUTION)  # all others: advisories, too


@dataclass
class Told:
    """What outputs asked for."""

    requests: list[object] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def around(self) -> Surroundings:
        return Surroundings(self.requests.append, self.notes.append, lambda: "2018-08-30T01:00:00.000Z")


@dataclass
class OnBench:
    """One output: the class that it tells people of now, how often anything left it, how much waits in it."""

    output: Output
    calls: Callable[[], AlarmClass | bool | None]
    effects: Callable[[], int]
    waiting: Callable[[], int] = lambda: 0


class SirenNode:
    """The siren nodes as `tasking` drives them; the node obeys at once."""

    name = "siren"
    trouble: str | None = None

    def __init__(self) -> None:
        self._tasking = Tasking(shipped()[1], COMPARTMENT, Settings())
        self._now_ns = 0
        self.orders: list[Siren] = []

    def show(self, shown: Shown) -> None:
        self._now_ns += 250_000_000
        tasks = self._tasking.step(self._now_ns, lambda node: node == "S1", shown.alarms, alert=False, settled=True)
        for order in tasks.orders:
            assert isinstance(order.command, Siren)
            self.orders.append(order.command)
            self._tasking.outcome(outcome(order.node, order.command, ticket=order.ticket))

    async def run(self) -> None:
        return

    def close(self) -> None:
        return


class MemoryBroker:
    """Takes what an MQTT output sends, at once, and keeps what is retained as a broker does."""

    def __init__(self, output: MqttOutput) -> None:
        self._output = output
        self._published = 0
        self.retained: dict[str, bytes] = {}

    async def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> None:
        assert qos == 1
        self._published += 1
        if retain:
            self.retained[topic] = payload

    def heard(self) -> int:
        """How many messages came."""
        self._take()
        return self._published

    def calling(self) -> AlarmClass | None:
        """What a lamp at this broker shows."""
        self._take()
        said = msgspec.json.decode(self.retained["leakloc/site/calling"])["calling"]
        return None if said is None else AlarmClass[said.upper()]

    def _take(self) -> None:
        sent = True
        while sent:  # nothing in it waits, so each is over in one step
            try:
                self._output._send_one(self).send(None)  # type: ignore[arg-type]
            except StopIteration as ended:
                sent = ended.value


def pins() -> tuple[GpioPins, MockFactory]:
    factory = MockFactory()
    return GpioPins(factory), factory


def one(table: AnyOutput, factory: GpioPins, told: Told) -> Output:
    (output,) = outputs_of((table,), told.around, lambda: factory)
    return output


def on_bench(kind: str) -> OnBench:
    """An output of that kind, on the running loop."""
    gpio, factory = pins()

    def moves() -> int:
        return len(factory.pin(PIN).states)

    if kind == "lamp":
        lamp = one(LampTable(kind="lamp", name="lamp", pin=PIN), gpio, Told())
        return OnBench(lamp, lambda: _class_of(lamp), moves)
    if kind == "buzzer":
        buzzer = one(BuzzerTable(kind="buzzer", name="buzzer", pin=PIN), gpio, Told())
        return OnBench(buzzer, lambda: _class_of(buzzer), moves)
    if kind == "relay":
        relay = one(RelayTable(kind="relay", name="relay", pin=PIN), gpio, Told())
        assert isinstance(relay, Relay)
        return OnBench(relay, lambda: not factory.pin(PIN).state, moves)
    if kind == "command":
        hook = one(CommandTable(kind="command", name="command", argv=("true",)), gpio, Told())
        assert isinstance(hook, CommandHook)
        return OnBench(hook, lambda: _told_by(hook), lambda: hook._number, lambda: len(hook._waiting))
    if kind == "mqtt":
        mqtt = MqttOutput(BrokerSettings("nowhere", 1), "site", lambda *_: None, lambda _: None)
        broker = MemoryBroker(mqtt)
        return OnBench(mqtt, broker.calling, broker.heard, lambda: len(mqtt._dirty) + len(mqtt._events))
    siren = SirenNode()
    return OnBench(
        siren,
        lambda: AlarmClass(siren.orders[-1].pattern) if siren.orders[-1].pattern else None,
        lambda: len(siren.orders),
    )


KINDS = ("lamp", "buzzer", "relay", "command", "siren", "mqtt")


def _class_of(output: Output) -> AlarmClass | None:
    """By the rhythm alone, as people know it; what is lit without a pause is no call, unless it is a horn's."""
    assert isinstance(output, Blinker)
    known = {cadence: alarm_class for alarm_class, cadence in output._cadences.items()}
    return None if output.cadence is None else known.get(output.cadence)


def _told_by(hook: CommandHook) -> AlarmClass | None:
    calling = msgspec.json.decode(hook._waiting[-1])["calling"] if hook._waiting else None
    return None if calling is None else AlarmClass[calling.upper()]
