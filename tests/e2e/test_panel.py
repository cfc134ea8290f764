"""A panel beside the rig: a relay, a lamp, a horn and a button on mock pins, with a leak in virtual time."""

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from controller.alarm.types import Alarm
from controller.app import App
from controller.journal.entries import AlarmEntry, AnyEntry
from controller.logbook import Logbook
from controller.outputs.switchboard import Switchboard
from sim.virtual_time import run_virtual
from tests.support.virtual_rig import Run, run_virtual_rig, scenario

RELAY, LAMP, HORN, BUTTON = 17, 27, 22, 5
OUTPUTS = [
    {"kind": "relay", "name": "bell", "pin": RELAY},
    {"kind": "lamp", "name": "red", "pin": LAMP},
    {"kind": "buzzer", "name": "horn", "pin": HORN},
    {"kind": "button", "name": "ack", "pin": BUTTON, "debounce_s": 0.0, "by": "hatch panel"},
]
RUN_S, PRESS_AFTER_S = 90.0, 3.0  # the leak of this scenario opens after a minute


@pytest.fixture
def factory(monkeypatch: pytest.MonkeyPatch) -> MockFactory:
    """The pins that gpiozero finds."""
    made = MockFactory()
    monkeypatch.setattr(gpiozero.Device, "pin_factory", made)
    return made


def test_a_leak_lets_the_bell_go_until_somebody_presses_the_button(factory: MockFactory) -> None:
    quiet: list[bool] = []
    called: list[bool] = []
    pressed: list[bool] = []

    def during(_app: App, run: Run, second: float) -> None:
        raised_s = next((at_s for at_s, entry in run.entries if isinstance(entry, AlarmEntry)), None)
        held, horn = bool(factory.pin(RELAY).state), bool(factory.pin(HORN).state)
        if pressed:
            pressed.append(held)
        elif raised_s is None:
            quiet.append(held and not horn and not factory.pin(LAMP).state)
        else:
            called.append(held)
            if second - raised_s > PRESS_AFTER_S:
                factory.pin(BUTTON).drive_low()
                factory.pin(BUTTON).drive_high()
                pressed.append(held)

    run = run_virtual(run_virtual_rig(scenario("bench-box"), RUN_S, settings={"outputs": OUTPUTS}, during=during))
    assert len(quiet) > 50
    assert all(quiet[1:])
    assert called
    assert not any(called)
    alarms = run.of_kind(AlarmEntry)
    (taken, *_) = [entry for entry in alarms if entry.state == "acknowledged"]
    assert taken.acknowledged_by == "hatch panel"
    later = [entry for entry in alarms if entry.seq > taken.seq and entry.state == "unacknowledged"]
    assert pressed[1] is True or later  # held again, but for what came after
    assert factory.pin(HORN).states[-1].state is False
    assert factory.pin(RELAY).function == "input"  # the controller has ended: it holds nothing


def test_outputs_are_driven_before_anything_is_written(factory: MockFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    show, note = Switchboard.show, Logbook.note

    def showing(self: Switchboard, alarms: tuple[Alarm, ...]) -> None:
        log.extend(f"show {one.key} {one.alarm_class.name.lower()}" for one in alarms)
        show(self, alarms)

    def noting(self: Logbook, entry: AnyEntry) -> None:
        if isinstance(entry, AlarmEntry):
            log.append(f"note {entry.key} {entry.alarm_class}")
        note(self, entry)

    monkeypatch.setattr(Switchboard, "show", showing)
    monkeypatch.setattr(Logbook, "note", noting)
    run_virtual(run_virtual_rig(scenario("bench-box"), RUN_S, settings={"outputs": OUTPUTS}))
    noted = [line.removeprefix("note ") for line in log if line.startswith("note")]
    assert noted
    for line in noted:
        assert log.index(f"show {line}") < log.index(f"note {line}")
