"""leakctl check and schema: whether a file is valid, and how one is written."""

import json
import sys
from pathlib import Path

import click
from pydantic import TypeAdapter

from controller.cli.common import CONFIGURATION, REFUSED
from controller.config import load_configuration
from controller.declared import ControllerTable
from controller.outputs.building import undrivable
from controller.outputs.mqtt.asyncapi import document
from firmware_bridge.errors import BridgeError, DeclaredFileError
from firmware_bridge.site.schema import SiteTable
from firmware_bridge.site.survey import load_site
from firmware_bridge.units import Quantity


@click.command()
@click.argument("config", type=CONFIGURATION)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def check(config: Path, *, as_json: bool) -> None:
    """Say whether a controller or site file is valid, and precisely what is wrong where.

    Example: leakctl check configs/sites/soyuz-orbital-module.toml
    """
    try:
        summary, warnings = _summary(config)
    except BridgeError as error:
        if as_json:
            click.echo(json.dumps({"valid": False, "what": error.what, "remedy": error.remedy.strip()}))
        else:
            click.echo(f"leakctl: {error}", err=True)
        sys.exit(REFUSED)
    if as_json:
        click.echo(json.dumps({"valid": True, "summary": summary, "warnings": warnings}))
        return
    click.echo(f"{config}: valid; {summary}")
    for warning in warnings:
        click.echo(f"leakctl: warning: {warning}", err=True)


@click.command()
@click.argument("kind", type=click.Choice(["site", "controller", "mqtt"]))
def schema(kind: str) -> None:
    """Print the JSON Schema of a file format, for editors; of mqtt, the AsyncAPI document of its topics.

    Example: leakctl schema site > configs/schema/site.json
    """
    if kind == "mqtt":
        click.echo(json.dumps(document(), indent=1, ensure_ascii=False))
        return
    model = SiteTable if kind == "site" else ControllerTable
    click.echo(json.dumps(TypeAdapter(model).json_schema(), indent=2))


def _summary(path: Path) -> tuple[str, list[str]]:
    """One line on a valid file, and what it asks for that cannot be had here; which kind it is shows in its keys."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""  # the loader says better what is wrong
    if "\nduration_s" in text and "\n[air]" in text:  # which no site and no controller file has both of
        raise DeclaredFileError(f"{path}: this is a scenario", remedy=f"use leaksim check {path}")
    if "\n[[compartments]]" in text or "\n[[nodes]]" in text:
        site = load_site(path)
    else:
        configuration = load_configuration(path)
        links, outputs = len(configuration.table.links), configuration.table.outputs
        summary = f"{links} links, site {configuration.site.name!r}, listening in {configuration.compartment!r}"
        return summary, undrivable(outputs)
    microphones = len(site.sensors_of(Quantity.ULTRASOUND))
    summary = (
        f"site {site.name!r}: {len(site.nodes)} nodes, {microphones} microphones, {len(site.compartments)} compartments"
    )
    return summary, []
