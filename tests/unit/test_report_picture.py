"""The picture of a run: a fix is drawn on the hull that it is on, and everything on the hull of its own compartment."""

from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.placed import place
from firmware_bridge.site.survey import Site
from sim.heard import Fix, Heard
from sim.plots.style import as_png
from sim.report import picture
from sim.run_record import PressureSample, RunRecord
from sim.scenario.scenario import ScenarioTable
from sim.score import score
from sim.truth import true_leaks
from tests.support.shipped import shipped

SPREAD = ((1e-4, 0.0, 0.0), (0.0, 1e-4, 0.0), (0.0, 0.0, 1e-4))


def two_hulls() -> tuple[ScenarioTable, Site]:
    """The shipped rig; the station beyond the hatch has a hull too, and a landmark on it."""
    scenario, site = shipped()
    beyond = place(BoxHull((3.0, 3.0, 3.0)), (-4.0, -1.5, -1.5), "+x")
    rooms = tuple(replace(room, hull=beyond) if room.name == "station" else room for room in site.compartments)
    far = replace(site.landmarks[0], name="galley", position_m=(-4.0, 0.0, 0.0))
    return scenario, replace(site, compartments=rooms, landmarks=(*site.landmarks, far))


def words_of(monkeypatch: pytest.MonkeyPatch, *fixes: Fix) -> set[str]:
    """Everything that is written into the picture of a run in which the controller said so."""
    scenario, site = two_hulls()
    heard = [Heard(100.0 + row, fix) for row, fix in enumerate(fixes)]
    leaks = true_leaks(scenario)
    verdict = score(heard, [], leaks, site, siren_expected=False)
    trace = [PressureSample(0.0, 99_330.0), PressureSample(120.0, 99_320.0)]
    record = RunRecord(scenario, site, 1, None, "orbital-module", leaks, heard, trace, verdict, 0.0)
    found: set[str] = set()

    def read(figure: Figure) -> bytes:
        for axes in figure.axes:
            found.update({axes.get_title(), *(text.get_text() for text in axes.texts)})
        return as_png(figure)

    monkeypatch.setattr(picture, "as_png", read)
    assert picture.draw(record).startswith(b"\x89PNG")
    return found


def test_what_is_elsewhere_is_not_drawn_here(monkeypatch: pytest.MonkeyPatch) -> None:
    said = words_of(monkeypatch)
    assert {"drilled hole", "toilet panel", "no fix"} <= said
    assert "galley" not in said


def test_a_fix_stands_where_the_leak_is(monkeypatch: pytest.MonkeyPatch) -> None:
    at = shipped()[0].leaks[0].position_m
    said = words_of(monkeypatch, Fix(at, SPREAD, 0.02, "at the panel", "orbital-module"))
    assert "at the panel" in said
    assert not any("last fix" in words for words in said)


def test_a_fix_in_another_compartment_is_told_and_not_drawn_here(monkeypatch: pytest.MonkeyPatch) -> None:
    said = words_of(monkeypatch, Fix((-4.0, 0.0, 0.0), SPREAD, 0.02, "at the galley", "station"))
    assert "orbital-module, unrolled; the last fix is in station" in said
    assert "at the galley" not in said
