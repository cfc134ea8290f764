"""Outputs on mock pins: cadences in time, a relay that lets go, a button that means what was seen, what is declared."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from controller.alarm.requests import Acknowledge
from controller.alarm.types import AlarmClass, AlarmState
from controller.declared import ControllerTable
from controller.errors import ControllerError
from controller.outputs import pins as pin_room
from controller.outputs.building import outputs_of, undrivable
from controller.outputs.button import LATEST_PRESS_S, SEEN_S
from controller.outputs.cadences import FLASHES, SOUNDS, Cadence
from controller.outputs.declared import ButtonTable, BuzzerTable, CommandTable, LampTable, RelayTable, contradictions
from controller.outputs.output import STALE_S, Output, Shown
from controller.outputs.pins import GpioPins
from firmware_bridge.declared import parse_declared
from firmware_bridge.errors import DeclaredFileError
from sim.virtual_time import run_virtual
from tests.support.outputs import PIN, Told, one, pins
from tests.support.verdicts import alarm

ROOT = Path(__file__).parents[3]
LAMP = LampTable(kind="lamp", name="lamp", pin=PIN)
SAMPLE_S = 0.01


async def watched(output: Output, factory: MockFactory, seconds: float, *, alive: bool = False) -> list[bool]:
    """The pin every 10 ms; `alive`: the decision loop goes on showing what it showed."""
    running = asyncio.create_task(output.run())
    levels = []
    for step in range(round(seconds / SAMPLE_S)):
        if alive and step % 25 == 0:
            output.show(Shown())
        await asyncio.sleep(SAMPLE_S)
        levels.append(bool(factory.pin(PIN).state))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return levels


def runs_of(levels: list[bool]) -> list[tuple[bool, int]]:
    """Each level with how many samples it lasted."""
    found: list[tuple[bool, int]] = []
    for level in levels:
        if found and found[-1][0] is level:
            found[-1] = (level, found[-1][1] + 1)
        else:
            found.append((level, 1))
    return found


@pytest.mark.parametrize("alarm_class", list(AlarmClass))
def test_a_lamp_flashes_in_the_cadence_of_its_class(alarm_class: AlarmClass) -> None:
    cadence = FLASHES[alarm_class]

    async def main() -> list[bool]:
        gpio, factory = pins()
        lamp = one(LAMP, gpio, Told())
        lamp.show(Shown((alarm(alarm_class),)))
        return await watched(lamp, factory, 3 * (cadence.on_s + cadence.off_s))

    for on, samples in runs_of(run_virtual(main()))[1:-1]:  # the first and the last are cut
        assert abs(samples * SAMPLE_S - (cadence.on_s if on else cadence.off_s)) < 2 * SAMPLE_S


def test_a_lamp_is_lit_for_what_all_took_notice_of_and_dark_for_nothing() -> None:
    async def main(state: AlarmState | None) -> list[bool]:
        gpio, factory = pins()
        lamp = one(LAMP, gpio, Told())
        lamp.show(Shown((alarm(),)))
        lamp.show(Shown(() if state is None else (alarm(state=state),)))
        return await watched(lamp, factory, 3.0)

    for state in (AlarmState.ACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.LATCHED):
        assert set(run_virtual(main(state))) == {True}
    assert set(run_virtual(main(None))) == {False}


def test_a_lamp_of_one_class_heeds_no_other() -> None:
    async def main() -> tuple[list[bool], list[bool]]:
        gpio, factory = pins()
        lamp = one(LampTable(kind="lamp", name="l", pin=PIN, at_least="warning", at_most="warning"), gpio, Told())
        lamp.show(Shown((alarm(AlarmClass.EMERGENCY), alarm(AlarmClass.CAUTION, key="nodes"))))
        before = await watched(lamp, factory, 2.0)
        lamp.show(Shown((alarm(AlarmClass.EMERGENCY), alarm(AlarmClass.WARNING, key="nodes"))))
        return before, await watched(lamp, factory, 2.0)

    before, after = run_virtual(main())
    assert set(before) == {False}
    assert set(after) == {True, False}


def test_the_graver_the_faster_and_the_louder() -> None:
    shares = [SOUNDS[one].on_s / (SOUNDS[one].on_s + SOUNDS[one].off_s) for one in AlarmClass]
    assert shares == sorted(set(shares))
    periods = [FLASHES[one].on_s + FLASHES[one].off_s for one in AlarmClass]
    assert periods == sorted(set(periods), reverse=True)
    assert min(periods) > 1 / 3  # WCAG 2.2, 2.3.1: three flashes a second at most


def test_buzzers_speak_the_language_of_the_siren_nodes() -> None:
    source = (ROOT / "firmware_bridge/firmware/core/siren.c").read_text(encoding="utf-8")
    told = source.split("CADENCE[] = {")[1].split("};")[0]
    pairs = [tuple(map(float, pair.split(","))) for pair in told.strip("{} ").replace("}, {", ";").split(";")]
    assert [Cadence(on / 1000, off / 1000) for on, off in pairs[1:]] == [SOUNDS[one] for one in AlarmClass]


@pytest.mark.parametrize("pulses", [False, True])
def test_a_relay_lets_go_when_the_decisions_stand_still(pulses: bool) -> None:
    async def main() -> tuple[list[bool], list[bool], list[bool]]:
        gpio, factory = pins()
        relay = one(RelayTable(kind="relay", name="r", pin=PIN, pulses=pulses), gpio, Told())
        before = await watched(relay, factory, 2.0)
        alive = await watched(relay, factory, 3 * STALE_S, alive=True)
        return before, alive, await watched(relay, factory, 3 * STALE_S)

    before, alive, dead = run_virtual(main())
    assert set(before) == {False}  # nobody has said yet that all is well
    assert set(alive[50:]) == ({True, False} if pulses else {True})
    held = sum(dead) * SAMPLE_S
    assert 0.0 < held < STALE_S + 1.0
    assert not any(dead[round((STALE_S + 1.0) / SAMPLE_S) :])


def test_a_pulsing_relay_goes_on_and_off_evenly_and_stands_still_for_an_alarm() -> None:
    async def main() -> tuple[list[bool], list[bool]]:
        gpio, factory = pins()
        relay = one(RelayTable(kind="relay", name="r", pin=PIN, pulses=True), gpio, Told())
        alive = await watched(relay, factory, 3.0, alive=True)
        relay.show(Shown((alarm(),)))
        return alive, await watched(relay, factory, 3.0)

    alive, alarmed = run_virtual(main())
    lengths = [samples * SAMPLE_S for _, samples in runs_of(alive[50:])[1:-1]]
    assert all(0.05 < length < 0.15 for length in lengths)
    assert not any(alarmed)


def test_an_active_low_relay_board_is_held_by_a_low_pin() -> None:
    async def main() -> list[object]:
        gpio, factory = pins()
        relay = one(RelayTable(kind="relay", name="r", pin=PIN, active_high=False), gpio, Told())
        levels: list[object] = [factory.pin(PIN).state]
        for alarms in ((), (alarm(),)):
            relay.show(Shown(alarms))
            levels.append(factory.pin(PIN).state)
        return levels

    assert run_virtual(main()) == [True, False, True]


def test_a_relay_may_follow_what_stands() -> None:
    async def main() -> list[object]:
        levels: list[object] = []
        for follows in ("calling", "standing"):
            gpio, factory = pins()
            table = RelayTable.model_validate({"kind": "relay", "name": "r", "pin": PIN, "follows": follows})
            relay = one(table, gpio, Told())
            relay.show(Shown((alarm(state=AlarmState.ACKNOWLEDGED),)))
            levels.append(factory.pin(PIN).state)
        return levels

    assert run_virtual(main()) == [True, False]


class Panel:
    """A button on its mock pin, and who asked for what."""

    def __init__(self) -> None:
        gpio, factory = pins()
        self.told = Told()
        self.button = one(ButtonTable(kind="button", name="ack", pin=PIN, debounce_s=0.0), gpio, self.told)
        self._pin = factory.pin(PIN)

    async def press(self, times: int = 1) -> None:
        for _ in range(times):
            self._pin.drive_low()
            self._pin.drive_high()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def in_time(main: Coroutine[Any, Any, Panel]) -> list[object]:
    return run_virtual(main).told.requests


def test_a_press_acknowledges_all_that_was_seen_in_the_name_of_the_panel() -> None:
    async def main() -> Panel:
        panel = Panel()
        quiet = alarm(state=AlarmState.ACKNOWLEDGED, key="links")
        panel.button.show(Shown((alarm(), alarm(key="nodes", state=AlarmState.RETURNED_UNACKNOWLEDGED), quiet)))
        await asyncio.sleep(SEEN_S)
        await panel.press()
        return panel

    assert in_time(main()) == [Acknowledge("leak", 1, "panel button"), Acknowledge("nodes", 1, "panel button")]


def test_contacts_that_bounce_are_one_press() -> None:
    async def main() -> Panel:
        panel = Panel()
        panel.button.show(Shown((alarm(),)))
        await asyncio.sleep(SEEN_S)
        await panel.press(times=20)
        await asyncio.sleep(LATEST_PRESS_S / 2)
        await panel.press()
        return panel

    assert len(in_time(main())) == 1


def test_nobody_acknowledges_what_came_up_as_the_finger_moved() -> None:
    async def main() -> Panel:
        panel = Panel()
        panel.button.show(Shown((alarm(),)))
        await asyncio.sleep(SEEN_S)
        panel.button.show(Shown((alarm(), alarm(AlarmClass.EMERGENCY, key="nodes"))))
        await asyncio.sleep(SEEN_S / 2)
        await panel.press()
        return panel

    assert in_time(main()) == [Acknowledge("leak", 1, "panel button")]


def test_a_drill_is_nothing_to_acknowledge() -> None:
    async def main() -> Panel:
        panel = Panel()
        panel.button.show(Shown((alarm(),), test=True))
        await asyncio.sleep(SEEN_S)
        await panel.press()
        return panel

    assert in_time(main()) == []


def test_a_missing_library_is_told_at_start_and_only_where_pins_are_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gpiozero", None)
    command = CommandTable(kind="command", name="c", argv=("true",))

    async def opened(*tables: Any) -> int:
        return len(outputs_of(tables, Told().around))

    assert run_virtual(opened(command)) == 1
    with pytest.raises(ControllerError, match=r"gpiozero is missing.*leakloc\[pi\]"):
        run_virtual(opened(command, LAMP))
    assert undrivable((command,)) == []
    (problem,) = undrivable((command, LAMP))
    assert "gpiozero is missing" in problem


def test_a_pin_that_cannot_be_had_names_itself_and_lets_the_others_go() -> None:
    factory = MockFactory()

    async def main() -> None:
        held = GpioPins(factory).output(PIN, active_high=True)
        other = LampTable(kind="lamp", name="other", pin=5)
        with pytest.raises(ControllerError, match=r"pin 17 cannot be had"):
            outputs_of((other, LAMP), Told().around, lambda: GpioPins(factory))
        held.close()
        assert len(outputs_of((other, LAMP), Told().around, lambda: GpioPins(factory))) == 2

    run_virtual(main())


def test_check_says_what_cannot_be_driven_here(monkeypatch: pytest.MonkeyPatch) -> None:
    factory = MockFactory()
    monkeypatch.setattr("controller.outputs.building.GpioPins", lambda: GpioPins(factory))
    tables = (CommandTable(kind="command", name="page", argv=("no-such-program-here",)), LAMP)
    (problem,) = undrivable(tables)
    assert problem.startswith("outputs: page: there is no program 'no-such-program-here'")
    assert "leakloc[pi]" in pin_room.NO_LIBRARY


def test_contradictions_are_all_named() -> None:
    tables = (
        LAMP,
        BuzzerTable(kind="buzzer", name="lamp", pin=PIN),
        LampTable(kind="lamp", name="never", pin=4, at_least="warning", at_most="caution"),
    )
    assert len(contradictions(tables)) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "lamp", "name": "a", "pin": 40},
        {"kind": "lamp", "name": "two words", "pin": 4},
        {"kind": "command", "name": "a", "argv": []},
        {"kind": "command", "name": "a", "argv": "rm -rf"},
        {"kind": "command", "name": "a", "argv": ["a"], "shell": True},
        {"kind": "button", "name": "a", "pin": 4, "by": "  "},
        {"kind": "webhook", "name": "a"},
    ],
)
def test_what_is_wrong_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DeclaredFileError):
        parse_declared({"format": 1, "site": "-", "outputs": [wrong]}, "test", ControllerTable)
