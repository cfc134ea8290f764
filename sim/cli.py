"""leaksim: show the main job, put up a simulated rig, list scenarios. Parsing and printing only."""

import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
from pydantic import TypeAdapter

from firmware_bridge.errors import BridgeError, DeclaredFileError
from firmware_bridge.scaled_loop import run_until_signal
from firmware_bridge.site.survey import Site
from sim.attach.plug_in import controller_file, lines, plugs, write_controller_file
from sim.attach.rig import Rig, render_in_thread
from sim.demo import DemoSettings, run_demo, summary_lines, write_report
from sim.faults import Faults
from sim.plant.plant import Plant
from sim.scenario.scenario import ScenarioTable, list_scenarios, load_scenario

DEFAULT_SCENARIO = "ms09-2018"
DEMO_SPEED = 12.0  # 540 s of scenario in 45 s at most; it ends when all has been shown
MAX_SPEED = 20.0  # beyond it a busy machine's hiccup of half a second is ten seconds of silence on every line
INTERRUPTED = 130

scenario_option = click.option("--scenario", "name", default=DEFAULT_SCENARIO, show_default=True, metavar="NAME")
seed_option = click.option("--seed", type=click.IntRange(0, (1 << 63) - 1), help="Replaces the scenario's own seed.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="leakloc", prog_name="leaksim")
def main() -> None:
    """A simulated leaking rig, to try and test a controller without hardware.

    Example: leaksim demo --seed 3
    """


@main.command()
@scenario_option
@seed_option
@click.option("--speed", type=click.FloatRange(0.5, MAX_SPEED), default=DEMO_SPEED, show_default=True,
              help="Times real time.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print every event and the summary as JSON lines.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for picture and report.")
@click.option("--view/--no-view", default=None, help="Live view; default: on a terminal.")
def demo(name: str, *, seed: int | None, speed: float, as_json: bool, out: Path | None, view: bool | None) -> None:
    """Start a rig and a controller, let it leak, watch the leak being found; report against the truth.

    Exit status 0 only if leak, fix within 10 cm and alarm really happened.

    Example: leaksim demo --scenario ms09-2018 --seed 3 --out out/try
    """
    try:
        scenario, site, site_file = _load(name)
        chosen = scenario.seed if seed is None else seed
        folder = (out or Path("out") / f"{scenario.name}-seed{chosen}").absolute()
        folder.mkdir(parents=True, exist_ok=True)
        show = sys.stderr is not None and sys.stderr.isatty() and not as_json if view is None else view
        settings = DemoSettings(site_file, chosen, speed, folder, as_json, show)
        record = run_until_signal(run_demo(scenario, site, settings, _say), scale=speed)
        if record is None:
            click.echo("leaksim: interrupted; nothing is left running", err=True)
            sys.exit(INTERRUPTED)
        files = write_report(record, folder)
    except BridgeError as error:
        click.echo(f"leaksim: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"leaksim: {error}; choose another folder with --out or free the disk", err=True)
        sys.exit(2)
    if as_json:
        _say(json.dumps({"kind": "summary", "seed": chosen, "out": str(folder), **asdict(record.score)}))
    else:
        _say(f"\n{scenario.title or scenario.name}, seed {chosen}: {'success' if record.score.success else 'FAILED'}")
        _say("\n".join(summary_lines(record)))
        _say("written: " + ", ".join(os.path.relpath(path) for path in files))
    sys.exit(0 if record.score.success else 1)


@main.command()
@click.argument("name", default=DEFAULT_SCENARIO)
@seed_option
@click.option("--speed", type=click.FloatRange(0.5, MAX_SPEED), default=1.0, show_default=True, help="Times real time.")
@click.option("--ports", type=click.Path(path_type=Path, file_okay=False), default=Path("/tmp/leakloc"),  # noqa: S108
              show_default=True, help="Folder in which the serial ports appear.")  # fmt: skip
@click.option("--broker", metavar="HOST:PORT", help="Broker of the MQTT nodes; without it they are not plugged in.")
def run(name: str, *, seed: int | None, speed: float, ports: Path, broker: str | None) -> None:
    """Put up the rig of a scenario until Ctrl-C; attach a controller to it with leakctl run.

    Example: leaksim run ms09-2018 --broker 127.0.0.1:1883
    """
    try:
        scenario, site, site_file = _load(name)
        address = _address(broker)
        where = plugs(scenario, site, ports)
        ports.mkdir(parents=True, exist_ok=True)
        configuration = ports / "controller.toml"
        write_controller_file(configuration, controller_file(where, site_file, address))
    except BridgeError as error:
        click.echo(f"leaksim: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"leaksim: cannot use {ports}: {error}; choose another folder with --ports", err=True)
        sys.exit(2)
    scale = f" --time-scale {speed:g}" if speed != 1.0 else ""
    leakctl = Path(sys.executable).parent / "leakctl"
    click.echo(f"rig of {scenario.name} is up; now: {leakctl} run {configuration}{scale}", err=True)
    if address is None and where.topics:
        names = ", ".join(where.topics)
        click.echo(f"without --broker, MQTT nodes are not plugged in: {names} will be missed", err=True)

    async def serve() -> None:
        chosen = scenario.seed if seed is None else seed
        faults = Faults(scenario.faults, np.random.default_rng([chosen, 1]))
        await Rig(Plant(scenario, site, chosen), lines(where, address), faults, render_in_thread).run()

    run_until_signal(serve(), scale=speed)
    configuration.unlink(missing_ok=True)
    with suppress(OSError):
        ports.rmdir()


@main.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_command(*, as_json: bool) -> None:
    """List the scenarios that are shipped.

    Example: leaksim list
    """
    known = list_scenarios(_configs() / "scenarios")
    click.echo(json.dumps(dict(known)) if as_json else "\n".join(f"{name:<22} {title}" for name, title in known))


@main.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors.

    Example: leaksim schema > configs/schema/scenario.json
    """
    click.echo(json.dumps(TypeAdapter(ScenarioTable).json_schema(), indent=2))


def _say(line: str) -> None:
    """Print; a reader that went away is no reason to stop half-way."""
    with suppress(BrokenPipeError):
        print(line, flush=True)  # noqa: T201


def _configs() -> Path:
    """The folder `configs`: beside the checkout's packages, or under the working directory."""
    candidates = [Path(__file__).parents[1] / "configs", Path("configs").absolute()]
    found = next((path for path in candidates if path.is_dir()), None)
    if found is None:
        raise DeclaredFileError("no folder configs/", remedy="run from a checkout of leakloc")
    return found


def _load(name: str) -> tuple[ScenarioTable, Site, Path]:
    """Scenario, site and the site's file, by the scenario's name or path."""
    configs = _configs()
    path = Path(name) if name.endswith(".toml") else configs / "scenarios" / f"{name}.toml"
    if not path.exists() and not name.endswith(".toml"):
        known = ", ".join(known for known, _ in list_scenarios(configs / "scenarios"))
        raise DeclaredFileError(f"no scenario {name!r}", remedy=f"known are {known}; or give a path to a TOML file")
    sites = configs / "sites"
    scenario, site = load_scenario(path, sites)
    return scenario, site, (sites / f"{scenario.site}.toml").absolute()


def _address(broker: str | None) -> tuple[str, int] | None:
    if broker is None:
        return None
    host, _, port = broker.rpartition(":")
    if not host or not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise click.BadParameter(f"{broker!r} is not HOST:PORT", param_hint="--broker")
    return host, int(port)
