"""leakctl journal: what was written, read back."""

import sys
from pathlib import Path

import click

from controller.cli.common import REFUSED
from controller.dashboard.sentences import sentence
from controller.journal.entries import to_json
from controller.journal.reader import journal_files, read_entries


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print entries as JSON lines.")
@click.option("--kind", multiple=True, help="Only entries of this kind (alarm, fix, detection, ...).")
def journal(path: Path, *, as_json: bool, kind: tuple[str, ...]) -> None:
    """Read a journal: a folder, or one of its files.

    Example: leakctl journal journal/ --kind alarm --kind fix
    """
    if not journal_files(path):
        click.echo(f"leakctl: no journal files in {path}", err=True)
        sys.exit(REFUSED)
    for entry in read_entries(path):
        if isinstance(entry, int):
            click.echo(f"leakctl: line {entry} is unreadable (a write that a crash tore?)", err=True)
        elif not kind or entry.__struct_config__.tag in kind:
            click.echo(to_json(entry).decode() if as_json else f"{entry.utc}  {sentence(entry)}")
