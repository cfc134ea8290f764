"""What is printed where; and that a reader who is gone, or stands still, stops nothing but the printing."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from controller.dashboard.printing import MAX_UNPRINTED, Printer, Style
from controller.journal.entries import from_json
from tests.support.entries import entries, note
from tests.support.pictures import leaking

JSON = Style(as_json=True, view=False, narrate=False)
PLAIN = Style(as_json=False, view=False, narrate=False)


@contextmanager
def printing(style: Style) -> Iterator[Printer]:
    """A printer that has printed everything when this is left."""
    printer = Printer(style)
    printer.start()
    yield printer
    printer.stop()
    printer._thread.join(10.0)
    assert not printer._thread.is_alive()


def test_json_lines_are_entries(capsys: pytest.CaptureFixture[str]) -> None:
    told = list(entries().values())
    with printing(JSON) as printer:
        for entry in told:
            printer.entry(entry)
    out, err = capsys.readouterr()
    assert [from_json(line.encode()) for line in out.splitlines()] == told
    assert err == ""


def test_sentences_go_to_output_or_beside_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    with printing(PLAIN) as printer:
        printer.entry(note(12, "controller started"))
    assert capsys.readouterr() == ("    12.0 s  controller started\n", "")
    with printing(Style(as_json=True, view=False, narrate=True)) as printer:
        printer.entry(note(12, "controller started"))
    out, err = capsys.readouterr()
    assert json.loads(out)["text"] == "controller started"
    assert err == "    12.0 s  controller started\n"


def test_the_view_leaves_the_output_to_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    with printing(Style(as_json=True, view=True, narrate=False)) as printer:
        printer.entry(note(1, "seen"))
        printer.picture(leaking(), 5.0)
    out, err = capsys.readouterr()
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["seen"]
    assert "toilet panel" in err


def test_a_closed_output_ends_the_printing_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with `leakctl run --json | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        with printing(Style(as_json=True, view=False, narrate=True)) as printer:
            for seq in range(5):
                printer.entry(note(seq, "still here"))
        monkeypatch.undo()
    assert capsys.readouterr().err.count("still here") == 5


def test_an_output_closed_by_ourselves_is_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    with printing(JSON) as printer:
        printer.entry(note(1))
        printer.entry(note(2))


def test_a_terminal_that_went_away_ends_the_view_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stderr", pipe)
        with printing(Style(as_json=True, view=True, narrate=False)) as printer:
            printer.picture(leaking(), 5.0)
            printer.entry(note(1, "one"))
            printer.picture(leaking(), 6.0)
            printer.entry(note(2, "two"))
        monkeypatch.undo()
    assert [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()] == ["one", "two"]


def test_a_reader_that_stands_still_costs_memory_up_to_a_bound_and_no_waiting() -> None:
    printer = Printer(JSON)  # not started: nobody takes anything
    for seq in range(MAX_UNPRINTED + 100):
        printer.entry(note(seq))
    assert printer._entries.qsize() == MAX_UNPRINTED
    printer.stop()  # does not wait for what will not come


def test_streams_that_were_closed_before_we_started_are_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under `leakctl run >&- 2>&-`, where Python has no streams at all."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with printing(Style(as_json=True, view=True, narrate=True)) as printer:
        printer.entry(note(1))
        printer.picture(leaking(), 5.0)
