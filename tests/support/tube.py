"""A tube with a leak and contact sensors on it, and an annex beside it: what tests of the structure need."""

from typing import Any

from firmware_bridge.site.schema import SiteTable
from firmware_bridge.site.survey import Site, build_site
from sim.scenario.leaks import HoleTable
from sim.scenario.nodes import ContactsTable
from sim.scenario.scenario import ScenarioTable
from sim.scenario.structure import StructureTable

RADIUS_M, LENGTH_M = 1.1, 6.0
RATE_HZ = 192e3
OPENS_AT_S = 10.0
TIME_S = 12.0  # long after the opening
LEAK_M = (2.0, RADIUS_M, 0.0)
NEAR_M, FAR_M = (2.5, RADIUS_M, 0.0), (3.7, RADIUS_M, 0.0)
# one way only: no tail, no turn about the axis, nothing over the ends; and no damping that would favour low notes
BARE = StructureTable(reverberation=0.0, wraps=0, edge_loss_db=60.0, loss_db_m=0.0)
LEAK = HoleTable(name="hole", compartment="tube", position_m=LEAK_M, diameter_mm=2.0, opens_at_s=OPENS_AT_S)


def contact(name: str, channel: int, position_m: tuple[float, float, float]) -> dict[str, Any]:
    return {"name": name, "quantity": "surface_velocity", "channel": channel, "position_m": position_m}


def microphone(name: str, channel: int, position_m: tuple[float, float, float]) -> dict[str, Any]:
    return {"name": name, "quantity": "ultrasound", "channel": channel, "position_m": position_m}


def node(name: str, uid: str, room: str, *sensors: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "uid": uid, "compartment": room, "sensors": sensors}


SKIN = node("skin", "c1", "tube", contact("near", 0, NEAR_M), contact("far", 1, FAR_M))
BOTH = node(
    "both", "b1", "tube",
    contact("b-skin", 0, (2.0, 0.0, RADIUS_M)),
    microphone("b-air-1", 1, (2.0, 0.2, 0.0)),
    microphone("b-air-2", 2, (2.0, 0.0, 0.3)),
)  # fmt: skip
ELSEWHERE = node("elsewhere", "e1", "annex", contact("annex-skin", 0, (12.5, RADIUS_M, 0.0)))


def site(*nodes: dict[str, Any]) -> Site:
    hull = {"shape": "cylinder", "radius_m": RADIUS_M, "length_m": LENGTH_M}
    rooms = tuple(
        {"name": name, "volume_m3": 22.8, "hull": {**hull, "origin_m": (from_m, 0.0, 0.0)}}
        for name, from_m in (("tube", 0.0), ("annex", 10.0))
    )
    table = {
        "format": 1, "name": "test", "frame": {"x": ("fore", "aft"), "y": ("port", "starboard"), "z": ("up", "down")},
        "air": {"temperature_c": 22.0, "pressure_hpa": 1013.25}, "compartments": rooms, "nodes": nodes,
    }  # fmt: skip
    return build_site(SiteTable.model_validate(table), "test")


def scenario(**changes: Any) -> ScenarioTable:
    table: dict[str, Any] = {
        "format": 1, "name": "test", "site": "test", "seed": 7, "duration_s": 100.0, "links": {},
        "air": {"pressure_hpa": 1013.25, "temperature_c": 22.0, "relative_humidity": 0.4},
    }  # fmt: skip
    usual = {"structure": BARE, "leaks": (LEAK,), "contacts": ContactsTable(burst_rate_khz=RATE_HZ / 1e3)}
    return ScenarioTable.model_validate(table).model_copy(update={**usual, **changes})
