"""leaksim check: whether a scenario file is valid and fits its site, and precisely what is wrong where."""

import json
import sys

import click

from firmware_bridge.errors import BridgeError
from firmware_bridge.site.survey import Site
from firmware_bridge.units import Quantity
from sim.cli.common import REFUSED, load
from sim.scenario.scenario import ScenarioTable


@click.command()
@click.argument("name", metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def check(name: str, *, as_json: bool) -> None:
    """Say whether a scenario file (or a shipped scenario, by its name) is valid, and what is wrong where.

    Exit status 2 if it is not.

    Example: leaksim check configs/scenarios/ms09-2018.toml
    """
    try:
        scenario, site, _ = load(name)
    except BridgeError as error:
        if as_json:
            click.echo(json.dumps({"valid": False, "what": error.what, "remedy": error.remedy.strip()}))
        else:
            click.echo(f"leaksim: {error}", err=True)
        sys.exit(REFUSED)
    told = _summary(scenario, site)
    click.echo(json.dumps({"valid": True, "summary": told}) if as_json else f"{name}: valid; {told}")


def _summary(scenario: ScenarioTable, site: Site) -> str:
    microphones = sum(len(node.of_quantity(Quantity.ULTRASOUND)) for node in site.nodes if node.name in scenario.links)
    leaks = ", ".join(f"{leak.name!r} at {leak.opens_at_s:g} s" for leak in scenario.leaks) or "none"
    links, faults = len(scenario.links), len(scenario.faults)
    return (
        f"scenario {scenario.name!r} of {scenario.duration_s:g} s in site {site.name!r}: {links} nodes plugged in, "
        f"{microphones} microphones, leaks: {leaks}; {faults} faults"
    )
