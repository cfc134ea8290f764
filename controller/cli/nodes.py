"""leakctl nodes: who is at the end of each link, and how well it gets through."""

import asyncio
import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from controller.cli.common import CONFIGURATION, errors_told
from controller.cli.node_access import on_links, over_broker
from controller.config import Configuration, load_configuration
from controller.outputs.node_board import NodeRow, NodesMessage

PIPED_WIDTH = 200  # characters: what reads a pipe has no margin
_STYLES = {"streaming": "green", "degraded": "yellow", "sync": "yellow", "hello": "yellow"}


@click.command()
@click.argument("config", type=CONFIGURATION, envvar="LEAKLOC_CONFIG")
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a picture.")
@click.option("--direct", is_flag=True, help="Ask on the links themselves; only while no controller runs.")
def nodes(config: Path, *, watch: bool, as_json: bool, direct: bool) -> None:
    """List every link with its node, state, counters and latency.

    A running controller is asked over its broker. CONFIG may also stand in LEAKLOC_CONFIG.

    Example: leakctl nodes configs/controller/desk-rig.toml --watch
    """
    with errors_told():
        configuration = load_configuration(config)
        try:
            asyncio.run(_show(configuration, watch=watch, as_json=as_json, direct=direct))
        except KeyboardInterrupt:
            return


async def _show(configuration: Configuration, *, watch: bool, as_json: bool, direct: bool) -> None:
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
    async with on_links(configuration) if direct else over_broker(configuration) as access:
        message = await access.nodes()
        if not watch:
            _print(console, message, as_json=as_json)
            return
        if as_json or not console.is_terminal:
            while True:
                _print(console, message, as_json=as_json)
                message = await access.nodes()
        with Live(table_of(message), console=console, auto_refresh=False) as live:
            while True:
                live.update(table_of(message), refresh=True)
                message = await access.nodes()


def _print(console: Console, message: NodesMessage, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(message).decode())
    else:
        console.print(table_of(message))


def table_of(message: NodesMessage) -> Table:
    """All links as people read them; data are shown as they are, never as markup."""
    table = Table(title=f"nodes at {message.utc}", title_justify="left", box=None, padding=(0, 1))
    for heading in ("node", "uid", "state", "link"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", min_width=len(heading))
    for heading in (
        "latency",
        "clock",
        "frames",
        "bad",
        "undecodable",
        "resync",
        "lost",
        "overrun",
        "again",
        "reboots",
    ):
        table.add_column(heading, justify="right", no_wrap=True, min_width=len(heading))
    table.add_column("what")
    for row in message.nodes:
        numbers = (row.frames, row.bad_frames, row.undecodable, row.resynchronised, row.lost_frames, row.overruns)
        table.add_row(
            Text(row.node or "?"),
            row.uid or "",
            Text(row.state, style=_STYLES.get(row.state, "red")),
            Text(row.link),
            f"{row.latency_ms:.2f} ms" if row.latency_ms is not None else "",
            f"±{row.clock_sigma_us:.0f} µs" if row.clock_sigma_us is not None else "",
            *(str(number) if number is not None else "" for number in (*numbers, row.reconnects, row.reboots)),
            Text(_what(row)),
        )
    return table


def _what(row: NodeRow) -> str:
    return "" if row.state == "streaming" else row.reason
