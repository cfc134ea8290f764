"""leaksim campaign: scenarios x seeds x settings, in parallel, resumable, as a table."""

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from sim.campaign.grid import Job, jobs
from sim.campaign.pool import cluster_pool, local_pool, results
from sim.campaign.store import Store
from sim.campaign.summary import COLUMNS, summary
from sim.cli.common import FAILED, configs, errors_told, folder_for, say, scenario_path, small_option
from sim.cli.progress import Seldom
from sim.subject import DEFAULT, find_subject

MAX_SEEDS = 10_000
MAX_SEED = (1 << 63) - 1  # as of --seed elsewhere; tables hold no larger whole number

NO_PARQUET = (
    "no Parquet without pyarrow: make setup in a checkout, else pip install 'leakloc[campaign]'; "
    "the rows are in runs.jsonl"
)


class Seeds(click.ParamType[tuple[int, ...]]):
    """A list of seeds: 1-20 or 1,4,9 or both."""

    name = "SEEDS"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Refuse what is none."""
        if isinstance(value, tuple):
            return value
        seeds: list[int] = []
        for part in str(value).split(","):
            first, dash, last = part.partition("-")
            if not _is_number(first) or (dash and not _is_number(last)):
                self.fail(f"{part!r} is not a seed or a range like 1-20", param, ctx)
            span = range(int(first), int(last or first) + 1)
            if max(span.start, span.stop - 1) > MAX_SEED:
                self.fail(f"{part!r} is beyond the largest seed, {MAX_SEED}", param, ctx)
            if len(seeds) + span.stop - span.start > MAX_SEEDS:
                self.fail(f"more than {MAX_SEEDS} seeds", param, ctx)
            seeds += span
        if not seeds:
            self.fail(f"{value!r} names no seed", param, ctx)
        return tuple(dict.fromkeys(seeds))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


class Setting(click.ParamType[tuple[str, tuple[str, ...]]]):
    """KEY=V1,V2: a key of the scenario file and the values that it is to take."""

    name = "KEY=V1,V2"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[str, ...]]:
        """Refuse what has no key or no value."""
        if isinstance(value, tuple):
            return value
        name, equals, values = str(value).partition("=")
        if not name or not equals or not values:
            self.fail(f"{value!r} is not KEY=VALUE or KEY=V1,V2", param, ctx)
        return name, tuple(values.split(","))


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="SCENARIO...")
@click.option("--seeds", type=Seeds(), default="1-10", show_default=True, help="Such as 1-20 or 1,4,9.")
@click.option("--set", "settings", type=Setting(), multiple=True, help="Vary a key of the scenario; may be repeated.")
@small_option
@click.option("--controller", default=DEFAULT, show_default=True, help="Installed, or module:function.")
@click.option("--workers", type=click.IntRange(1, 1024), default=os.cpu_count() or 1, show_default="cores",
              help="Runs at the same time.")  # fmt: skip
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="Run on the workers of this Dask scheduler instead.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for the results; default: out/campaign."
)
@click.option("--fresh", is_flag=True, help="Run again what the folder already holds.")
@click.option("--json", "as_json", is_flag=True, help="Print every run as a JSON line as it ends.")
def campaign(
    names: tuple[str, ...],
    *,
    seeds: tuple[int, ...],
    settings: tuple[tuple[str, tuple[str, ...]], ...],
    small: bool,
    controller: str,
    workers: int,
    scheduler: str | None,
    out: Path | None,
    fresh: bool,
    as_json: bool,
) -> None:
    """Run scenarios over many seeds and settings in virtual time; one row a run in runs.parquet, and a summary.

    A SCENARIO is a name of leaksim list, or the path of a TOML file.

    What an interrupted campaign has finished is kept: the same command goes on from there. Exit status 0 only if every
    run went as its scenario expects.

    Example: leaksim campaign ms09-2018 two-leaks --seeds 1-20

    Example: leaksim campaign ms09-2018 --seeds 1-5 --set leaks.0.diameter_mm=1.0,2.0,3.0
    """
    with errors_told():
        find_subject(controller)
        scenarios = [scenario_path(name) for name in names]
        grid = jobs(scenarios, configs() / "sites", seeds, settings, small=small, controller=controller)
        folder = folder_for(out, "campaign")
        store = Store(folder)
        done = frozenset() if fresh else store.done
        waiting = [job for job in grid if job.key not in done]
        _run(waiting, len(grid), store, scheduler, workers, as_json=as_json)
        keys = [job.key for job in grid]
        table = store.write_table(keys)
        rows = store.rows(keys)
    if not as_json:
        _print_summary(rows)
        click.echo(f"written: {os.path.relpath(table if table is not None else folder)}")
    if table is None:
        click.echo(NO_PARQUET, err=True)
    sys.exit(0 if all(row.get("success") for row in rows) else FAILED)


def _run(waiting: list[Job], total: int, store: Store, scheduler: str | None, workers: int, *, as_json: bool) -> None:
    if not waiting:
        return
    pool = cluster_pool(scheduler) if scheduler else local_pool(min(workers, len(waiting)))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    told, finished = Seldom(), total - len(waiting)
    with pool as executor, Progress(*columns, console=console) if console.is_terminal else nullcontext() as progress:
        bar = progress.add_task("runs", total=total, completed=total - len(waiting)) if progress else None
        for row in results(executor, waiting, workers):
            store.add(row)
            finished += 1
            if as_json:
                say(json.dumps(row))
            if progress is not None and bar is not None:
                progress.advance(bar)
            else:
                told.tell(f"runs: {finished} of {total}")


def _print_summary(rows: list[dict[str, object]]) -> None:
    table = Table(*COLUMNS, box=None, pad_edge=False)
    for line in summary(rows):
        table.add_row(*line)
    Console().print(table)
    failure = next((row for row in rows if row["failure"]), None)
    if failure is not None:
        click.echo(f"first failure ({failure['scenario']}, seed {failure['seed']}):\n{failure['failure']}", err=True)
