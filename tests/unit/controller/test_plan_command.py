"""leakctl plan: what is told, what is refused, and that every shipped site can be planned."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from controller.cli.main import main as leakctl
from tests.support.shipped import CONFIGS

SITES = sorted((CONFIGS / "sites").glob("*.toml"))
SOYUZ = CONFIGS / "sites" / "soyuz-orbital-module.toml"
QUICK = ("--places", "4", "--spacing-cm", "40")


def invoke(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(leakctl, ["plan", str(site), *arguments])


@pytest.mark.parametrize("site", SITES, ids=lambda path: path.stem)
def test_every_shipped_site_can_be_planned(site: Path) -> None:
    shown = invoke(site, "--places", "2", "--spacing-cm", "60")
    assert shown.exit_code == 0, (shown.output, shown.exception)
    assert "expected 95 % radius" in shown.output
    assert "one node fewer" in shown.output


def test_json_holds_summary_map_and_nodes() -> None:
    shown = invoke(SOYUZ, "--json", *QUICK)
    assert shown.exit_code == 0, (shown.output, shown.exception)
    told = json.loads(shown.stdout)
    grid = told["grid"]
    count = len(grid["position_m"])
    assert all(len(grid[key]) == count for key in ("radius95_m", "standing", "blind", "rival_sigmas"))
    summary = told["summary"]
    within = [
        r is not None and b == "not" and r <= 0.10 for r, b in zip(grid["radius95_m"], grid["blind"], strict=True)
    ]
    assert summary["share_within_10cm"] == pytest.approx(sum(within) / count)
    assert 0.0 < summary["median_m"] <= summary["p90_m"]
    assert told["worst"]["radius95_m"] == pytest.approx(max(grid["radius95_m"]), abs=1e-5)
    assert len(told["worst"]["position_m"]) == 3
    assert 1 <= len(told["additions"]) <= 3
    best = told["additions"][0]
    assert best["line"] == "line wire-1"
    assert best["wired"]["median_m"] < told["compared"]["median_m"]
    assert best["where"]
    assert [wiring["nodes"] for wiring in told["wirings"]] == [["D"]]
    assert {loss["node"] for loss in told["losses"]} == {"A", "B", "C", "D"}
    assert told["losses"][-1]["node"] == "D"  # it stands alone: least missed


def test_noise_makes_blind_spots_that_are_told_by_landmark() -> None:
    shown = invoke(SOYUZ, "--noise-db", "92", *QUICK)
    assert shown.exit_code == 0
    assert "too quiet there" in shown.output
    assert " of the " in shown.output.split("blind spots:")[1]


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "plan.png"
    shown = invoke(SOYUZ, "--noise-db", "88", "--plot", str(picture), *QUICK)
    assert shown.exit_code == 0, (shown.output, shown.exception)
    assert picture.read_bytes().startswith(b"\x89PNG")
    refused = invoke(SOYUZ, "--plot", str(tmp_path / "plan.nothing"), *QUICK)
    assert refused.exit_code == 2
    assert "choose a .png" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--compartment", "attic"), "known are orbital-module, station"),
        (("--compartment", "station"), "has no hull"),
        (("--diameter-mm", "0"), "--diameter-mm"),
        (("--spacing-cm", "0"), "--spacing-cm"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], said: str) -> None:
    shown = invoke(SOYUZ, *arguments)
    assert shown.exit_code == 2
    assert said in shown.stderr


def test_sites_without_microphones_or_with_several_rooms(tmp_path: Path) -> None:
    head = 'format = 1\nname = "s"\n'
    hull = '{{ shape = "sphere", radius_m = 1.0, origin_m = [{1}, 0.0, 0.0] }}'
    room = '[[compartments]]\nname = "{0}"\nvolume_m3 = 1.0\nhull = ' + hull + "\n"
    deaf = tmp_path / "deaf.toml"
    deaf.write_text(head + room.format("a", 0.0) + '[[nodes]]\nname = "P"\nuid = "1"\ncompartment = "a"\n')
    shown = invoke(deaf)
    assert shown.exit_code == 2
    assert "add a node with ultrasound sensors" in shown.stderr
    assert "has no microphones" in invoke(deaf, "--compartment", "a").stderr
    places = ("[{0}, 0, 0]", "[{0}, 0.1, 0]", "[{0}, 0, 0.1]", "[{0}, -0.1, 0.1]")
    nodes = ""
    for i, (name, x) in enumerate((("a", 0.1), ("b", 5.1)), start=1):
        nodes += f'[[nodes]]\nname = "N{i}"\nuid = "{i}"\ncompartment = "{name}"\nsensors = [\n'
        nodes += "".join(
            f'{{ name = "m{i}{k}", quantity = "ultrasound", channel = {k}, position_m = {place.format(x)} }},\n'
            for k, place in enumerate(places)
        )
        nodes += "]\n"
    two = tmp_path / "two.toml"
    two.write_text(head + room.format("a", 0.0) + room.format("b", 5.0) + nodes)
    assert "choose --compartment of a, b" in invoke(two).stderr
    shown = invoke(two, "--compartment", "b", *QUICK)
    assert shown.exit_code == 0, (shown.output, shown.exception)
    assert "(" in shown.output  # places by coordinates, for want of landmarks
