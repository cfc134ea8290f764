"""Which line each node of a scenario hangs on, and the controller file that finds them there."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.errors import LinkError
from firmware_bridge.site.survey import Site
from sim.attach.broker_topics import TopicLine
from sim.attach.line import Line
from sim.attach.terminal import TerminalLine
from sim.errors import FolderError
from sim.scenario.scenario import ScenarioTable

MARK = "# written by leaksim for a rig that is up; it goes with the rig"


@contextmanager
def alone_in(folder: Path, option: str) -> Iterator[None]:
    """Hold `folder`, made if need be, against every other leaksim; afterwards it is removed if nothing is left in it.

    Raises:
        FolderError: another process holds it; `option` names the folder on the command line.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise FolderError(
                f"another leaksim is up in {folder}", remedy=f"end that one or choose another folder with {option}"
            ) from error
        with suppress(FileNotFoundError):
            if folder.stat().st_ino == os.fstat(handle).st_ino:
                break
        os.close(handle)  # who held it before removed it just now
    try:
        yield
    finally:
        with suppress(OSError):  # somebody else's files stay, and so does it
            folder.rmdir()
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Plugs:
    """Where nodes are: terminals by path, topic prefixes behind the broker."""

    terminals: Mapping[str, Path]
    topics: Mapping[str, str]


def plugs(scenario: ScenarioTable, site: Site, ports: Path) -> Plugs:
    """Where each node of `scenario` is to be found; terminals appear in the folder `ports`."""
    return Plugs(
        terminals={node: ports / node for node, kind in scenario.links.items() if kind == "serial"},
        topics={node: f"leakloc/{site.name}/node/{node}" for node, kind in scenario.links.items() if kind == "mqtt"},
    )


def lines(where: Plugs, broker: tuple[str, int] | None) -> dict[str, Line]:
    """A line for each node; without a broker the nodes behind it are left out."""
    made: dict[str, Line] = {node: TerminalLine(path) for node, path in where.terminals.items()}
    if broker is not None:
        host, port = broker
        made |= {node: TopicLine(host, port, prefix) for node, prefix in where.topics.items()}
    return made


def fresh_journal(folder: Path) -> Path:
    """A folder below `folder` that is not there yet: alarms of the world before are none of this one's."""
    taken = {path.name for path in folder.glob("journal*")} if folder.is_dir() else set()
    return next(folder / name for at in range(len(taken) + 1) if (name := f"journal-{at + 1}") not in taken)


def controller_file(where: Plugs, site_file: Path, broker: tuple[str, int] | None, journal: Path | None = None) -> str:
    """The text of a controller configuration for this rig."""
    rows = [MARK, "format = 1", f"site = {json.dumps(str(site_file))}"]
    for path in where.terminals.values():
        rows += ["", "[[links]]", 'kind = "serial"', f"port = {json.dumps(str(path))}"]
    for prefix in where.topics.values() if broker is not None else ():
        rows += ["", "[[links]]", 'kind = "mqtt"', f"prefix = {json.dumps(prefix)}"]
    rows += ["", "[journal]", f"folder = {json.dumps(str(journal))}"] if journal is not None else []
    rows += ["", "[mqtt]"]
    rows += ["enabled = false"] if broker is None else [f"host = {json.dumps(broker[0])}", f"port = {broker[1]}"]
    return "\n".join(rows) + "\n"


def write_controller_file(path: Path, text: str) -> None:
    """Write it; a file of somebody else is left alone.

    Raises:
        LinkError: something that is not ours is in the way.
    """
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(MARK):
        raise LinkError(f"{path} is in the way", remedy="name another folder with --ports")
    path.write_text(text, encoding="utf-8")
