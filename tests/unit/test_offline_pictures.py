"""leaksim plot: every picture can be drawn or says why not, and shows what the world says by other ways."""

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from matplotlib import image
from matplotlib.figure import Figure

from firmware_bridge.declared import parse_declared
from firmware_bridge.site.survey import Site
from sim.cli.main import main as leaksim
from sim.plant.opened_plant import OpenedPlant
from sim.plots import spectra
from sim.plots.flat import draw_flat
from sim.plots.furnishing import furnishings, together
from sim.plots.pictures import PICTURES, picture
from sim.plots.pressures import gas_history
from sim.plots.spectra import density
from sim.scenario.scenario import ScenarioTable
from tests.support.shipped import CONFIGS, shipped
from tests.support.sites import parsed, site_tables

SHIPPED = sorted(path.stem for path in (CONFIGS / "scenarios").glob("*.toml"))
LEAK = {"name": "hole", "compartment": "lab", "position_m": [2.0, 0.0, 1.0], "diameter_mm": 1.0, "opens_at_s": 5.0}
CRACK = {"name": "crack", "kind": "crack", "length_mm": 45.0, "width_um": 12.4, "depth_mm": 1.5, "compartment": "lab",
         "position_m": [2.0, 3.0, 1.0], "opens_at_s": 0.0}  # fmt: skip
CONTACTS = {
    "name": "C",
    "uid": "c3",
    "compartment": "lab",
    "sensors": [{"name": "C1", "quantity": "surface_velocity", "channel": 0, "position_m": [1.0, 0.0, 1.0]}],
}


def box(*more: dict[str, Any], nodes: Sequence[str] = ("A", "B")) -> Site:
    """The small site with further nodes, or with some of its own only."""
    tables = site_tables()
    tables["nodes"] = [node for node in tables["nodes"] if node["name"] in nodes] + list(more)
    return parsed(tables)


def short(site: Site, *leaks: dict[str, Any], **more: object) -> ScenarioTable:
    """A scenario of ten seconds in which all nodes of a site are plugged in."""
    tables = {
        "format": 1,
        "name": "short",
        "site": "test-site",
        "duration_s": 10.0,
        "air": {"pressure_hpa": 1000.0, "temperature_c": 20.0, "relative_humidity": 0.5},
        "leaks": list(leaks),
        "links": {node.name: "serial" for node in site.nodes},
        **more,
    }
    return parse_declared(tables, "test", ScenarioTable)


def share_drawn(png: bytes) -> float:
    """Share of the picture that is not white."""
    pixels = image.imread(BytesIO(png))
    assert min(pixels.shape[:2]) > 400
    return float(np.mean(pixels[..., :3].min(axis=2) < 0.95))


def plot(*arguments: str | Path) -> Result:
    return CliRunner().invoke(leaksim, ["plot", *(str(argument) for argument in arguments)])


@pytest.mark.parametrize("what", PICTURES)
def test_a_picture_of_a_leak_in_a_box(what: str) -> None:
    site = box()
    rack = {"name": "rack", "compartment": "lab", "low_m": [1.5, 0.1, 0.2], "high_m": [2.5, 0.4, 1.8]}
    fan = {"name": "fan", "position_m": [3.0, 1.5, 1.0], "level_db_at_20khz": 40.0}
    drawn = picture(what, short(site, LEAK, racks=[rack], machines=[fan]), site, 1)
    assert drawn.png is not None
    assert 0.01 < share_drawn(drawn.png) < 0.9


ARRAYS, NO_ARRAYS, CONTACTS_ONLY = box(), box(nodes=["B"]), box(CONTACTS, nodes=["B"])
LATE = {**LEAK, "opens_at_s": 20.0}


@pytest.mark.parametrize(
    ("what", "site", "leaks", "told", "there"),
    [
        ("pressures", ARRAYS, (), "outflow: the scenario has no leaks", True),
        ("pressures", ARRAYS, (LATE,), "leak 'hole' opens at 20 s, after the scenario's 10 s", True),
        ("spectra", ARRAYS, (), "spectra of a leak: none is open", True),
        ("spectra", NO_ARRAYS, (LEAK,), "no node with fast channels is plugged in (the site has none)", False),
        ("spectra", CONTACTS_ONLY, (LEAK,), "", True),
        ("spectra", ARRAYS, (CRACK,), "drawn of the same world without leaks instead", True),
        ("impulse", ARRAYS, (), "impulse responses: the scenario has no leaks", False),
        ("impulse", NO_ARRAYS, (LEAK,), "no node with microphones", False),
        ("impulse", CONTACTS_ONLY, (LEAK,), "contact sensors feel the hull", False),
        ("impulse", ARRAYS, (CRACK,), "", True),
        ("hull", ARRAYS, (), "leaks on the hull: the scenario has none", True),
        ("hull", CONTACTS_ONLY, (CRACK,), "hull of 'store': the site declares none", True),
    ],
)
def test_what_cannot_be_drawn_is_said(
    what: str, site: Site, leaks: tuple[dict[str, Any], ...], told: str, there: bool
) -> None:
    drawn = picture(what, short(site, *leaks), site, 1)
    assert told in "\n".join(drawn.notes)
    assert (drawn.png is not None) is there
    if drawn.png is not None:
        assert share_drawn(drawn.png) > 0.01


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios_are_drawn(name: str) -> None:
    scenario, site = shipped(name)
    drawn = picture("hull", scenario, site, scenario.seed)
    assert drawn.png is not None
    assert 0.01 < share_drawn(drawn.png) < 0.9


def test_a_density_is_that_of_the_noise() -> None:
    # White noise of 3 units rms at 100 kHz: 9 / 50 kHz. 127 half-overlapping segments scatter by 1.06 / sqrt(64) in a
    # bin, by that over sqrt(500) in the mean of 1000 bins whose neighbours are half alike: 0.6 %; 5 sigmas.
    samples = 3.0 * np.random.default_rng(1).standard_normal((1, 131_072))
    frequency_hz, power = density(samples, 100e3)
    assert frequency_hz[-1] == pytest.approx(50e3)
    assert np.mean(power[0, 10:-10]) == pytest.approx(9.0 / 50e3, rel=0.03)


def test_a_click_arrives_when_sound_can() -> None:
    site = box()
    plant = OpenedPlant(short(site, LEAK), site, 1)
    field, channels = plant.hearing("A")
    response, first_s, ways = field.response("leak hole")
    mine = ways.receiver == channels[0]
    away_m = float(np.linalg.norm(np.array([2.0, 0.0, 1.0]) - 0.5))
    speed_m_s = np.sqrt(1.4 * 287.05 * 293.15)
    assert ways.delay_s[mine].min() == pytest.approx(away_m / speed_m_s, abs=0.001 / speed_m_s)  # moved off the wall
    peak_s = first_s + int(np.argmax(np.abs(response[channels[0]]))) / 192e3
    assert peak_s == pytest.approx(ways.delay_s[mine].min(), abs=1.0 / 192e3)
    with pytest.raises(ValueError, match="no source 'leak other' here; there are leak hole"):
        field.response("leak other")


def test_the_gas_that_is_drawn() -> None:
    site = box()
    scenario = short(site, LEAK)
    history = gas_history(OpenedPlant(scenario, site, 1))
    assert history.times_s[0] == 0.0
    assert history.times_s[-1] == 10.0
    at_s, kg_s = np.array(history.times_s), np.array(history.leak_kg_s["hole"])
    assert not kg_s[at_s < 5.0].any()
    # Choked outflow of air: 0.6847 Cd A p / sqrt(R T); with an orifice of 0.85 and 1 mm
    expected = 0.6847 * 0.85 * np.pi / 4 * 1e-6 * 1e5 / np.sqrt(287.05 * 293.15)
    assert kg_s[-1] == pytest.approx(expected, rel=0.01)  # humid air is lighter by half a per cent
    lab_pa = np.array(history.pressure_pa["lab"])
    assert lab_pa[-1] < lab_pa[0]


def test_plot_writes_files_and_says_what_is_missing(tmp_path: Path) -> None:
    shown = plot("ms09-2018", "--what", "hull", "--out", tmp_path / "places.png", "--seed", "5")
    assert shown.exit_code == 0, shown.output
    assert "hull of 'station': the site declares none" in shown.stderr
    assert share_drawn((tmp_path / "places.png").read_bytes()) > 0.01
    shown = plot("ms09-2018", "--small", "--out", tmp_path / "all", "--json")
    told = json.loads(shown.stdout)
    assert [Path(file).name for file in told["files"]] == [f"{what}.png" for what in PICTURES]
    assert all(Path(file).exists() for file in told["files"])
    assert told["not_drawn"]


def test_plot_refuses_with_a_reason(tmp_path: Path) -> None:
    shown = plot("ms09-2018", "--out", tmp_path / "all.png")
    assert shown.exit_code == 2
    assert "a file holds one picture" in shown.stderr
    shown = plot("ms09-2018", "--what", "moods")
    assert shown.exit_code == 2
    assert "'moods' is not one of" in shown.stderr
    shown = plot("no-such")
    assert shown.exit_code == 2
    assert "known are" in shown.stderr


def test_a_picture_with_nothing_in_it_fails(tmp_path: Path) -> None:
    text = (CONFIGS / "scenarios" / "ms09-2018.toml").read_text(encoding="utf-8")
    start, end = text.index("[[leaks]]"), text.index("[[machines]]")
    path = tmp_path / "quiet.toml"
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    shown = plot(path, "--what", "impulse", "--out", tmp_path)
    assert shown.exit_code == 1
    assert "impulse responses: the scenario has no leaks" in shown.stderr
    assert not (tmp_path / "impulse.png").exists()


def test_an_array_in_a_corner_is_drawn_once() -> None:
    # Its four microphones are nearest to three faces of the box, which lie metres apart when it is unrolled.
    scenario, site = shipped("bench-box")
    room = next(room for room in furnishings(OpenedPlant(scenario, site, 1)) if "R" in room.nodes)
    assert len(room.nodes["R"]) == 4
    axes = Figure().subplots()
    draw_flat(axes, room)
    assert [text.get_text() for text in axes.texts].count("R") == 1
    assert together(room.nodes["R"])
    assert not together(np.array([[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]]))


def test_spectra_say_where_nothing_is_to_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []

    def keep(figure: Figure, plant: OpenedPlant, what: str) -> bytes:
        titles.extend(axes.get_title() for axes in figure.axes)
        return what.encode() + str(plant.seed).encode()

    monkeypatch.setattr(spectra, "finished", keep)
    site = box()
    hair = {**CRACK, "length_mm": 1.0, "width_um": 1.0}
    picture("spectra", short(site, hair), site, 1)
    assert titles
    assert all("nothing to hear" in title for title in titles if "node A" in title)
    titles.clear()
    picture("spectra", short(site, LEAK), site, 1)
    assert not any("nothing to hear" in title for title in titles)
