"""The live view of every situation, as text; what is shown is data and never markup."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from controller.alarm.types import AlarmClass, AlarmState
from controller.dashboard.terminal import REMEMBERED_LINES, TerminalView, render
from controller.pipeline.picture import Picture
from firmware_bridge.session.states import State
from tests.support.pictures import PHASES, leaking, node, picture, unlocated
from tests.support.verdicts import alarm, fix


def shown(what: Picture, news: tuple[str, ...] = (), *, width: int = 120) -> str:
    console = Console(record=True, width=width, height=60, file=io.StringIO())
    console.print(render(what, news, 61.4))
    return console.export_text()


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_has_its_words(phase: str) -> None:
    words = {"learning": "learning the noise floor", "watching": "watching", "leak": "LEAK"}
    text = shown(picture(phase))
    assert f"Soyuz orbital module · {words[phase]} · 61 s" in text


def test_all_that_is_known_of_a_leak_is_shown() -> None:
    text = shown(leaking())
    for part in (
        "WARNING !",
        "leak confirmed by sound and pressure, in orbital-module (unacknowledged)",
        "CAUTION",
        "node lost: X (acknowledged)",
        "0.11 m aft of the toilet panel",
        "(1.860, -0.997, 0.465) m ± 2.0 cm (95 %)",
        "1.60 mmHg/h, 56 kg/day",
        "reserve time",
        "days",
    ):
        assert part in text
    assert text.index("WARNING") < text.index("0.11 m aft") < text.index("N0")  # what matters most stands on top


def test_no_fix_says_why() -> None:
    assert "no place stands out; listen longer" in shown(unlocated())


def test_an_endless_reserve_is_said_so() -> None:
    assert "to no end" in shown(picture(sigmas=1.5))


def test_nodes_are_shown_with_state_clock_and_readings() -> None:
    lines = shown(picture("watching")).splitlines()
    row = {line.split()[1]: line for line in lines if len(line.split()) > 2}
    assert all(state.value in row[f"N{i}"] for i, state in enumerate(State))
    assert "993.300 hPa +3.2 dB mute: M1" in row["M"]
    assert "±12 µs" in row["M"]
    assert "/dev/M" in row["M"]
    assert "not heard yet" in row["X"]
    streaming, lost = (row[f"N{list(State).index(state)}"] for state in (State.STREAMING, State.LOST))
    assert "µs" in streaming
    assert "µs" not in lost  # its clock is not known any more


@pytest.mark.parametrize("alarm_class", AlarmClass)
@pytest.mark.parametrize("state", [s for s in AlarmState if s is not AlarmState.NORMAL])
def test_every_alarm_is_shown_and_what_is_noticed_is_not_marked(alarm_class: AlarmClass, state: AlarmState) -> None:
    text = shown(picture(alarms=(alarm(alarm_class, state),)))
    assert f"possible leak ({state.value})" in text
    noticed = state in {AlarmState.ACKNOWLEDGED, AlarmState.LATCHED}
    assert (f"{alarm_class.name} !" in text) is not noticed


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_window_of_any_width_will_do(width: int) -> None:
    assert all(len(line) <= width for line in shown(leaking(), ("news " * 50,), width=width).splitlines())


def test_data_are_no_markup() -> None:
    """A landmark, a site or an error may have brackets; they must not colour, vanish, or end the view."""
    nasty = "[/] [bold]x[/bold] [/dev/ttyACM0]"
    place = fix(where=nasty)
    text = shown(
        picture(site=nasty, verdict=place, alarms=(alarm(text=nasty),), reason=nasty), (f"news {nasty}",), width=200
    )
    assert text.count(nasty) == 5
    named = replace(picture(), nodes=(node(nasty, State.STREAMING),), pressures_pa=(), loudness_db=())
    assert nasty in shown(named, width=200)


def test_a_site_without_nodes_and_a_leak_that_is_all_unknown() -> None:
    bare = replace(picture(), nodes=(), pressures_pa=(), loudness_db=())
    assert "LEAK" in shown(bare)


def test_the_view_remembers_the_newest_lines() -> None:
    console = Console(record=True, width=100, height=60, file=io.StringIO())
    view = TerminalView(console)
    view.start()
    for number in range(20):
        view.tell(f"line {number:03d}")
    view.show(picture("watching"), 5.0)
    view.stop()
    text = console.export_text()
    assert "line 019" in text
    assert f"line {20 - REMEMBERED_LINES:03d}" in text
    assert f"line {19 - REMEMBERED_LINES:03d}" not in text
