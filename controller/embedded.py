"""A controller on another program's event loop, on ports that the other hands in; it sees neither disk nor broker.

Test benches use it to run many hours in virtual time. Who is at the other end of the ports it does not know.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from controller.app import App, inline
from controller.config import fitted
from controller.declared import ControllerTable
from controller.journal.entries import to_json
from controller.logbook import Observers
from firmware_bridge.declared import parse_declared
from firmware_bridge.link import LinkPort
from firmware_bridge.site.survey import Site


async def run(
    site: Site,
    ports: Sequence[LinkPort],
    on_line: Callable[[bytes], None],
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Run until cancelled; every event goes to `on_line` as one JSON line without its end.

    Args:
        site: what is installed.
        ports: where nodes may be asked.
        on_line: called on the loop; must not wait.
        settings: tables of a controller file that replace the defaults; `links` and `site` have no meaning here.

    Raises:
        DeclaredFileError: settings that are unknown or out of range.
        ControllerError: settings that contradict each other or the site.
    """
    raw = {"format": 1, "site": "-", **(settings or {}), "mqtt": {"enabled": False}}
    configuration = fitted(parse_declared(raw, "settings", ControllerTable), site, "settings")
    observers = Observers(lambda entry: on_line(to_json(entry)), lambda _picture, _elapsed_s: None)
    await App(configuration, tuple(ports), None, None, observers, runner=inline).run()
