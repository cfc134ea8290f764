"""docs/alarms.md shows the alarm table as it is."""

from pathlib import Path

from controller.alarm.keys import ALARM_KEYS
from controller.alarm.policy import Settings
from controller.alarm.table import TRANSITIONS, diagram
from controller.alarm.types import AlarmState

DOCUMENT = (Path(__file__).parents[3] / "docs" / "alarms.md").read_text(encoding="utf-8")


def test_the_diagram_is_made_from_the_table() -> None:
    shown = DOCUMENT.partition("<!-- from TRANSITIONS -->\n")[2].partition("\n<!-- end -->")[0]
    assert shown == diagram()
    assert shown.count(" --> ") == len(TRANSITIONS) + 1


def test_every_state_and_every_alarm_is_explained() -> None:
    words = {state.value.replace("_", " ") for state in AlarmState}
    assert [word for word in sorted(words) if f"**{word}**" not in DOCUMENT] == []
    assert [key for key in ALARM_KEYS if f"`{key}`" not in DOCUMENT] == []


def test_the_ladder_has_the_default_figures() -> None:
    ladder = Settings()
    assert f"more than {ladder.emergency_mmhg_min:g} mmHg/min or less than {ladder.emergency_reserve_h:g} h" in DOCUMENT
    assert f"more than {ladder.warning_mmhg_h:g} mmHg/h or less than {ladder.warning_reserve_h:g} h" in DOCUMENT
    assert f"more than {ladder.caution_mmhg_h:g} mmHg/h" in DOCUMENT
    assert f"at least {ladder.advisory_mmhg_h:g} mmHg/h" in DOCUMENT
