"""What the live view shows of a search by hatches and of a quiet window."""

import io
from dataclasses import replace

from rich.console import Console

from controller.dashboard.terminal import render
from controller.pipeline.picture import HatchPicture
from controller.quiet.window import QuietWindow
from tests.support.entries import search_advice
from tests.support.pictures import picture


def shown(**changes: object) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(render(replace(picture(), **changes), (), 10.0))  # type: ignore[arg-type]
    return console.export_text()


def test_the_next_moves_and_why_are_shown() -> None:
    text = shown(isolation=search_advice())
    assert "equalise, then open h1, then shut h2" in text
    assert search_advice().why in text
    assert "lab 50%" in text


def test_quiet_and_hatches_that_somebody_knows_of_are_shown() -> None:
    window = QuietWindow("lab", ("rack",), (), 120.0, 40, 9.0, -6.0, 3.0, enough=True, why="switch off rack for 2 min")
    hatches = (HatchPicture("h1", open=False, source="sensor"), HatchPicture("h2", open=True, source="assumed"))
    text = shown(quiet=window, hatches=hatches)
    assert "switch off rack for 2 min" in text
    assert "h1 shut (sensor)" in text
    assert "h2" not in text
