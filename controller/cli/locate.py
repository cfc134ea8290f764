"""leakctl locate: leaks out of a recording, without a rig."""

import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import click

from controller.cli.common import errors_told
from controller.cli.locate_answer import answer, show
from controller.errors import ControllerError
from controller.localize.forward import SurveyErrors
from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.volume_search import Volume
from controller.measure.captures import Capture
from controller.recordings.captures import captures_of, heard_site
from controller.recordings.files import read_recording
from controller.recordings.recording import Pieces, Recording, cut, piece_samples
from controller.recordings.rendered import read_rendered
from controller.recordings.table_site import (
    ROOM,
    hull_of,
    joined,
    outside_notes,
    read_microphones,
    table_site,
    uneven_notes,
)
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.schema import SurveyTable
from firmware_bridge.site.survey import Site, load_site
from firmware_bridge.units import Quantity

NO_FIX = 3
KELVIN = 273.15
DEFAULT_C = 20.0
TOLD_SIGMA_K = 2.0  # with what humidity does, 0.35 % of the speed of sound
UNTOLD_SIGMA_K = 6.0  # 1 %: 340 m/s as well as 346
MOST_PIECES = 64  # 5 s: what comes before is forgotten in any case
MOST_QUIET = 12  # machines' directions take time with the third power of their number
MAX_TABLE_BYTES = 1_000_000
# Microphones' and the hull's sigma (m) under which a sound may stand out most, where nobody says how good a survey is:
# a simulator's, that knows no error; a careful one; one by tape measure, clocks off by 10 µs included.
SURVEYS = ((1e-4, 1e-3), (2e-3, 2e-3), (5e-3, 5e-3))
RIVAL_SHARE = 0.8  # of the best place's pairs: nobody listens longer to a recording, so fewer answers are withheld

FILE = click.Path(path_type=Path)


@click.command(name="locate")
@click.argument("recording", type=FILE, metavar="RECORDING")
@click.option("--site", "site_file", type=FILE, help="Site file; channels are its microphones in their order.")
@click.option("--compartment", help="Of the site; default: the only one with microphones.")
@click.option("--mics", "table", type=FILE, help="Instead of a site: table x_m,y_m,z_m,node, a row a channel.")
@click.option("--hull", help="With --mics: box:LX,LY,LZ, cylinder:RADIUS,LENGTH or none.")
@click.option(
    "--coherent",
    type=click.Choice(["all", "node"]),
    help="Which channels share a clock; default: as the site says, else all.",
)
@click.option("--baseline", type=FILE, help="Recording with the leak closed: what it holds is no leak.")
@click.option("--temperature", type=click.FloatRange(-60, 80), help=f"Of the air, °C; default {DEFAULT_C:g}.")
@click.option("--leaks", type=click.IntRange(1, 8), default=1, show_default=True, help="How many to look for.")
@click.option("--mic-sigma", type=click.FloatRange(1e-5, 0.1), help="Of positions, m; default: found by trial.")
@click.option("--hull-sigma", type=click.FloatRange(1e-5, 0.5), help="Of the wall, m; default: as --mic-sigma.")
@click.option(
    "--temperature-sigma", type=click.FloatRange(0.01, 50), help="Of the air, K; default 2, 6 where nobody tells it."
)
@click.option("--plot", type=FILE, help="Draw the unrolled hull (needs matplotlib).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def locate_command(
    recording: Path,
    *,
    site_file: Path | None,
    compartment: str | None,
    table: Path | None,
    hull: str | None,
    coherent: str | None,
    baseline: Path | None,
    temperature: float | None,
    leaks: int,
    mic_sigma: float | None,
    hull_sigma: float | None,
    temperature_sigma: float | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Locate leaks in a recording of all microphones.

    RECORDING is NPZ (signals [channels, samples] or [bursts, channels, samples]; fs_hz; scale_pa if known), WAV, FLAC,
    or a folder of leaksim render. The exit status is 0 with a fix, 3 without one, 2 when the input is refused.

    Example: leakctl locate leak.npz --mics mics.csv --hull box:4,3,2.5 --temperature 21 --json | jq '.leaks[0]'
    """
    with errors_told():
        heard = _read(recording)
        quiet = None if baseline is None else _read(baseline)
        if site_file is None and table is None and (recording / "site.toml").is_file():
            site_file = recording / "site.toml"
        temperature_k, doubt_k, said = _temperature(temperature, temperature_sigma, heard)
        survey = SurveyTable(temperature_sigma_k=doubt_k)
        site, room, notes = _site(site_file, compartment, table, hull, survey)
        site = joined(site, coherent if heard.one_clock else "node")
        inputs = _inputs(site, room, heard, quiet, temperature_k)
        notes += [*said, *inputs.notes]
        began = time.perf_counter()
        locator = Locator(inputs.site, room, Settings(rival_support=RIVAL_SHARE), _surveys(site, mic_sigma, hull_sigma))
        verdicts = locator.locate_several(inputs.job, leaks)
        elapsed_ms = 1e3 * (time.perf_counter() - began)
    told = answer(verdicts, elapsed_ms, notes)
    if as_json:
        click.echo(json.dumps(told, allow_nan=False))
    else:
        show(told)
    if plot is not None:
        from controller.cli.locate_picture import draw

        with errors_told():
            draw(plot, inputs.site, room, verdicts)
    sys.exit(0 if told["status"] == "fix" else NO_FIX)


@dataclass(frozen=True, slots=True)
class _Inputs:
    site: Site
    job: LocateJob
    notes: tuple[str, ...]


def _read(path: Path) -> Recording:
    return read_rendered(path) if path.is_dir() else read_recording(path)


def _site(
    site_file: Path | None, compartment: str | None, table: Path | None, hull: str | None, survey: SurveyTable
) -> tuple[Site, str, list[str]]:
    """The site, the name of its room, and what to say about them."""
    if table is not None:
        if site_file is not None:
            raise ControllerError("--site and --mics say the same thing", remedy="give one of them")
        if hull is None:
            raise ControllerError(
                "--mics needs --hull", remedy="give --hull box:LX,LY,LZ, cylinder:RADIUS,LENGTH or none"
            )
        microphones = read_microphones(str(table), _text(table))
        wall: Hull = Volume.around(microphones.position_m) if hull.strip().lower() == "none" else hull_of(hull)
        notes = outside_notes(microphones, wall) + uneven_notes(microphones)
        return table_site(microphones, wall, survey), ROOM, notes
    if site_file is None:
        raise ControllerError("nothing says where the microphones are", remedy="give --site, or --mics and --hull")
    if hull is not None:
        raise ControllerError("--hull goes with --mics; a site file has its hulls", remedy="leave it out")
    site = load_site(site_file)
    with_ears = {node.compartment for node in site.nodes if node.of_quantity(Quantity.ULTRASOUND)}
    rooms = sorted(with_ears) if compartment is None else [compartment]
    if len(rooms) != 1 or rooms[0] not in with_ears:
        raise ControllerError(
            f"{site_file} has microphones in {', '.join(sorted(with_ears)) or 'no compartment'}",
            remedy="name one of these by --compartment",
        )
    return (
        replace(site, survey=site.survey.model_copy(update={"temperature_sigma_k": survey.temperature_sigma_k})),
        rooms[0],
        [],
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise ControllerError(f"{path} has more than {MAX_TABLE_BYTES} bytes", remedy="name a table of microphones")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ControllerError(f"{path} cannot be read ({error.strerror})", remedy="check the path") from error
    except UnicodeDecodeError as error:
        raise ControllerError(f"{path} is no text", remedy="save the table as CSV in UTF-8") from error


def _temperature(given: float | None, sigma_k: float | None, heard: Recording) -> tuple[float, float, list[str]]:
    """Of the air, K, its sigma, and what to say about it."""
    told_k = heard.temperature_k if given is None else given + KELVIN
    if told_k is not None:
        return told_k, sigma_k or TOLD_SIGMA_K, []
    return DEFAULT_C + KELVIN, sigma_k or UNTOLD_SIGMA_K, [f"no --temperature: {DEFAULT_C:g} °C is tried first"]


def _inputs(site: Site, room: str, heard: Recording, quiet: Recording | None, temperature_k: float) -> _Inputs:
    """Pieces of recording and baseline as one job."""
    order = _order(site, room, heard)
    samples = min(piece_samples(one) for one in (heard, quiet) if one is not None)
    now = cut(heard, samples, MOST_PIECES)
    notes, before = list(now.notes), None
    if quiet is not None:
        if (quiet.fs_hz, quiet.channels) != (heard.fs_hz, heard.channels):
            raise ControllerError(
                f"{quiet.source} has {quiet.channels} channels at {quiet.fs_hz:g} Hz, "
                f"{heard.source} {heard.channels} at {heard.fs_hz:g} Hz",
                remedy="record the baseline with the same microphones and rate",
            )
        before = cut(quiet, samples, MOST_QUIET)
        notes += before.notes
        if len(before.pressure_pa) == 1:
            notes.append(f"{quiet.source}: one piece tells machines badly from noise; record half a second")
    known = heard_site(site, order, now)

    def captures(pieces: Pieces, first_id: int) -> tuple[Capture, ...]:
        return captures_of(
            known, order, pieces, first_id=first_id, one_clock=heard.one_clock, rate_sigma=heard.rate_sigma
        )

    job = LocateJob(captures(now, 0), () if before is None else captures(before, 1_000_000), temperature_k)
    return _Inputs(known, job, tuple(dict.fromkeys(notes)))


def _order(site: Site, room: str, heard: Recording) -> tuple[str, ...]:
    """Names of the recording's channels."""
    if heard.sensors is not None:
        return heard.sensors
    everywhere = site.sensors_of(Quantity.ULTRASOUND)
    here = [sensor for sensor in everywhere if site.node(sensor.node).compartment == room]
    for sensors in (here, everywhere):
        if len(sensors) == heard.channels:
            # A table's rows need not come node by node: their names have the row.
            named = sorted(sensors, key=lambda s: int(s.name[1:])) if site.name == "table" else sensors
            return tuple(sensor.name for sensor in named)
    raise ControllerError(
        f"{heard.source} has {heard.channels} channels, but there are {len(here)} microphones",
        remedy="give a row (or a microphone of the site) a channel, in the order of channels",
    )


def _surveys(site: Site, mic_sigma: float | None, hull_sigma: float | None) -> tuple[SurveyErrors, ...]:
    """What is said, or what is tried: also the site's word where that is worse than all of these."""
    tried = list(SURVEYS) if mic_sigma is None else [(mic_sigma, mic_sigma), SURVEYS[0]]
    declared = site.survey.microphone_sigma_m, site.survey.hull_sigma_m
    if mic_sigma is None and declared[0] > SURVEYS[-1][0]:
        tried.append(declared)
    return tuple(SurveyErrors(mic, wall if hull_sigma is None else hull_sigma) for mic, wall in tried)
