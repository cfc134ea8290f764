"""docs/alarms.md shows the alarm table as it is."""

from pathlib import Path

from controller.alarm.machine import TRANSITIONS
from controller.alarm.policy import Settings

DOCUMENT = (Path(__file__).parents[3] / "docs" / "alarms.md").read_text(encoding="utf-8")


def test_the_diagram_is_made_from_the_table() -> None:
    arrows = [f"    {before} --> {after}: {trigger}" for (before, trigger), after in TRANSITIONS.items()]
    diagram = "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> normal", *arrows, "```"])
    shown = DOCUMENT.partition("<!-- from TRANSITIONS -->\n")[2].partition("\n<!-- end -->")[0]
    assert shown == diagram


def test_the_ladder_has_the_default_figures() -> None:
    ladder = Settings()
    assert f"more than {ladder.emergency_mmhg_min:g} mmHg/min or less than {ladder.emergency_reserve_h:g} h" in DOCUMENT
    assert f"more than {ladder.warning_mmhg_h:g} mmHg/h or less than {ladder.warning_reserve_h:g} h" in DOCUMENT
    assert f"more than {ladder.caution_mmhg_h:g} mmHg/h" in DOCUMENT
