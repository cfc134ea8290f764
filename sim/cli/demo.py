"""leaksim demo: the main job on show, with real processes, terminals and a broker."""

import sys
from functools import partial
from pathlib import Path

import click

from firmware_bridge.scaled_loop import run_until_signal
from sim.cli.common import (
    DEFAULT_SCENARIO,
    FAILED,
    INTERRUPTED,
    MAX_SPEED,
    errors_told,
    folder_for,
    load,
    nodes_option,
    say,
    seed_option,
)
from sim.cli.telling import tell_record
from sim.demo import DemoSettings, run_demo

DEMO_SPEED = 12.0  # 540 s of scenario in 45 s at most; it ends when all has been shown


@click.command()
@click.option("--scenario", "name", default=DEFAULT_SCENARIO, show_default=True, metavar="NAME")
@seed_option
@nodes_option
@click.option("--speed", type=click.FloatRange(0.5, MAX_SPEED), default=DEMO_SPEED, show_default=True,
              help="Times real time.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print every event and the summary as JSON lines.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for picture and report; default: out/SCENARIO-seedN.",
)
@click.option("--view/--no-view", default=None, help="Live view; default: on a terminal.")
def demo(
    name: str, *, seed: int | None, nodes: str, speed: float, as_json: bool, out: Path | None, view: bool | None
) -> None:
    """Start a rig and a controller, let it leak, watch the leak being found; report against the truth.

    Exit status 0 only if everything went as the scenario expects.

    Example: leaksim demo --scenario ms09-2018 --seed 3 --out out/try

    Example: leaksim demo --nodes native
    """
    with errors_told():
        scenario, site, site_file = load(name)
        chosen = scenario.seed if seed is None else seed
        folder = folder_for(out, f"{scenario.name}-seed{chosen}")
        show = sys.stderr is not None and sys.stderr.isatty() and not as_json if view is None else view
        settings = DemoSettings(site_file, chosen, speed, folder, as_json, show, nodes)
        warn = partial(click.echo, err=True)
        record = run_until_signal(run_demo(scenario, site, settings, say, warn), scale=speed)
        if record is None:
            click.echo("leaksim: interrupted; nothing is left running", err=True)
            sys.exit(INTERRUPTED)
        tell_record(record, folder, as_json=as_json)
    sys.exit(0 if record.score.success else FAILED)
