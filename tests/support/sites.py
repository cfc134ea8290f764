"""A small site for tests: one box, two nodes, and tables to be spoilt."""

import copy
from typing import Any

from firmware_bridge.declared import parse_declared
from firmware_bridge.site.schema import SiteTable
from firmware_bridge.site.survey import Site, build_site
from firmware_bridge.units import Quantity
from firmware_bridge.wire.reports import Channel

SOURCE = "test-site.toml"
Tables = dict[str, Any]

_TABLES: Tables = {
    "format": 1,
    "name": "test-site",
    "frame": {"x": ["forward", "aft"], "y": ["port", "starboard"], "z": ["below", "above"]},
    "compartments": [
        {"name": "lab", "volume_m3": 24.0, "hull": {"shape": "box", "size_m": [4.0, 3.0, 2.0]}},
        {"name": "store", "volume_m3": 10.0},
        {"name": "far", "volume_m3": 5.0},
    ],
    "hatches": [
        {"name": "h1", "between": ["lab", "store"], "normally": "open"},
        {"name": "h2", "between": ["store", "far"], "normally": "closed"},
    ],
    "nodes": [
        {
            "name": "A",
            "uid": "a1",
            "compartment": "lab",
            "trigger_line": "wire-1",
            "siren": True,
            "sensors": [
                {"name": "A1", "quantity": "ultrasound", "channel": 0, "position_m": [0.5, 0.5, 0.5]},
                {
                    "name": "A2",
                    "quantity": "ultrasound",
                    "channel": 1,
                    "position_m": [0.6, 0.5, 0.5],
                    "gain": 2.0,
                    "offset": 0.25,
                },
                {"name": "A-p", "quantity": "pressure", "channel": 2, "gain": 1.5, "offset": -10.0},
                {"name": "A-t", "quantity": "temperature", "channel": 3},
            ],
        },
        {
            "name": "B",
            "uid": "00b2",
            "compartment": "lab",
            "sensors": [{"name": "B-p", "quantity": "pressure", "channel": 0, "position_m": [3.9, 2.9, 1.9]}],
        },
    ],
    "landmarks": [
        {"name": "toilet panel", "position_m": [1.0, 1.0, 0.0]},
        {"name": "window", "position_m": [4.0, 1.5, 1.0]},
    ],
}

A_CHANNELS = (
    Channel(Quantity.ULTRASOUND, 0.001, 0.0),
    Channel(Quantity.ULTRASOUND, 0.001, 0.5),
    Channel(Quantity.PRESSURE, 0.25, 100_000.0),
    Channel(Quantity.TEMPERATURE, 0.01, 273.15),
)
B_CHANNELS = (Channel(Quantity.PRESSURE, 0.25, 100_000.0),)


def site_tables() -> Tables:
    """A fresh copy to spoil."""
    return copy.deepcopy(_TABLES)


def parsed(tables: Tables) -> Site:
    """The site that `tables` declare, through every check that a file goes through."""
    return build_site(parse_declared(tables, SOURCE, SiteTable), SOURCE)


def small_site() -> Site:
    """The site of the tables as they are."""
    return parsed(site_tables())
