"""The search wired to blocks of readings, hatch sensors, people, relays and sound."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from controller.detect.pressure import Fall, PressureTrend
from controller.isolate.advice import Step
from controller.isolate.hatches import Source
from controller.isolate.settings import Settings
from controller.localize.verdict import NoFix, Reason, Verdict
from controller.measure.leak_size import LeakSize, leak_size
from controller.measure.leak_size import Settings as SizeSettings
from controller.pipeline.events import HatchMoved, SearchAsked
from controller.pipeline.happenings import Happening, HatchStands, IsolationAdvised, QuietAsked, QuietOver
from controller.pipeline.isolation_watch import IsolationWatch
from controller.pipeline.quiet_watch import Heard
from controller.tasking import RELAY_RETRY_S, Tasking
from controller.tasking import Settings as TaskingSettings
from firmware_bridge.site.fittings import Equipment
from firmware_bridge.site.survey import Site
from firmware_bridge.units import PA_PER_MMHG, Quantity, s_to_ns
from firmware_bridge.wire.commands import Switch
from tests.support.pressing import scalars
from tests.support.sites import parsed
from tests.support.told import outcome
from tests.support.verdicts import fix

LIMIT_PA = 490.0 * PA_PER_MMHG
START_PA = 97_330.0
MOTOR = Equipment("motor-2", "N-mid", 0)


def line_site(*, motors: bool = False) -> Site:
    """Three compartments in a line, a barometer in each, the lifeboat in the middle, a hatch sensor on one hatch."""
    rooms = [("left", 20.0, 0), ("mid", 80.0, 3), ("right", 100.0, 0)]
    nodes: list[dict[str, Any]] = [
        {
            "name": f"N-{room}",
            "uid": f"{number + 1:x}",
            "compartment": room,
            "sensors": [{"name": f"P-{room}", "quantity": "pressure", "channel": 0}],
        }
        for number, (room, _, _) in enumerate(rooms)
    ]
    nodes[0]["sensors"].append({"name": "H-1", "quantity": "hatch", "channel": 1, "hatch": "h1"})
    if motors:
        nodes[1]["switches"] = [{"name": "motor-2", "output": 0}]
    return parsed(
        {
            "format": 1,
            "name": "line",
            "compartments": [{"name": n, "volume_m3": v, "lifeboat_seats": s} for n, v, s in rooms],
            "hatches": [
                {"name": "h1", "between": ["left", "mid"], "normally": "open"},
                {
                    "name": "h2",
                    "between": ["mid", "right"],
                    "normally": "open",
                    **({"motor": "motor-2"} if motors else {}),
                },
            ],
            "nodes": nodes,
        }
    )


def heard(verdict: Verdict | None = None, *, sounding: bool = False) -> Heard:
    return Heard(verdict, sounding=sounding, listening=True, loudness={}, period_s=2.0, burst_s=0.085)


def falling(rooms: tuple[str, ...], rate_pa_s: float, volume_m3: float) -> tuple[PressureTrend, LeakSize]:
    fall = Fall(1000.0, -rate_pa_s, 0.05 * rate_pa_s, START_PA)
    trend = PressureTrend(fall, ("P-mid",), ("P-mid",), significant=True, continuing=True, rooms=rooms)
    return trend, leak_size(fall, volume_m3, 295.0, SizeSettings())


class Stage:
    """A watch that is told a pressure for each compartment every second."""

    def __init__(self, site: Site | None = None, compartment: str = "mid", settings: Settings | None = None) -> None:
        self.site = site or line_site()
        self.watch = IsolationWatch(self.site, compartment, settings or Settings(), LIMIT_PA)
        self.now_s = 0.0
        self.pressure_pa = {room.name: START_PA for room in self.site.compartments}
        self.told: list[Happening] = []
        self.distrusted: tuple[str, ...] = ()
        self.random = np.random.default_rng(1)

    def run(
        self,
        seconds: int,
        loss_pa_s: Mapping[str, float] | None = None,
        leak: tuple[PressureTrend, LeakSize] | None = None,
        sound: Heard | None = None,
        hatch: float | None = None,
    ) -> None:
        trend, size = leak or (None, None)
        for _ in range(seconds):
            self.now_s += 1.0
            for room in self.pressure_pa:
                self.pressure_pa[room] -= (loss_pa_s or {}).get(room, 0.0)
                value = self.pressure_pa[room] + 0.1 * float(self.random.standard_normal())
                self.watch.take(s_to_ns(self.now_s), scalars(self.now_s, value, node=f"N-{room}", sensor=f"P-{room}"))
            if hatch is not None:
                block = scalars(self.now_s, hatch, quantity=Quantity.HATCH, node="N-left", sensor="H-1")
                self.watch.take(s_to_ns(self.now_s), block)
            at_ns = s_to_ns(self.now_s)
            self.told += self.watch.step(at_ns, trend, size, (), sound or heard(), self.distrusted)

    def of(self, kind: type[Happening]) -> list[Any]:
        return [one for one in self.told if isinstance(one, kind)]


def test_a_leak_without_a_place_begins_a_search_and_ends_it() -> None:
    """0.02 Pa/s in the whole, 200 m3: 0.2 Pa/s in the left one alone."""
    stage = Stage()
    leak = falling(("left", "mid", "right"), 0.02, 200.0)
    everywhere = dict.fromkeys(("left", "mid", "right"), 0.02)
    stage.run(60, everywhere, leak)
    first = stage.of(IsolationAdvised)[0].advice
    assert first.step is Step.MOVE
    assert first.moves[0].hatch in {"h1", "h2"}
    stage.watch.hatch_moved(s_to_ns(stage.now_s), HatchMoved("h1", open=False))
    stage.run(300, {"left": 0.2}, leak)
    assert stage.of(HatchStands) == [HatchStands("h1", open=False, source="operator")]
    last = stage.of(IsolationAdvised)[-1].advice
    assert last.step is Step.ISOLATED
    assert last.compartment == "left"
    assert stage.watch.advice is not None


def test_no_leak_no_advice() -> None:
    stage = Stage()
    stage.run(120)
    stage.watch.hatch_moved(s_to_ns(stage.now_s), HatchMoved("h1", open=False))
    stage.run(300)
    assert stage.watch.advice is None
    assert stage.of(IsolationAdvised) == []


def test_a_barometer_that_parted_from_its_neighbours_has_no_voice() -> None:
    """It falls alone while hatches are open, so it lies; shut off with it, its fall is still no leak's."""
    stage = Stage()
    stage.watch.search_asked(SearchAsked(on=True, by="Alex"))
    stage.distrusted = ("P-left",)
    stage.run(60, {"left": 0.2})
    stage.distrusted = ()
    stage.watch.hatch_moved(s_to_ns(stage.now_s), HatchMoved("h1", open=False))
    stage.run(300, {"left": 0.2})
    assert stage.watch.advice is not None
    assert stage.watch.advice.compartment is None
    assert dict(stage.watch.advice.probabilities)["left"] < 0.9


def test_a_person_begins_and_ends_a_search() -> None:
    stage = Stage()
    stage.run(20)
    stage.watch.search_asked(SearchAsked(on=True, by="Alex"))
    stage.run(20)
    assert stage.watch.advice is not None
    stage.watch.search_asked(SearchAsked(on=False, by="Alex"))
    stage.run(20)
    assert stage.watch.advice is None


def test_a_sensor_is_believed_before_people() -> None:
    stage = Stage()
    stage.run(5, hatch=1.0)
    now_ns = s_to_ns(stage.now_s)
    stage.watch.hatch_moved(now_ns, HatchMoved("h1", open=False))
    assert not stage.watch.hatches["h1"].shut
    assert stage.watch.hatches["h1"].source is Source.SENSOR
    stage.run(3, hatch=0.3)  # it moves
    assert not stage.watch.hatches["h1"].shut
    stage.run(3, hatch=0.0)
    assert stage.watch.hatches["h1"].shut
    stage.run(3, hatch=0.03)  # its seal gives
    assert stage.watch.hatches["h1"].shut
    # A tenth of 0.5 m2 passes 0.6 * 0.05 * sqrt(2 * 1000 / 1.2) = 1.2 m3/s at 1 kPa: 20 m3 are level within a second.
    stage.run(3, hatch=0.1)
    assert not stage.watch.hatches["h1"].shut
    stage.run(3, hatch=0.0)
    stage.run(3, hatch=float("nan"))
    assert stage.watch.hatches["h1"].shut
    stage.watch.hatch_moved(now_ns, HatchMoved("attic", open=False))  # there is none


def test_where_sound_tells_the_place_nobody_shuts_hatches() -> None:
    stage = Stage()
    leak = falling(("left", "mid", "right"), 0.02, 200.0)
    stage.run(60, dict.fromkeys(("left", "mid", "right"), 0.02), leak, heard(fix(), sounding=True))
    assert stage.watch.advice is None


def test_a_motor_is_moved_by_tasking_and_its_hatch_is_known() -> None:
    stage = Stage(line_site(motors=True))
    leak = falling(("left", "mid", "right"), 0.02, 200.0)
    stage.run(60, dict.fromkeys(("left", "mid", "right"), 0.02), leak)
    advice = stage.watch.advice
    assert advice is not None
    assert [(move.hatch, move.by_motor) for move in advice.moves] == [("h2", True)]
    assert stage.watch.wanted == {MOTOR: False}
    tasking = Tasking(stage.site, "mid", TaskingSettings())
    now_ns = s_to_ns(stage.now_s)

    def orders(at_ns: int) -> list[Switch]:
        tasks = tasking.step(at_ns, lambda _: True, (), alert=False, settled=True, relays=stage.watch.wanted)
        return [order.command for order in tasks.orders if isinstance(order.command, Switch)]

    assert orders(now_ns) == [Switch(0, on=False)]
    assert orders(now_ns + 1) == []
    assert tasking.outcome(outcome("N-mid", Switch(0, on=False), done=False)) is None
    assert orders(now_ns + s_to_ns(RELAY_RETRY_S)) == [Switch(0, on=False)]
    assert tasking.outcome(outcome("N-mid", Switch(0, on=False))) == MOTOR
    assert orders(now_ns + s_to_ns(3 * RELAY_RETRY_S)) == []
    stage.watch.switched(now_ns, MOTOR, on=False)
    assert stage.watch.hatches["h2"].shut
    assert stage.watch.hatches["h2"].source is Source.COMMAND
    stage.run(10, leak=leak)
    assert stage.watch.wanted == {}


def test_people_move_hatches_where_the_controller_must_not() -> None:
    stage = Stage(line_site(motors=True), settings=Settings(command_hatches=False))
    leak = falling(("left", "mid", "right"), 0.02, 200.0)
    stage.run(60, dict.fromkeys(("left", "mid", "right"), 0.02), leak)
    assert stage.watch.advice is not None
    assert stage.watch.wanted == {}


def quiet_site() -> Site:
    """One compartment with an array, and a rack that the controller may switch off."""
    return parsed(
        {
            "format": 1,
            "name": "one",
            "compartments": [
                {"name": "lab", "volume_m3": 24.0, "hull": {"shape": "box", "size_m": [4.0, 3.0, 2.0]}},
            ],
            "nodes": [
                {
                    "name": "N-lab",
                    "uid": "1",
                    "compartment": "lab",
                    "sensors": [
                        {"name": "m", "quantity": "ultrasound", "channel": 0, "position_m": [2.0, 1.0, 1.0]},
                        {"name": "P-lab", "quantity": "pressure", "channel": 1},
                    ],
                    "switches": [{"name": "relay", "output": 0}],
                }
            ],
            "equipment": [
                {
                    "name": "rack",
                    "compartment": "lab",
                    "position_m": [2.5, 1.0, 1.0],
                    "noise_db": 60.0,
                    "may_switch_off": True,
                    "may_command": True,
                    "switch": "relay",
                }
            ],
        }
    )


@pytest.mark.parametrize("verdict", [None, NoFix(Reason.EQUIPMENT, "a rack"), NoFix(Reason.TOO_QUIET, "too quiet")])
def test_quiet_is_asked_for_where_machines_drown_a_leak(verdict: Verdict | None) -> None:
    relay = Equipment("relay", "N-lab", 0)
    stage = Stage(quiet_site(), "lab")
    leak = falling(("lab",), 0.05, 24.0)
    assert stage.watch.wanted == {relay: True}
    stage.run(50, {"lab": 0.05}, leak, heard(verdict))
    assert stage.of(QuietAsked) == []  # give sound its time
    stage.run(20, {"lab": 0.05}, leak, heard(verdict))
    (asked,) = stage.of(QuietAsked)
    assert asked.window.commanded == ("rack",)
    assert stage.watch.wanted == {relay: False}
    stage.run(30, {"lab": 0.05}, leak, heard(fix(), sounding=True))
    assert stage.of(QuietOver) == [QuietOver(("rack",), found=True)]
    assert stage.watch.wanted == {relay: True}


def test_quiet_ends_by_itself_and_is_not_asked_for_again_at_once() -> None:
    stage = Stage(quiet_site(), "lab")
    leak = falling(("lab",), 0.05, 24.0)
    stage.run(1500, {"lab": 0.05}, leak)
    assert len(stage.of(QuietAsked)) == 1
    assert stage.of(QuietOver) == [QuietOver(("rack",), found=False)]
