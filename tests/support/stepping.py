"""A pipeline stepped every quarter second with made-up nodes, barometers, siren and locator; no sound but noise."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from controller.alarm.types import AlarmClass, AlarmState
from controller.detect.onset import Settings as OnsetSettings
from controller.localize.locate import LocateJob
from controller.localize.verdict import Verdict
from controller.pipeline.events import Event, LocateDone
from controller.pipeline.happenings import Happening
from controller.pipeline.pipeline import Outcome, Pipeline, Settings
from controller.tasking import Order
from controller.tasking import Settings as TaskingSettings
from firmware_bridge.samples import WaveBlock
from firmware_bridge.session.states import State
from firmware_bridge.units import Quantity, ns_to_s, s_to_ns
from firmware_bridge.wire.commands import Capture, Siren
from tests.support.hearing import wave_block
from tests.support.pressing import START_PA, scalars
from tests.support.rig import COMPARTMENT
from tests.support.shipped import shipped
from tests.support.told import moved, outcome
from tests.support.verdicts import fix

STEP_S = 0.25
SAMPLES = 4096
LEARNED_S = 40.0  # five bursts, four seconds apart, and some
# As shipped but for shorter learning and bursts: the same decisions in less time.
SETTINGS = Settings(onset=OnsetSettings(learning_bursts=5), tasking=TaskingSettings(burst_samples=SAMPLES))


@dataclass
class Story:
    """What happened, with the step's time in seconds."""

    told: list[tuple[float, Happening]] = field(default_factory=list)
    orders: list[tuple[float, Order]] = field(default_factory=list)
    jobs: list[tuple[float, LocateJob]] = field(default_factory=list)


class Stage:
    """The shipped site with everything plugged in. Change what the nodes hear and say between calls of `run`."""

    def __init__(
        self, settings: Settings = SETTINGS, *, locate: Callable[[LocateJob], Verdict] = lambda _: fix()
    ) -> None:
        self.site = shipped()[1]
        self.pipeline = Pipeline(self.site, COMPARTMENT, settings)
        self.story = Story()
        self.now_s = 0.0
        self.loud_db = 0.0
        self.loss_pa_s = 0.0
        self.up: set[str] = set()
        self.siren_works = True
        self.answer_jobs = True
        self.last: Outcome | None = None
        self._pressure_pa = START_PA
        self._locate = locate
        self._random = np.random.default_rng(1)
        self._pending: list[tuple[float, Event]] = []
        self._next_scalar_s = 0.0

    def plug(self, *nodes: str) -> None:
        """Nodes begin to stream (all of the site unless named)."""
        for name in nodes or [node.name for node in self.site.nodes]:
            self.up.add(name)
            self.say(moved(name, State.STREAMING, link=f"port {name}"))

    def unplug(self, *nodes: str) -> None:
        for name in nodes:
            self.up.discard(name)
            self.say(moved(name, State.LOST, link=f"port {name}", reason="silent; check its cable"))

    def say(self, *events: Event, after_s: float = 0.0) -> None:
        """Something reaches the inbox, now or a little later."""
        self._pending += [(self.now_s + after_s, event) for event in events]

    def run(self, seconds: float) -> Outcome:
        """Step on; the last outcome."""
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            self._speak()
            due = [event for at_s, event in self._pending if at_s <= self.now_s]
            self._pending = [(at_s, event) for at_s, event in self._pending if at_s > self.now_s]
            self.last = self.pipeline.step(s_to_ns(self.now_s), due)
            self.story.told += [(self.now_s, happening) for happening in self.last.happenings]
            self._answer(self.last)
        assert self.last is not None
        return self.last

    def of(self, kind: type[Happening], since_s: float = 0.0) -> list[Happening]:
        return [happening for at_s, happening in self.story.told if isinstance(happening, kind) and at_s > since_s]

    def sirens(self, since_s: float = 0.0) -> list[str]:
        """Patterns ordered, by name."""
        commands = [order.command for at_s, order in self.story.orders if at_s > since_s]
        return [command.pattern.name for command in commands if isinstance(command, Siren)]

    def _speak(self) -> None:
        self._pressure_pa -= self.loss_pa_s * STEP_S
        if self.now_s < self._next_scalar_s:
            return
        self._next_scalar_s = self.now_s + 1.0
        for node in sorted(self.up & {"P1", "P2"}):
            noise = float(self._random.normal(0.0, 0.1))
            self.say(scalars(self.now_s, self._pressure_pa + noise, node=node, sensor=f"{node}-pressure"))

    def _answer(self, step: Outcome) -> None:
        self.story.orders += [(self.now_s, order) for order in step.orders]
        for order in step.orders:
            if isinstance(order.command, Capture) and order.node in self.up:
                self.say(self.burst(order.node, order.command), after_s=1.0)
            elif isinstance(order.command, Siren) and order.node in self.up:
                text = "done" if self.siren_works else "no answer"
                self.say(outcome(order.node, order.command, done=self.siren_works, ticket=order.ticket, text=text))
        if step.job is not None:
            self.story.jobs.append((self.now_s, step.job))
            if self.answer_jobs:
                self.say(LocateDone((self._locate(step.job),), step.job.generation), after_s=0.5)

    def burst(self, node: str, command: Capture) -> WaveBlock:
        names = tuple(sensor.name for sensor in self.site.node(node).of_quantity(Quantity.ULTRASOUND))
        pressure = 0.01 * 10 ** (self.loud_db / 20) * self._random.standard_normal((len(names), command.samples))
        start_ns = s_to_ns(ns_to_s(s_to_ns(self.now_s)) + 0.6)
        return wave_block(node, names, pressure, burst_id=command.burst_id, start_ns=start_ns)


def classes(changes: Iterable[Happening]) -> list[str]:
    """Key, class and state of alarm changes, for comparison."""
    return [
        f"{change.alarm.key} {change.alarm.alarm_class.name} {change.alarm.state.value}"
        for change in changes
        if hasattr(change, "alarm")
    ]


def ready() -> Stage:
    """Everything plugged in, the floor learned, nothing going on."""
    stage = Stage()
    stage.plug()
    assert stage.run(LEARNED_S).picture.phase == "watching"
    return stage


def alarm_of(stage: Stage, key: str = "leak") -> tuple[AlarmClass, AlarmState, int] | None:
    """Class, state and occurrence of an alarm as it stands."""
    assert stage.last is not None
    found = [alarm for alarm in stage.last.picture.alarms if alarm.key == key]
    return (found[0].alarm_class, found[0].state, found[0].occurrence) if found else None
