"""What people type: help with examples, messages that name file, key and remedy, exit statuses."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from controller.cli.main import main as leakctl
from sim.attach.plug_in import Plugs, alone_in, controller_file, fresh_journal
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
        (("run", "--out", "somewhere"), "--out and --json are for --speed max"),
        (("run", "--json"), "--out and --json are for --speed max"),
        (("run", "--speed", "max", "--controller", "no_such:run"), "cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_leaksim_refuses_with_a_reason(arguments: tuple[str, ...], told: str) -> None:
    shown = invoke(leaksim, *arguments)
    assert shown.exit_code == 2
    assert told in shown.output


def changed(tmp_path: Path, name: str, **words: str) -> Path:
    """A shipped scenario with words exchanged; each must stand in it."""
    text = (ROOT / "configs" / "scenarios" / f"{name}.toml").read_text()
    for old, new in words.items():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    return path


def test_a_valid_scenario_is_told_in_a_line() -> None:
    shown = invoke(leaksim, "check", ROOT / "configs" / "scenarios" / "two-leaks.toml")
    assert shown.exit_code == 0
    assert "valid; scenario 'two-leaks' of 300 s" in shown.output
    assert shown.output.count("\n") == 1
    assert json.loads(invoke(leaksim, "check", "quiet-week", "--json").output)["valid"] is True


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({'site = "spektr-1997"': 'site = "soyuz"'}, "site: no site 'soyuz'"),
        ({'site = "spektr-1997"': 'site = "soyuz"'}, "soyuz-orbital-module, spektr-1997"),
        ({"diameter_mm": "diameter"}, "leaks[0].diameter: unknown key; check its spelling: did you mean diameter_mm?"),
        (
            {'node = "C" }': 'nodes = "C" }'},
            "faults[2].target.nodes: unknown key; check its spelling: did you mean node?",
        ),
        ({'node = "C" }': 'node = "Z" }'}, "faults[2].target.node: the site has no node 'Z'; it has A, B"),
        ({'compartment = "spektr"': 'compartment = "attic"'}, "leaks[0].compartment: the site has no compartment"),
        ({"[4.6, -1.8, 0.87178]": "[4.6, -1.5, 0.87178]"}, "the nearest place is [4.60000, -1.72917, 1.00497]"),
        ({"opens_at_s = 75.0": "opens_at_s = 900.0"}, "leaks[0].opens_at_s: 900 is not before the end"),
    ],
)
def test_check_says_what_is_wrong_with_a_scenario_and_where(tmp_path: Path, words: dict[str, str], told: str) -> None:
    path = changed(tmp_path, "spektr-1997", **words)
    shown = invoke(leaksim, "check", path)
    assert shown.exit_code == 2
    assert str(path) in shown.output
    assert told in shown.output
    verdict = json.loads(invoke(leaksim, "check", path, "--json").output)
    assert verdict["valid"] is False
    assert told in f"{verdict['what']} {verdict['remedy']}"


def test_a_leak_after_the_end_is_right_where_no_fix_is_asked_for(tmp_path: Path) -> None:
    words = {"opens_at_s = 75.0": "opens_at_s = 900.0", 'fix = "right"': 'fix = "any"'}
    assert invoke(leaksim, "check", changed(tmp_path, "spektr-1997", **words)).exit_code == 0


def test_a_scenario_is_sent_to_who_can_check_it() -> None:
    shown = invoke(leakctl, "check", ROOT / "configs" / "scenarios" / "two-leaks.toml")
    assert shown.exit_code == 2
    assert "this is a scenario: use leaksim check" in shown.output


def test_a_second_rig_leaves_the_ports_of_the_first_alone(tmp_path: Path) -> None:
    ports = tmp_path / "ports"
    with alone_in(ports, "--ports"):
        (ports / "A").symlink_to("/dev/null")
        shown = invoke(leaksim, "run", "--ports", ports)
        assert shown.exit_code == 2
        assert f"another leaksim is up in {ports}: end that one or choose another folder with --ports" in shown.output
        assert (ports / "A").is_symlink()
        assert not (ports / "controller.toml").exists()
        (ports / "A").unlink()
    assert not ports.exists()
    with alone_in(ports, "--ports"):  # as it was before
        (ports / "notes").touch()
    assert ports.exists()  # what is not ours stays


def test_scenarios_are_listed() -> None:
    assert "ms09-2018" in json.loads(invoke(leaksim, "list", "--json").output)
    assert "ms09-2018" in invoke(leaksim, "list").output


def test_every_rig_has_a_journal_of_its_own(tmp_path: Path) -> None:
    """Or an alarm of the last world would stand in the next one; what another rig wrote is left alone."""
    names = []
    for _ in range(3):
        journal = fresh_journal(tmp_path)
        journal.mkdir()
        names.append(journal.name)
    assert names == ["journal-1", "journal-2", "journal-3"]
    (tmp_path / "journal-1").rmdir()
    file = tmp_path / "controller.toml"
    file.write_text(controller_file(Plugs({"A": tmp_path / "A"}, {}), SITE, None, fresh_journal(tmp_path)))
    assert f'folder = "{tmp_path / "journal-1"}"' in file.read_text()
    assert invoke(leakctl, "check", file).exit_code == 0


@pytest.mark.parametrize("raised", ["BrokenPipeError()", "ExceptionGroup('', [BrokenPipeError()])"])
def test_a_reader_that_has_enough_ends_a_command_quietly(raised: str) -> None:
    program = f"from controller.cli.common import reader_may_go\nwith reader_may_go():\n    raise {raised}\nprint(1)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
