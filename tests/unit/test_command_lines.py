"""What people type: help with examples, messages that name file, key and remedy, exit statuses."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from controller.cli.main import main as leakctl
from sim.cli.main import main as leaksim

ROOT = Path(__file__).parents[2]
SITE = ROOT / "configs" / "sites" / "soyuz-orbital-module.toml"
CONTROLLER = ROOT / "configs" / "controller" / "simulated-rig.toml"


def invoke(command: click.Group, *arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.mark.parametrize("command", [leakctl, leaksim])
def test_every_command_has_help_with_an_example(command: click.Group) -> None:
    for name in [None, *command.commands]:
        shown = invoke(command, *([name] if name else []), "--help")
        assert shown.exit_code == 0
        assert "Example:" in shown.output


@pytest.mark.parametrize(("command", "kind"), [(leakctl, "site"), (leakctl, "controller"), (leaksim, "scenario")])
def test_the_schemas_for_editors_are_current(command: click.Group, kind: str) -> None:
    shown = invoke(command, "schema", *([kind] if command is leakctl else []))
    assert json.loads(shown.output) == json.loads((ROOT / "configs" / "schema" / f"{kind}.json").read_text())


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs").glob("sites/*.toml")) + sorted((ROOT / "configs").glob("controller/*.toml"))
)
def test_every_shipped_file_is_valid(path: Path) -> None:
    shown = invoke(leakctl, "check", path)
    assert shown.exit_code == 0, shown.output
    assert "valid" in shown.output


def test_check_names_file_key_value_and_range(tmp_path: Path) -> None:
    broken = tmp_path / "site.toml"
    broken.write_text(SITE.read_text().replace("radius_m = 1.1", "radius_m = 0.0011"))
    shown = invoke(leakctl, "check", broken)
    assert shown.exit_code == 2
    assert str(broken) in shown.output
    assert "compartments[0].hull.radius_m" in shown.output
    assert "0.05" in shown.output
    assert "0.0011" in shown.output


def test_check_names_a_microphone_outside_its_hull(tmp_path: Path) -> None:
    broken = tmp_path / "site.toml"
    broken.write_text(SITE.read_text().replace("[0.335, 0.715, 0.515]", "[0.335, 1.715, 0.515]"))
    shown = invoke(leakctl, "check", broken, "--json")
    assert shown.exit_code == 2
    told = json.loads(shown.output)
    assert told["valid"] is False
    assert "'A1'" in told["remedy"]
    assert "outside the hull" in told["remedy"]


def test_check_names_an_unknown_key_of_a_controller_file(tmp_path: Path) -> None:
    broken = tmp_path / "controller.toml"
    text = CONTROLLER.read_text().replace("../sites/", f"{SITE.parent}/")
    broken.write_text(text + "\n[onset]\nlearning_burst = 5\n")
    shown = invoke(leakctl, "check", broken)
    assert shown.exit_code == 2
    assert "onset.learning_burst: unknown key" in shown.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "no-such-file.toml"), "cannot read no-such-file.toml"),
        (("run", str(CONTROLLER), "--broker", "nonsense"), "not HOST:PORT"),
        (("run", str(CONTROLLER), "--time-scale", "1000"), "not in the range"),
        (("run", str(CONTROLLER), "--journal", "/proc/nowhere"), "cannot write the journal"),
        (("journal", "no-such-folder"), "does not exist"),
    ],
)
def test_leakctl_refuses_with_a_reason(arguments: tuple[str, ...], told: str) -> None:
    shown = invoke(leakctl, *arguments)
    assert shown.exit_code == 2
    assert told in shown.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("demo", "--scenario", "no-such"), "ms09-2018"),
        (("demo", "--speed", "1000"), "not in the range"),
        (("demo", "--seed", "-1"), "not in the range"),
        (("demo", "--out", "/proc/nowhere"), "--out"),
        (("run", "--ports", "/proc/nowhere"), "--ports"),
    ],
)
def test_leaksim_refuses_with_a_reason(arguments: tuple[str, ...], told: str) -> None:
    shown = invoke(leaksim, *arguments)
    assert shown.exit_code == 2
    assert told in shown.output


def test_scenarios_are_listed() -> None:
    assert "ms09-2018" in json.loads(invoke(leaksim, "list", "--json").output)
    assert "ms09-2018" in invoke(leaksim, "list").output
