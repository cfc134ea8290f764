"""The command leakctl, joined from its parts."""

from importlib import import_module

import click

# The controller's own commands import for a second; who solves a table or a recording need not wait for them.
COMMANDS = {
    "alarms": "controller.cli.alarms:alarms",
    "check": "controller.cli.check:check",
    "journal": "controller.cli.journal:journal",
    "locate": "controller.cli.locate:locate_command",
    "node": "controller.cli.node:node",
    "nodes": "controller.cli.nodes:nodes",
    "outputs": "controller.cli.outputs:outputs",
    "plan": "controller.cli.plan:plan_command",
    "pressure": "controller.cli.pressure:pressure",
    "replay": "controller.cli.replay:replay",
    "reserve": "controller.cli.reserve:reserve",
    "run": "controller.cli.run:run",
    "schema": "controller.cli.check:schema",
    "solve": "controller.cli.solve:solve_command",
    "watch": "controller.cli.watch:watch",
}


class _WhenAsked(click.Group):
    """A group whose commands are imported when they are asked for."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself in place of its name alone."""
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name].partition(":")
            self.add_command(getattr(import_module(module), attribute), cmd_name)
        return super().get_command(ctx, cmd_name)


@click.group(cls=_WhenAsked, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="leakloc", prog_name="leakctl")
def main() -> None:
    """Find air leaks of a pressurized hull: listen, locate, alarm.

    Example: leakctl check configs/controller/desk-rig.toml && leakctl run configs/controller/desk-rig.toml
    """


for name in COMMANDS:
    main.add_command(click.Command(name))
