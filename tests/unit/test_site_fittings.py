"""Contact sensors, hatch sensors, gas sensors and relays in the site file: how they are read, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from firmware_bridge.errors import DeclaredFileError, SiteError
from firmware_bridge.site.fittings import CONTACT_TOLERANCE_M, QUANTITY_OF, Equipment
from firmware_bridge.site.schema import SensorTable
from firmware_bridge.units import Quantity
from tests.support.sites import Tables, parsed, site_tables


def sensor(name: str, quantity: str, channel: int, **more: Any) -> Tables:
    return {"name": name, "quantity": quantity, "channel": channel, **more}


def fitted() -> Tables:
    """The small site; node B has one of everything that is new, node A two relays."""
    tables = site_tables()
    tables["nodes"][1]["sensors"] += [
        sensor("B-c1", "surface_velocity", 1, position_m=[0.0, 1.0, 1.0]),
        sensor("B-c2", "surface_velocity", 2, position_m=[0.0, 1.5, 1.0]),
        sensor("B-n2", "nitrogen", 3),
        sensor("B-o2", "oxygen", 4),
        sensor("B-co2", "carbon_dioxide", 5),
        sensor("B-h2o", "water", 6),
        sensor("B-h1", "hatch", 7, hatch="h1"),
    ]
    tables["nodes"][0]["switches"] = [{"name": "fan-2", "output": 3}, {"name": "fan-1", "output": 0}]
    return tables


def complaint(spoil: Callable[[Tables], object], kind: type[DeclaredFileError] = SiteError) -> str:
    tables = fitted()
    spoil(tables)
    with pytest.raises(kind) as caught:
        parsed(tables)
    return str(caught.value)


def test_each_quantity_of_the_file_is_one_of_the_wires() -> None:
    """Every quantity has one name in the file, and each name of the file is known."""
    assert sorted(QUANTITY_OF.values()) == [quantity for quantity in Quantity if quantity is not Quantity.OTHER]
    literal = SensorTable.model_json_schema()["properties"]["quantity"]["enum"]
    assert set(literal) == set(QUANTITY_OF)


def test_what_is_fitted_is_read_as_declared() -> None:
    site = parsed(fitted())
    node = site.node("B")
    assert [s.quantity for s in node.sensors[1:]] == [
        Quantity.SURFACE_VELOCITY,
        Quantity.SURFACE_VELOCITY,
        Quantity.PP_NITROGEN,
        Quantity.PP_OXYGEN,
        Quantity.PP_CARBON_DIOXIDE,
        Quantity.PP_WATER,
        Quantity.HATCH,
    ]
    assert [s.hatch for s in node.sensors] == [None] * 7 + ["h1"]
    assert node.switches == ()
    assert site.node("A").switches == (Equipment("fan-1", "A", 0), Equipment("fan-2", "A", 3))
    assert site.microphones_m(node).size == 0


def test_a_hatch_has_half_a_square_metre_unless_told_otherwise() -> None:
    tables = fitted()
    tables["hatches"][1]["area_m2"] = 0.0007
    assert [hatch.area_m2 for hatch in parsed(tables).hatches] == [0.5, 0.0007]


@pytest.mark.parametrize("area_m2", [0.00009, 10.1])
def test_no_hatch_is_smaller_than_a_valve_or_larger_than_a_door(area_m2: float) -> None:
    text = complaint(lambda tables: tables["hatches"][0].update(area_m2=area_m2), DeclaredFileError)
    assert "hatches[0].area_m2" in text
    assert f"found {area_m2}" in text


@pytest.mark.parametrize("off_m", [-0.9 * CONTACT_TOLERANCE_M, 0.9 * CONTACT_TOLERANCE_M])
def test_a_contact_sensor_sits_on_either_face_of_the_wall(off_m: float) -> None:
    tables = fitted()
    tables["nodes"][1]["sensors"][1]["position_m"] = [-off_m, 1.0, 1.0]
    assert parsed(tables).node("B").sensors[1].position_m == (-off_m, 1.0, 1.0)


@pytest.mark.parametrize("x_m", [-0.2, 0.2])
def test_a_contact_sensor_in_mid_air_is_named_with_its_distance(x_m: float) -> None:
    text = complaint(lambda tables: tables["nodes"][1]["sensors"][1].update(position_m=[x_m, 1.0, 1.0]))
    assert f"nodes[1] (B).sensors 'B-c1': position_m [{x_m}, 1.0, 1.0] lies 0.200 m off the hull of 'lab'" in text
    assert text.count("B-c1") == 1  # one fault, told once


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (
            lambda t: t["nodes"][1]["sensors"][1].pop("position_m"),
            "nodes[1] (B).sensors: contact sensor 'B-c1' has no position_m; localization needs it",
        ),
        (
            lambda t: t["nodes"][1]["sensors"][2].update(position_m=[0.0, 1.001, 1.0]),
            "nodes[1] (B).sensors: contact sensors 'B-c1' and 'B-c2' sit at the same place",
        ),
        (
            lambda t: t["nodes"][1].update(compartment="store"),
            "nodes[1] (B): has contact sensors, but compartment 'store' has no hull",
        ),
        (
            lambda t: t["nodes"][1]["sensors"][7].pop("hatch"),
            "nodes[1] (B).sensors 'B-h1': says how a hatch stands, but not which; add `hatch`",
        ),
        (
            lambda t: t["nodes"][1]["sensors"][7].update(hatch="h9"),
            "nodes[1] (B).sensors 'B-h1': no hatch 'h9'; known are h1, h2",
        ),
        (
            lambda t: t.update(hatches=[]),
            "nodes[1] (B).sensors 'B-h1': no hatch 'h1'; known are none",
        ),
        (
            lambda t: t["nodes"][1]["sensors"][4].update(hatch="h1"),
            "nodes[1] (B).sensors 'B-o2': names a hatch, but measures oxygen; leave `hatch` out",
        ),
        (
            lambda t: t["nodes"][1].update(switches=[{"name": "fan-1", "output": 7}]),
            "nodes[].switches[].name 'fan-1' is used 2 times; each must be unique",
        ),
        (
            lambda t: t["nodes"][0]["switches"][0].update(output=0),
            "nodes[0] (A).switches[].output '0' is used 2 times; each must be unique",
        ),
    ],
)
def test_what_contradicts_itself_is_named_with_its_remedy(spoil: Callable[[Tables], object], part: str) -> None:
    assert part in complaint(spoil)


def test_an_output_is_a_byte() -> None:
    text = complaint(lambda tables: tables["nodes"][0]["switches"][0].update(output=256), DeclaredFileError)
    assert "nodes[0].switches[0].output" in text
    assert "found 256" in text


def test_a_contact_sensor_in_an_unknown_compartment_is_told_as_just_that() -> None:
    text = complaint(lambda tables: tables["nodes"][1].update(compartment="attic"))
    assert "no compartment 'attic'" in text
    assert "contact" not in text
