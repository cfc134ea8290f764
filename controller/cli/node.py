"""leakctl node: one node pinged, found by its light, listened to, or greeted anew."""

import asyncio
import json
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import cast

import click
import msgspec

from controller.cli.common import CONFIGURATION, errors_told, login_name
from controller.cli.node_access import Access, Login, new_request_id, on_links, over_broker
from controller.config import load_configuration
from controller.outputs.mqtt.secrets import PASSWORD_VARIABLE, secret
from controller.outputs.node_requests import MAX_SECONDS, Do, NodeReply, NodeRequest

NOT_DONE = 1
PINGS = 4


@click.command()
@click.argument("uid")
@click.argument("action", type=click.Choice(["ping", "identify", "reset", "levels"]))
@click.argument("config", type=CONFIGURATION, envvar="LEAKLOC_CONFIG")
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, MAX_SECONDS),
    default=10.0,
    show_default=True,
    help="How long to blink (identify) or to listen (levels).",
)
@click.option("--by", default=login_name, show_default="your login name", help="Who asks, for the journal.")
@click.option("--user", help="Your user name at the broker, where the controller lets only users command.")
@click.option("--password-file", help=f"File with its password, readable by you alone; or {PASSWORD_VARIABLE}.")
@click.option("--json", "as_json", is_flag=True, help="Print each reply as one JSON line.")
@click.option("--direct", is_flag=True, help="Ask on the links themselves; only while no controller runs.")
def node(
    uid: str,
    action: str,
    config: Path,
    *,
    seconds: float,
    by: str,
    user: str | None,
    password_file: str | None,
    as_json: bool,
    direct: bool,
) -> None:
    """Ask the node with this UID (hexadecimal) or name something.

    ping: four round trips. identify: it blinks. levels: the band levels that it computes itself.
    reset: forget what is known of it, greet it, learn its clock, start its data; the board itself is not restarted.

    Example: leakctl node 10f1 ping configs/controller/desk-rig.toml
    """
    with errors_told():
        configuration = load_configuration(config)
        times = PINGS if action == "ping" else 1
        requests = [NodeRequest(new_request_id(), uid, cast("Do", action), seconds, by) for _ in range(times)]
        login = None if user is None else Login(user, secret(password_file, "--password-file", PASSWORD_VARIABLE))
        way = on_links(configuration) if direct else over_broker(configuration, login)
        done = asyncio.run(_ask(way, requests, as_json=as_json))
    sys.exit(0 if done else NOT_DONE)


async def _ask(way: AbstractAsyncContextManager[Access], requests: list[NodeRequest], *, as_json: bool) -> bool:
    done = True
    async with way as access:
        for request in requests:
            async for reply in access.ask(request):
                done = done and reply.done
                _print(reply, as_json=as_json)
            if not done:
                break
    return done


def _print(reply: NodeReply, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(reply)))
        return
    for level in reply.levels:
        band = f"{level.low_hz / 1000:7.1f} to {level.high_hz / 1000:7.1f} kHz"
        click.echo(f"{reply.node}  {level.sensor:12}  {band}  {level.level_db:8.2f} {reply.text}")
    if not reply.levels:
        click.echo(f"{reply.node}  {reply.do}: {reply.text}", err=not reply.done)
