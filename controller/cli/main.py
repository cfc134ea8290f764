"""The command leakctl, joined from its parts."""

import click

from controller.cli.check import check, schema
from controller.cli.journal import journal
from controller.cli.run import run
from controller.cli.solve import solve_command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="leakloc", prog_name="leakctl")
def main() -> None:
    """Find air leaks of a pressurized hull: listen, locate, alarm.

    Example: leakctl check configs/controller/desk-rig.toml && leakctl run configs/controller/desk-rig.toml
    """


for command in (run, check, schema, journal, solve_command):
    main.add_command(command)
