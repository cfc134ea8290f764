"""docs/outputs.md against the code: its example is valid, its table of cadences is the code's."""

import re
import tomllib
from pathlib import Path

from controller.alarm.types import AlarmClass
from controller.declared import ControllerTable
from controller.outputs.cadences import FLASHES, SOUNDS, Cadence
from controller.outputs.declared import contradictions
from firmware_bridge.declared import parse_declared

TEXT = (Path(__file__).parents[3] / "docs" / "outputs.md").read_text(encoding="utf-8")


def test_the_example_is_valid_and_has_every_kind() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    table = parse_declared({"format": 1, "site": "-", **tomllib.loads(example)}, "docs", ControllerTable)
    assert contradictions(table.outputs) == []
    assert [one.kind for one in table.outputs] == ["relay", "lamp", "buzzer", "button", "command"]


def test_the_cadences_are_those_of_the_code() -> None:
    for alarm_class in AlarmClass:
        (row,) = re.findall(rf"^\| {alarm_class.name.lower()} \| (.*?) \| (.*?) \|$", TEXT, re.MULTILINE)
        for told, cadence in zip(row, (FLASHES[alarm_class], SOUNDS[alarm_class]), strict=True):
            found = re.match(r"([\d.]+) s on, ([\d.]+) s off", told)
            if found is None:
                assert told == "without a pause"
                assert cadence.off_s == 0.0
            else:
                assert Cadence(float(found[1]), float(found[2])) == cadence
