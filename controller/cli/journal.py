"""leakctl journal: what was written, read back."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click

from controller.alarm.types import AlarmClass
from controller.cli.common import errors_told, reader_may_go
from controller.dashboard.sentences import sentence
from controller.journal.entries import KINDS, AlarmEntry, AnyEntry, to_json
from controller.journal.reader import LineReader, check_own, journal_files, read_entries

POLL_S = 0.5  # of the machine's clock
_CLASSES = [alarm_class.name.lower() for alarm_class in AlarmClass]


class Instant(click.ParamType[datetime]):
    """An instant in UTC, of which the last parts may be left out."""

    name = "utc"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """ISO 8601 to an aware instant."""
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no instant; write it like 2018-08-29T23:00 (UTC)", param, ctx)
        return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print entries as JSON lines, for jq or pandas.")
@click.option("--kind", multiple=True, type=click.Choice(KINDS), help="Only entries of this kind; may be repeated.")
@click.option("--since", type=Instant(), help="Only entries from this instant on, such as 2018-08-29T23:00 (UTC).")
@click.option("--until", type=Instant(), help="Only entries before this instant.")
@click.option("--class", "least", type=click.Choice(_CLASSES), help="Only alarms of this class or a graver one.")
@click.option("--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
def journal(
    path: Path,
    *,
    as_json: bool,
    kind: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    least: str | None,
    follow: bool,
) -> None:
    """Read a journal: a folder, or one of its files.

    Readings (what slow sensors said) are shown only with --json or --kind readings. Lines that a crash tore are
    counted on standard error.

    \b
    Example: leakctl journal journal/ --kind alarm --kind operator --since 2018-08-29T23:00
    leakctl journal journal/ --json | python -c "import sys, pandas; print(pandas.read_json(sys.stdin, lines=True))"
    """  # noqa: D301
    with errors_told():
        check_own(path)
    torn = 0
    with suppress(KeyboardInterrupt), reader_may_go():
        for entry in _followed(path) if follow else read_entries(path):
            if isinstance(entry, int):
                torn += 1
            elif _wanted(entry, kind, since, until, least) and (as_json or kind or entry_tag(entry) != "readings"):
                click.echo(to_json(entry).decode() if as_json else f"{entry.utc}  {sentence(entry)}")
    if torn:
        what = "line is" if torn == 1 else "lines are"
        click.echo(f"leakctl: {torn} {what} unreadable (writes that a crash tore?) and left out", err=True)


def entry_tag(entry: AnyEntry) -> str:
    """The kind of an entry."""
    return str(entry.__struct_config__.tag)


def _wanted(
    entry: AnyEntry, kind: tuple[str, ...], since: datetime | None, until: datetime | None, least: str | None
) -> bool:
    if kind and entry_tag(entry) not in kind:
        return False
    if least is not None and not (
        isinstance(entry, AlarmEntry) and _CLASSES.index(entry.alarm_class) >= _CLASSES.index(least)
    ):
        return False
    if since is None and until is None:
        return True
    at = datetime.fromisoformat(entry.utc)
    return (since is None or at >= since) and (until is None or at < until)


def _followed(path: Path) -> Iterator[AnyEntry | int]:
    """All that is there, then what comes, file after file as they are begun."""
    never = threading.Event()
    finished: set[Path] = set()
    while True:
        waiting = [file for file in journal_files(path) if file not in finished]
        for place, file in enumerate(waiting):
            lines = LineReader()
            with file.open("rb") as source:
                yield from lines.read(source, growing=True)
                while place == len(waiting) - 1 and all(f in finished or f in waiting for f in journal_files(path)):
                    never.wait(POLL_S)
                    yield from lines.read(source, growing=True)
                yield from lines.read(source)  # it was left for the next: its last line will not be finished
            finished.add(file)
