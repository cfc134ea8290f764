"""The site file: every complaint names file, key and remedy; what is read is easy to ask."""

from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_bridge.declared import MAX_DECLARED_FILE_BYTES, MAX_LISTED_PROBLEMS
from firmware_bridge.errors import DeclaredFileError, SiteError
from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.placed import ROTATIONS, PlacedHull
from firmware_bridge.site.revolution import RevolutionHull
from firmware_bridge.site.sphere import SphereHull
from firmware_bridge.site.survey import OUTSIDE_TOLERANCE_M, load_site
from firmware_bridge.units import Quantity
from tests.support.sites import SOURCE, Tables, parsed, site_tables, small_site

SITES = Path(__file__).parents[2] / "configs" / "sites"


def complaint(spoil: Callable[[Tables], object], kind: type[DeclaredFileError]) -> str:
    tables = site_tables()
    spoil(tables)
    with pytest.raises(kind) as caught:
        parsed(tables)
    assert type(caught.value) is kind
    assert caught.value.what.startswith(SOURCE)
    return str(caught.value)


def test_the_site_is_read_as_declared() -> None:
    site = small_site()
    assert (site.name, site.title) == ("test-site", "test-site")
    assert site.directions.x == ("forward", "aft")
    assert site.compartment("lab").hull == BoxHull((4.0, 3.0, 2.0))
    assert site.compartment("store").hull is None
    node = site.node("A")
    assert (node.uid, node.trigger_line, node.siren) == (0xA1, "wire-1", True)
    assert [sensor.name for sensor in node.sensors] == ["A1", "A2", "A-p", "A-t"]
    assert [sensor.name for sensor in site.sensors_of(Quantity.PRESSURE)] == ["A-p", "B-p"]
    assert site.microphones_m(node).tolist() == [[0.5, 0.5, 0.5], [0.6, 0.5, 0.5]]
    assert site.microphones_m(site.node("B")).size == 0


def test_sensors_come_in_channel_order_however_they_are_listed() -> None:
    tables = site_tables()
    tables["nodes"][0]["sensors"].reverse()
    assert [sensor.channel for sensor in parsed(tables).node("A").sensors] == [0, 1, 2, 3]


def test_a_node_is_found_by_its_uid_whatever_zeros_lead_it() -> None:
    site = small_site()
    assert site.node_with_uid(0xB2) is site.node("B")
    assert site.node_with_uid(0xB3) is None


def test_what_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        small_site().node("Z")
    with pytest.raises(KeyError):
        small_site().compartment("attic")


@pytest.mark.parametrize("path", sorted(SITES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_site_is_sound(path: Path) -> None:
    site = load_site(path)
    assert site.nodes
    assert any(room.hull is not None for room in site.compartments)


def test_a_sensor_outside_its_hull_is_named_with_its_distance() -> None:
    def spoil(tables: Tables) -> None:
        tables["nodes"][0]["sensors"][1]["position_m"] = [4.25, 1.0, 1.0]

    text = complaint(spoil, SiteError)
    assert "nodes[0] (A).sensors 'A2': position_m [4.25, 1.0, 1.0] lies 0.250 m outside the hull of 'lab'" in text
    assert f"allowed {OUTSIDE_TOLERANCE_M} m" in text
    assert "measure it again or mend the hull" in text


def test_a_sensor_mounted_on_the_wall_may_be_off_by_the_surveys_error() -> None:
    tables = site_tables()
    tables["nodes"][0]["sensors"][1]["position_m"] = [4.0 + OUTSIDE_TOLERANCE_M * 0.9, 1.0, 1.0]
    assert parsed(tables).name == "test-site"


@pytest.mark.parametrize(
    ("spoil", "key", "name"),
    [
        (lambda t: t["compartments"][1].update(name="lab"), "compartments[].name", "lab"),
        (lambda t: t["hatches"][1].update(name="h1"), "hatches[].name", "h1"),
        (lambda t: t["nodes"][1].update(name="A"), "nodes[].name", "A"),
        (lambda t: t["nodes"][1].update(uid="00a1"), "nodes[].uid", "a1"),
        (lambda t: t["nodes"][1]["sensors"][0].update(name="A1"), "nodes[].sensors[].name", "A1"),
        (lambda t: t["nodes"][0]["sensors"][3].update(channel=2), "nodes[0] (A).sensors[].channel", "2"),
        (lambda t: t["landmarks"][1].update(name="toilet panel"), "landmarks[].name", "toilet panel"),
    ],
)
def test_what_is_used_twice_is_named(spoil: Callable[[Tables], object], key: str, name: str) -> None:
    assert f"{key} '{name}' is used 2 times; each must be unique" in complaint(spoil, SiteError)


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        (lambda t: t["nodes"][1].update(compartment="attic"), "nodes[1].compartment"),
        (lambda t: t["hatches"][1].update(between=["store", "attic"]), "hatches[1].between"),
    ],
)
def test_an_unknown_compartment_is_named_with_the_known_ones(spoil: Callable[[Tables], object], key: str) -> None:
    assert f"{key}: no compartment 'attic'; known are far, lab, store" in complaint(spoil, SiteError)


def test_a_microphone_without_a_position_is_named() -> None:
    text = complaint(lambda tables: tables["nodes"][0]["sensors"][0].pop("position_m"), SiteError)
    assert "nodes[0] (A).sensors: microphone 'A1' has no position_m; localization needs it" in text


def test_microphones_need_a_hull() -> None:
    text = complaint(lambda tables: tables["compartments"][0].pop("hull"), SiteError)
    assert "nodes[0] (A): has microphones, but compartment 'lab' has no hull" in text


def test_all_contradictions_are_listed_at_once() -> None:
    def spoil(tables: Tables) -> None:
        tables["nodes"][1].update(name="A", compartment="attic")
        tables["nodes"][0]["sensors"][0].pop("position_m")

    text = complaint(spoil, SiteError)
    assert all(part in text for part in ("is used 2 times", "no compartment 'attic'", "has no position_m"))


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (
            lambda t: t["compartments"][0]["hull"].update(size_m=[4.0, 0.01, 2.0]),
            ("compartments[0].hull.size_m[1]", "greater than or equal to 0.05", "found 0.01"),
        ),
        (
            lambda t: t["compartments"][1].update(volume_m3=2e5),
            ("compartments[1].volume_m3", "less than or equal to 100000", "found 200000.0"),
        ),
        (
            lambda t: t["nodes"][0]["sensors"][0].update(channel=32),
            ("nodes[0].sensors[0].channel", "less than 32", "found 32"),
        ),
        (
            lambda t: t["nodes"][0].update(uid="0xA1"),
            ("nodes[0].uid", "should match pattern", "found '0xA1'"),
        ),
        (lambda t: t.update(format=2), ("format", "should be 1", "found 2")),
        (lambda t: t["nodes"][0].update(siren="yes"), ("nodes[0].siren", "valid boolean", "found 'yes'")),
        (lambda t: t["hatches"][0].update(normally="ajar"), ("hatches[0].normally", "'open' or 'closed'", "'ajar'")),
        (lambda t: t.update(air={"temperature_c": float("nan")}), ("air.temperature_c", "finite number", "found nan")),
        (lambda t: t["nodes"][0].update(colour="red"), ("nodes[0].colour", "unknown key", "check its spelling")),
        (lambda t: t["nodes"][0].pop("uid"), ("nodes[0].uid", "missing, but required")),
        (lambda t: t["compartments"][0]["hull"].update(shape="egg"), ("compartments[0].hull", "'cylinder', 'box'")),
    ],
)
def test_what_breaks_the_form_is_named_by_file_key_and_range(
    spoil: Callable[[Tables], object], parts: tuple[str, ...]
) -> None:
    text = complaint(spoil, DeclaredFileError)
    assert [part for part in parts if part not in text] == [], text


def test_whole_numbers_are_good_lengths() -> None:
    tables = site_tables()
    tables["compartments"][0]["hull"] = {"shape": "cylinder", "radius_m": 2, "length_m": 5}
    del tables["nodes"][1]["sensors"][0]["position_m"]
    assert parsed(tables).compartment("lab").hull == CylinderHull(2, 5)


def with_hull(**hull: object) -> Tables:
    """The tables with another hull for the lab, and no sensor placed but the two microphones at 0.5 m."""
    tables = site_tables()
    tables["compartments"][0].update(hull=hull, volume_m3=1.0)
    del tables["nodes"][1]["sensors"][0]["position_m"]
    return tables


def test_every_shape_can_be_declared_and_placed() -> None:
    sphere = parsed(with_hull(shape="sphere", radius_m=1.5)).compartment("lab").hull
    assert sphere == SphereHull(1.5)
    placed = with_hull(shape="revolution", profile_m=[[0, 0], [1, 2], [3, 2]], axis="-z", origin_m=[0, 0, 2])
    assert parsed(placed).compartment("lab").hull == PlacedHull(
        RevolutionHull(((0, 0), (1, 2), (3, 2))), (0, 0, 2), ROTATIONS["-z"]
    )


def test_sensors_are_held_against_the_hull_where_it_stands() -> None:
    """The lab's 4 m box turned to lie along +y reaches from x = -3 m to 0: both microphones are 0.5 m outside."""
    tables = with_hull(shape="box", size_m=[4.0, 3.0, 2.0], axis="+y")
    with pytest.raises(SiteError) as caught:
        parsed(tables)
    assert "sensors 'A1': position_m [0.5, 0.5, 0.5] lies 0.500 m outside the hull of 'lab'" in str(caught.value)
    tables["compartments"][0]["hull"]["origin_m"] = [3.0, 0.0, 0.0]
    assert parsed(tables).name == "test-site"


@pytest.mark.parametrize(
    ("hull", "parts"),
    [
        (
            {"shape": "revolution", "profile_m": [[0.0, 1.0], [1.0, 0.5], [2.0, 1.0]]},
            ("compartments[0].hull.profile_m: the profile is dented", "point 1 (1, 0.5) lies 0.500 m below"),
        ),
        ({"shape": "revolution", "profile_m": [[0.0, 1.0]]}, ("compartments[0].hull.profile_m", "at least 2 items")),
        (
            {"shape": "revolution", "profile_m": [[0.0, 1.0], [1.0, -1.0]]},
            ("compartments[0].hull.profile_m[1][1]", "greater than or equal to 0", "found -1.0"),
        ),
        ({"shape": "sphere", "radius_m": 51.0}, ("compartments[0].hull.radius_m", "less than or equal to 50")),
        ({"shape": "sphere", "radius_m": 1.0, "axis": "x"}, ("compartments[0].hull.axis", "'+x'", "found 'x'")),
        (
            {"shape": "sphere", "radius_m": 1.0, "origin_m": [0.0, 2000.0, 0.0]},
            ("compartments[0].hull.origin_m[1]", "less than or equal to 1000"),
        ),
    ],
)
def test_what_is_wrong_with_a_shape_is_named(hull: dict[str, object], parts: tuple[str, ...]) -> None:
    with pytest.raises(DeclaredFileError) as caught:
        parsed(with_hull(**hull))
    assert [part for part in parts if part not in str(caught.value)] == [], str(caught.value)


@pytest.mark.parametrize(
    ("origin_m", "overlap"),
    [
        ([0.0, 0.0, 0.0], True),  # the very same place: no wall is inside the other
        ([0.0, 0.0, 1.9], True),
        ([0.0, 0.0, 1.97], False),  # three centimetres of survey error
        ([0.0, 0.0, 2.0], False),  # wall to wall
        ([4.0, 3.0, 0.0], False),
        ([3.9, 2.9, 1.9], True),
    ],
)
def test_hulls_that_stand_in_each_other_are_named(origin_m: list[float], overlap: bool) -> None:
    tables = site_tables()
    tables["compartments"][2]["hull"] = {"shape": "box", "size_m": [4.0, 3.0, 2.0], "origin_m": origin_m}
    if overlap:
        with pytest.raises(SiteError, match=r"compartments\[0\] \(lab\)\.hull: stands in that of 'far'; .*origin_m"):
            parsed(tables)
    else:
        parsed(tables)


def test_one_hull_within_another_is_named() -> None:
    tables = site_tables()
    tables["compartments"][2].update(hull={"shape": "sphere", "radius_m": 0.3, "origin_m": [2, 1, 1]}, volume_m3=0.1)
    with pytest.raises(SiteError, match="stands in that of 'far'"):
        parsed(tables)


def test_air_that_does_not_fit_into_the_hull_is_named() -> None:
    text = complaint(lambda tables: tables["compartments"][0].update(volume_m3=26.0), SiteError)
    assert "compartments[0] (lab).volume_m3: 26 m³ of air do not fit into a hull of 24 m³" in text
    tables = site_tables()
    tables["compartments"][0]["volume_m3"] = 24.0 * 1.04  # a rounded figure
    assert parsed(tables).compartment("lab").volume_m3 == 24.96


def test_a_hull_given_in_millimetres_is_named() -> None:
    text = complaint(lambda t: t["compartments"][0]["hull"].update(size_m=[40.0, 30.0, 20.0]), SiteError)
    assert "compartments[0] (lab).hull: more than 1000 m² of wall; check the unit" in text


def test_a_flood_of_problems_is_cut() -> None:
    def spoil(tables: Tables) -> None:
        tables.update({f"key{number}": 1 for number in range(MAX_LISTED_PROBLEMS + 5)})

    assert "... and 5 more" in complaint(spoil, DeclaredFileError)


def unreadable(path: Path) -> DeclaredFileError:
    with pytest.raises(DeclaredFileError) as caught:
        load_site(path)
    assert str(path) in caught.value.what
    return caught.value


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "No such file" in unreadable(tmp_path / "nowhere.toml").remedy


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "no ordinary file" in unreadable(tmp_path).what


def test_what_is_not_toml_is_told_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text("format = 1\nname = = 1\n", encoding="utf-8")
    assert "line 2" in unreadable(path).remedy


def test_what_is_not_text_is_no_toml(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in unreadable(path).remedy


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(b"#" * (MAX_DECLARED_FILE_BYTES + 1))
    assert f"larger than {MAX_DECLARED_FILE_BYTES} bytes" in unreadable(path).what


def test_the_air_of_rooms_behind_open_hatches_counts_as_one() -> None:
    site = small_site()
    assert site.connected_volume_m3("lab") == 34.0  # h1 stands open, h2 closed
    assert site.connected_volume_m3("far") == 5.0
    assert site.connected_volume_m3("lab", site.hatches) == 39.0
    assert site.connected_volume_m3("far", site.hatches) == 39.0
    assert site.connected_volume_m3("lab", []) == 24.0
    assert site.connected_volume_m3("store", [site.hatches[1]]) == 15.0
