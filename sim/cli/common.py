"""What all commands share: where scenarios are, how one is chosen, how errors end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from firmware_bridge.errors import BridgeError, DeclaredFileError
from firmware_bridge.site.survey import Site
from sim.attach.image.nodes import CHOICES, TWIN
from sim.scenario.scenario import ScenarioTable, list_scenarios, load_scenario

DEFAULT_SCENARIO = "ms09-2018"
FAILED, REFUSED, INTERRUPTED = 1, 2, 130
MAX_SPEED = 20.0  # beyond it a busy machine's hiccup of half a second is ten seconds of silence on every line

seed_option = click.option("--seed", type=click.IntRange(0, (1 << 63) - 1), help="Replaces the scenario's own seed.")
nodes_option = click.option(
    "--nodes", type=click.Choice(CHOICES), default=TWIN, show_default=True,
    help="What runs on the nodes: the Python twin, or the C firmware as a process or on an emulated Cortex-M3.",
)  # fmt: skip
small_option = click.option("--small", is_flag=True, help="The scenario cut short, for a quick look.")


@contextmanager
def errors_told(folder_option: str = "--out") -> Iterator[None]:
    """End the program with one line that says what to do; a folder that is no good was named by `folder_option`."""
    try:
        yield
    except BridgeError as error:
        click.echo(f"leaksim: {error}", err=True)
        sys.exit(REFUSED)
    except OSError as error:
        click.echo(f"leaksim: {error}; choose another folder with {folder_option} or free the disk", err=True)
        sys.exit(REFUSED)
    except KeyboardInterrupt:
        click.echo("leaksim: interrupted; nothing is left running", err=True)
        sys.exit(INTERRUPTED)


def say(line: str) -> None:
    """Print; a reader that went away is no reason to stop half-way."""
    with suppress(BrokenPipeError):
        print(line, flush=True)  # noqa: T201


def configs() -> Path:
    """The folder `configs`: beside the checkout's packages, or under the working directory."""
    candidates = [Path(__file__).parents[2] / "configs", Path("configs").absolute()]
    found = next((path for path in candidates if path.is_dir()), None)
    if found is None:
        raise DeclaredFileError("no folder configs/", remedy="run from a checkout of leakloc")
    return found


def scenario_path(name: str) -> Path:
    """The file of a scenario that is shipped, or of one that is named by its path."""
    path = Path(name) if name.endswith(".toml") else configs() / "scenarios" / f"{name}.toml"
    if not path.exists() and not name.endswith(".toml"):
        known = ", ".join(known for known, _ in list_scenarios(configs() / "scenarios"))
        raise DeclaredFileError(f"no scenario {name!r}", remedy=f"known are {known}; or give a path to a TOML file")
    return path


def load(name: str, *, small: bool = False) -> tuple[ScenarioTable, Site, Path]:
    """Scenario, site and the site's file, by the scenario's name or path."""
    sites = configs() / "sites"
    scenario, site = load_scenario(scenario_path(name), sites)
    return scenario.cut_short() if small else scenario, site, (sites / f"{scenario.site}.toml").absolute()


def folder_for(out: Path | None, default: str) -> Path:
    """The folder for results, made."""
    folder = (out or Path("out") / default).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
