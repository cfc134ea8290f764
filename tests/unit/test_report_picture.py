"""The picture of a run: a fix is drawn on the hull that it is on, and everything on the hull of its own compartment."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

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


def test_the_close_up_is_on_the_leak_of_the_fix_and_only_tells_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario, site = shipped("two-leaks")
    leaks = true_leaks(scenario)
    heard = [Heard(100.0, Fix(leaks[1].position_m, SPREAD, 0.02, "there", "cylinder"))]
    trace = [PressureSample(float(at_s), 101_325.0) for at_s in range(120)]
    verdict = score(heard, [], leaks, site, siren_expected=False)
    record = RunRecord(scenario, site, 1, None, "cylinder", leaks, heard, trace, verdict, 0.0)
    figures: list[Figure] = []

    def keep(figure: Figure) -> bytes:
        figures.append(figure)
        return as_png(figure)

    monkeypatch.setattr(picture, "as_png", keep)
    picture.draw(record)
    close_up = next(axes for axes in figures[0].axes if axes.get_title().startswith("close-up"))
    assert close_up.get_legend_handles_labels()[1] == ["95 % region", "fix", "truth: second hole"]
    assert close_up.get_xlim()[1] == pytest.approx(100 * picture.CLOSE_UP_RADII * 0.02)
    assert [text.get_text() for text in close_up.texts] == ["first hole: 3.5 m away, not shown"]


def test_the_fall_by_the_leaks_alone_knows_no_weather(monkeypatch: pytest.MonkeyPatch) -> None:
    # 53.9 kg/day are 0.624 g/s; isothermal, air of 294 K (R T = 84.4 kJ/kg) in the joined 921 m3 falls by 0.0572 Pa/s.
    # While the little module drops below the station, and the gas cools, it falls faster, at most by 1.4; hence only
    # the later half of the time, and a tolerance of a quarter.
    scenario, site = shipped()
    leaks = true_leaks(scenario)
    trace = [PressureSample(float(at_s), 99_330.0) for at_s in range(200)]
    verdict = score([], [], leaks, site, siren_expected=False)
    record = RunRecord(scenario, site, 1, None, "orbital-module", leaks, [], trace, verdict, 0.0)
    lines: list[tuple[str, NDArray[np.float64]]] = []

    def keep(figure: Figure) -> bytes:
        lines.extend(
            (str(line.get_label()), np.asarray(line.get_xydata())) for axes in figure.axes for line in axes.get_lines()
        )
        return as_png(figure)

    monkeypatch.setattr(picture, "as_png", keep)
    picture.draw(record)
    alone = next(points for label, points in lines if label == "by the leak alone")
    assert alone[0, 0] == pytest.approx(leaks[0].opens_at_s, abs=1.0)
    assert alone[0, 1] == pytest.approx(993.30, abs=1e-3)
    assert np.all(np.diff(alone[:, 1]) < 1e-6)  # hPa: it only falls
    late = alone[alone[:, 0] > 150.0]
    slope_pa_s = 100.0 * (late[-1, 1] - late[0, 1]) / (late[-1, 0] - late[0, 0])
    assert slope_pa_s == pytest.approx(-0.0572, rel=0.25)
