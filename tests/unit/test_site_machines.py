"""Noisy equipment, motors of hatches and lifeboats in the site file: how they are read, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from firmware_bridge.errors import SiteError
from firmware_bridge.site.fittings import Equipment
from firmware_bridge.site.machines import Machine
from tests.support.sites import Tables, parsed, site_tables


def fitted() -> Tables:
    """The small site with a rack, a fan, a motor for one hatch and a lifeboat."""
    tables = site_tables()
    tables["nodes"][0]["switches"] = [{"name": "rack-relay", "output": 0}, {"name": "h1-motor", "output": 1}]
    tables["hatches"][0]["motor"] = "h1-motor"
    tables["compartments"][0]["lifeboat_seats"] = 3
    rack: dict[str, Any] = {"name": "rack", "compartment": "lab", "position_m": [1.0, 1.0, 1.0], "noise_db": 58.0}
    rack |= {"may_switch_off": True, "may_command": True, "switch": "rack-relay"}
    tables["equipment"] = [rack, {"name": "fan", "compartment": "store"}]
    return tables


def test_what_is_declared_is_read() -> None:
    site = parsed(fitted())
    relay = Equipment("rack-relay", "A", 0)
    assert site.machines == (
        Machine("rack", "lab", (1.0, 1.0, 1.0), 58.0, True, True, relay),
        Machine("fan", "store", None, None, False, False, None),
    )
    assert site.hatches[0].motor == Equipment("h1-motor", "A", 1)
    assert site.hatches[1].motor is None
    assert [room.lifeboat_seats for room in site.compartments] == [3, 0, 0]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda t: t["equipment"][1].update(name="rack"), "'rack' is used 2 times"),
        (lambda t: t["equipment"][1].update(compartment="attic"), "no compartment 'attic'"),
        (lambda t: t["equipment"][0].update(switch="nothing"), "no node has a switch 'nothing'"),
        (lambda t: t["equipment"][0].pop("switch"), "no `switch` to do it with"),
        (lambda t: t["equipment"][0].pop("may_switch_off"), "may_command without may_switch_off"),
        (lambda t: t["hatches"][0].update(motor="nothing"), "hatches[].motor: no node has a switch 'nothing'"),
        (lambda t: t["hatches"][1].update(motor="h1-motor"), "moves 2 hatches"),
        (lambda t: t["equipment"][0].update(switch="h1-motor"), "one relay cannot be both"),
    ],
)
def test_contradictions_are_told(spoil: Callable[[Tables], object], told: str) -> None:
    tables = fitted()
    spoil(tables)
    with pytest.raises(SiteError) as caught:
        parsed(tables)
    assert told in str(caught.value)
