"""docs/sessions.md against the code."""

from pathlib import Path

from firmware_bridge.session.states import diagram

TEXT = (Path(__file__).parents[2] / "docs" / "sessions.md").read_text(encoding="utf-8")


def test_the_diagram_is_made_from_the_table() -> None:
    assert diagram() in TEXT
