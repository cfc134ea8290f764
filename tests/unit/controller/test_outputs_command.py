"""`leakctl outputs` and what `leakctl check` says of outputs: listed, refused, drilled."""

import json
from pathlib import Path

import gpiozero
import pytest
from click.testing import CliRunner, Result
from gpiozero.pins.mock import MockFactory

from controller.cli.main import main

SITE = Path(__file__).parents[3] / "configs" / "sites" / "desk-rig.toml"
FILE = """
format = 1
site = "{site}"
[mqtt]
enabled = false
[[outputs]]
kind = "lamp"
name = "red"
pin = 17
at_least = "warning"
[[outputs]]
kind = "command"
name = "page"
argv = ["/bin/cat"]
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(gpiozero.Device, "pin_factory", MockFactory())
    path = tmp_path / "controller.toml"
    path.write_text(FILE.format(site=SITE), encoding="utf-8")
    return path


def leakctl(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def test_outputs_are_listed(config: Path) -> None:
    told = leakctl("outputs", config)
    assert told.exit_code == 0
    assert [line.split()[:2] for line in told.stdout.splitlines()] == [["red", "lamp"], ["page", "command"]]
    rows = [json.loads(line) for line in leakctl("outputs", config, "--json").stdout.splitlines()]
    assert [(row["name"], row["problems"]) for row in rows] == [("red", []), ("page", [])]


def test_an_unknown_output_is_refused_with_those_that_are(config: Path) -> None:
    told = leakctl("outputs", config, "--test", "horn")
    assert told.exit_code == 2
    assert "red, page" in told.stderr


def test_a_drill_is_told_as_a_test_from_end_to_end(config: Path) -> None:
    told = leakctl("outputs", config, "--test", "page", "--class", "caution", "--seconds", "0.5")
    assert told.exit_code == 0
    assert all(line.startswith("TEST ") for line in told.stdout.splitlines())
    (first, *_) = [json.loads(line[line.index("{") :]) for line in told.stdout.splitlines() if "{" in line]
    assert (first["test"], first["alarm_class"], first["alarms"][0]["text"][:4]) == (True, "caution", "TEST")


def test_a_drill_of_less_than_an_output_heeds_shows_what_it_heeds(config: Path) -> None:
    told = leakctl("outputs", config, "--test", "red", "--class", "advisory", "--seconds", "0.5")
    assert told.exit_code == 0
    assert "red: warning for 0.5 s" in told.stdout


def test_check_warns_of_what_cannot_be_driven_here(config: Path) -> None:
    assert json.loads(leakctl("check", config, "--json").stdout)["warnings"] == []
    config.write_text(FILE.format(site=SITE).replace("/bin/cat", "/no/such/program"), encoding="utf-8")
    told = leakctl("check", config)
    assert told.exit_code == 0
    assert "valid" in told.stdout
    assert "there is no program '/no/such/program'" in told.stderr
    config.write_text(FILE.format(site=SITE).replace('"page"', '"red"'), encoding="utf-8")
    assert leakctl("check", config).exit_code == 2
