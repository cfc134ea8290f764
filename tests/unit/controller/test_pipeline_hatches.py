"""How hatches stand is found out in one place: what pressure takes for one volume is what the picture shows."""

import pytest

from controller.pipeline.events import Event, HatchMoved
from controller.pipeline.pipeline import Pipeline, Settings
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.units import Quantity, s_to_ns
from tests.support.pressing import scalars
from tests.unit.controller.test_isolation_watch import line_site

JOINED = {frozenset({"left", "mid", "right"})}
PARTED = {frozenset({"left"}), frozenset({"mid", "right"})}


def sensed(at_s: float, share: float) -> ScalarBlock:
    return scalars(at_s, share, quantity=Quantity.HATCH, node="N-left", sensor="H-1")


def volumes(*events: tuple[float, Event]) -> set[frozenset[str]]:
    """What is one volume of gas after these events; hatch h1 has a sensor."""
    pipeline = Pipeline(line_site(), "mid", Settings())
    found: set[frozenset[str]] = set()
    for at_s, event in events:
        picture = pipeline.step(s_to_ns(at_s), [event]).picture
        shown_open = {hatch.hatch: hatch.open for hatch in picture.hatches}
        found = set(pipeline._pressure._volumes)
        assert found == (JOINED if shown_open["h1"] else PARTED)
    return found


def test_a_person_parts_volumes_where_no_sensor_speaks() -> None:
    assert volumes((1.0, HatchMoved("h1", open=False))) == PARTED
    assert volumes((1.0, HatchMoved("h1", open=False)), (2.0, HatchMoved("h1", open=True))) == JOINED
    assert volumes((1.0, HatchMoved("attic", open=False))) == JOINED


def test_a_sensor_that_speaks_is_believed_against_people() -> None:
    assert volumes((1.0, sensed(1.0, 1.0)), (2.0, HatchMoved("h1", open=False))) == JOINED
    assert volumes((1.0, sensed(1.0, 0.0)), (2.0, HatchMoved("h1", open=True))) == PARTED
    assert volumes((1.0, sensed(1.0, 1.0)), (70.0, HatchMoved("h1", open=False))) == PARTED  # silent for a minute


@pytest.mark.parametrize(("share", "stands"), [(0.01, PARTED), (0.03, PARTED), (0.06, JOINED), (0.4, JOINED)])
def test_a_hatch_that_is_ajar_joins_what_it_parted(share: float, stands: set[frozenset[str]]) -> None:
    assert volumes((1.0, sensed(1.0, 0.0)), (2.0, sensed(2.0, share))) == stands


@pytest.mark.parametrize("share", [0.03, 0.4])
def test_a_hatch_that_is_not_yet_shut_still_joins(share: float) -> None:
    assert volumes((1.0, sensed(1.0, 1.0)), (2.0, sensed(2.0, share))) == JOINED
