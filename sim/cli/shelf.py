"""leaksim list and schema: what is on the shelf, and how a scenario file is written."""

import json

import click
from pydantic import TypeAdapter

from sim.cli.common import configs, errors_told
from sim.scenario.scenario import ScenarioTable, list_scenarios


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_command(*, as_json: bool) -> None:
    """List the scenarios that are shipped.

    Example: leaksim list
    """
    with errors_told():
        known = list_scenarios(configs() / "scenarios")
    click.echo(json.dumps(dict(known)) if as_json else "\n".join(f"{name:<22} {title}" for name, title in known))


@click.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors.

    Example: leaksim schema > configs/schema/scenario.json
    """
    click.echo(json.dumps(TypeAdapter(ScenarioTable).json_schema(), indent=2))
