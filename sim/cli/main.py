"""The command leaksim, joined from its parts."""

import click

from sim.cli.campaign import campaign
from sim.cli.check import check
from sim.cli.demo import demo
from sim.cli.offline import plot, render
from sim.cli.run import run
from sim.cli.shelf import list_command, schema


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="leakloc", prog_name="leaksim")
def main() -> None:
    """A simulated leaking rig, to try and test a controller without hardware.

    Example: leaksim demo --seed 3
    """


for command in (demo, run, list_command, check, campaign, render, plot, schema):
    main.add_command(command)
