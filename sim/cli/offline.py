"""leaksim render and plot: what a scenario holds, as recordings and as pictures, without a controller."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from firmware_bridge.site.survey import Site
from sim.cli.common import FAILED, errors_told, folder_for, load, say, scenario_path, seed_option, small_option
from sim.cli.progress import progress_shown
from sim.errors import NoPicturesError
from sim.plots.pictures import PICTURES, picture
from sim.plots.style import Drawn
from sim.recordings.recording import Recording, Sources
from sim.recordings.span import BURST_SAMPLES, MOST_BURST_SAMPLES, Format, span_of
from sim.scenario.scenario import ScenarioTable
from sim.whole_files import check_folder, check_room, told_bytes, whole_folder, write_whole

LEAST_SAMPLES = 64  # shorter bursts hold no wave of the band
SHORTEST_S = 1e-3


positive_seconds = click.FloatRange(SHORTEST_S, 1e8)


@click.command()
@click.argument("name", metavar="SCENARIO")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder; new or empty.")
@seed_option
@small_option
@click.option("--from", "from_s", type=click.FloatRange(0.0, 1e8), metavar="S",
              help="Scenario time of the first sample; default: when the first leak opens.")  # fmt: skip
@click.option("--for", "for_s", type=positive_seconds, metavar="S",
              help="How long; default: 60 s of bursts, 10 s in one piece.")  # fmt: skip
@click.option("--every", "every_s", type=positive_seconds, metavar="S",
              help="A burst every so many seconds; default: 1 without --from and --for, else one piece.")  # fmt: skip
@click.option("--samples", type=click.IntRange(LEAST_SAMPLES, MOST_BURST_SAMPLES), default=BURST_SAMPLES,
              show_default=True, help="Of every burst and channel.")  # fmt: skip
@click.option("--format", "layout", type=click.Choice(["wav", "npz"]), default="wav", show_default=True,
              help="Of the counts: WAV by burst or piece, or one NPZ a node.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace an earlier recording in the folder.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as one JSON line.")
def render(
    name: str,
    *,
    out: Path,
    seed: int | None,
    small: bool,
    from_s: float | None,
    for_s: float | None,
    every_s: float | None,
    samples: int,
    layout: Format,
    force: bool,
    as_json: bool,
) -> None:
    """Record what the nodes of a scenario would send, for work without a controller.

    The folder gets 16-bit counts of every plugged-in node with microphones or contact sensors (one channel a
    sensor), slow.csv (time_s,node,sensor,quantity,value,unit; once a second), scenario.toml and site.toml as they
    were used, and truth.json: leaks, air, true microphone positions, clocks, Pa a count, and the true start time of
    every file. An NPZ holds counts (bursts, channels, samples), start_s, present, scale, rate_hz and positions_m.

    Without --from, --for and --every: bursts of 85 ms, one a second, in the first minute of the first leak. With
    --from or --for but without --every: one piece without gaps, of any length. The same seed gives the same bytes.

    Example: leaksim render ms09-2018 --out out/leak

    Example: leaksim render ms09-2018 --out out/long --from 80 --for 20 --format npz --seed 7
    """
    with errors_told():
        scenario, site, site_file = load(name, small=small)
        folder = out.resolve()
        check_folder(folder, replace=force)
        span = span_of(scenario, from_s=from_s, for_s=for_s, every_s=every_s, samples=samples)
        chosen = scenario.seed if seed is None else seed
        sources = Sources(scenario, site, scenario_path(name), site_file, chosen, small)
        recording = Recording(sources, span, layout)
        takes = recording.sizes
        check_room(folder, takes.total_bytes)
        kind = "one piece" if span.every_s is None else f"{len(span.burst_starts_ns)} bursts"
        when = f"from {span.from_s:g} to {span.until_s:g} s"
        click.echo(
            f"{scenario.name}, seed {chosen}: {kind} {when} of {takes.nodes} nodes; {takes.files} files of up to "
            f"{told_bytes(takes.largest_bytes)}, {told_bytes(takes.total_bytes)} in all",
            err=True,
        )
        if not recording.nodes:
            click.echo("no node with fast channels is plugged in: only slow.csv and the truth are written", err=True)
        bar = progress_shown(scenario.name, span.until_s)
        with _terminable(), whole_folder(folder, replace=force) as part, bar as on_progress:
            files = recording.write(part, on_progress)
            written = [(path.name, path.stat().st_size) for path in files]
    total = sum(size for _, size in written)
    if as_json:
        told = {"kind": "recording", "scenario": scenario.name, "seed": chosen, "out": str(folder)}
        say(json.dumps({**told, "bytes": total, "files": [file for file, _ in written]}))
    else:
        say(f"written: {os.path.relpath(out)}: {len(written)} files, {told_bytes(total)}; begin with truth.json")


@contextmanager
def _terminable() -> Iterator[None]:
    """To be terminated is to be interrupted, so that nothing half-written stays behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@click.command()
@click.argument("name", metavar="SCENARIO")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR|FILE.png",
              help="Folder for the pictures, or with one picture its file; default: out/SCENARIO-seedN.")  # fmt: skip
@click.option("--what", type=click.Choice([*PICTURES, "all"]), default="all", show_default=True, help="Which picture.")
@seed_option
@small_option
@click.option("--json", "as_json", is_flag=True, help="Print what was written, and what not and why, as one JSON line.")
def plot(name: str, *, out: Path | None, what: str, seed: int | None, small: bool, as_json: bool) -> None:
    """Draw a scenario as it truly is, without running it.

    pressures: the gas of every compartment over the scenario, what leaks let out, partial pressures where they change.
    spectra: what every microphone and contact sensor records, leaks shut and open. impulse: how a click at each leak
    reaches each node, with the arrival times. hull: where leaks, machines, racks, sensors and landmarks are.

    Exit status 1 if a picture that was asked for by name has nothing to show.

    Example: leaksim plot ms09-2018 --out out/pictures

    Example: leaksim plot ms09-2018 --what spectra --seed 3 --out spectra.png
    """
    with errors_told():
        scenario, site, _ = load(name, small=small)
        chosen = scenario.seed if seed is None else seed
        names = list(PICTURES) if what == "all" else [what]
        paths = _picture_paths(out, names, f"{scenario.name}-seed{chosen}")
        written: list[Path] = []
        notes: list[str] = []
        for picture_name, path in paths.items():
            drawn = _drawn(picture_name, scenario, site, chosen)
            notes += drawn.notes
            if drawn.png is not None:
                write_whole(path, drawn.png)
                written.append(path)
    if as_json:
        told = {"kind": "pictures", "scenario": scenario.name, "seed": chosen}
        say(json.dumps({**told, "files": [str(path) for path in written], "not_drawn": notes}))
    else:
        for note in dict.fromkeys(notes):
            click.echo(f"not drawn: {note}", err=True)
        if written:
            say("written: " + ", ".join(os.path.relpath(path) for path in written))
    sys.exit(0 if written else FAILED)


def _picture_paths(out: Path | None, names: list[str], default: str) -> dict[str, Path]:
    """Where each picture goes; the folder is made."""
    if out is not None and out.suffix.lower() == ".png":
        if len(names) > 1:
            raise click.BadParameter("a file holds one picture: add --what, or name a folder", param_hint="--out")
        return {names[0]: folder_for(out.absolute().parent, default) / out.name}
    folder = folder_for(out, default)
    return {name: folder / f"{name}.png" for name in names}


def _drawn(what: str, scenario: ScenarioTable, site: Site, seed: int) -> Drawn:
    try:
        return picture(what, scenario, site, seed)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in {"matplotlib", "mpl_toolkits"}:
            raise
        raise NoPicturesError("no pictures without matplotlib", remedy="pip install 'leakloc[report]'") from error
