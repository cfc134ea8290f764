"""leakctl watch: what it shows of what it hears, what it asks, and that nothing it hears ends it."""

import asyncio
import io
import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from controller.cli.watch import MAX_SEEN, SEEN_S, Watch
from controller.journal.entries import to_json
from controller.outputs.mqtt.commands import AcknowledgeCommand
from controller.outputs.mqtt.contract import topic_of
from tests.support.entries import entries

LEAKCTL = Path(sys.executable).parent / "leakctl"


def heard(watch: Watch, topic: str, said: object) -> object:
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    return watch.take(f"leakloc/om/{topic}", payload)


def alarm(**changes: Any) -> dict[str, Any]:
    return {**json.loads(to_json(entries()["alarm"])), "priority": 2, **changes}


def screen(watch: Watch) -> str:
    out = io.StringIO()
    Console(file=out, width=120).print(watch.picture())
    return out.getvalue()


def test_it_shows_how_things_stand() -> None:
    watch = Watch("+", "Alex", None)
    assert "no controller heard" in screen(watch)
    heard(watch, "status", {"online": True})
    heard(watch, "state", {"phase": "leak", "utc": "now", "reserve_s": 7000.0})
    heard(watch, "health", {"nodes_up": ["A"], "nodes_down": ["B"]})
    heard(watch, "fix", to_json(entries()["fix"]))
    heard(watch, "isolation", to_json(entries()["search"]))
    heard(watch, "alarm/nodes", alarm(key="nodes", priority=3, state="acknowledged"))
    heard(watch, "alarm/leak", alarm(text="leak confirmed"))
    heard(watch, "alarm/flood", alarm(key="flood", state="normal"))
    shown = screen(watch)
    for words in ("leakloc om: online, leak", "117 min", "0.11 m aft", "shutting h2", "down: B", "leak confirmed"):
        assert words in shown
    assert shown.index("leak confirmed") < shown.index("nodes")
    assert "flood" not in shown
    heard(watch, "status", {"online": False})
    assert "OFFLINE" in screen(watch)
    heard(watch, "fix", b"")
    assert "place    -" in screen(watch)
    assert watch.take("leakloc/other/status", b'{"online":true}') is None


def test_a_duplicate_is_left_out_and_what_is_remembered_is_bounded() -> None:
    watch = Watch("om", "Alex", None)
    event = {"id": "r-1", "number": 1, "alarm": alarm()}
    assert heard(watch, "alarm_event", event) is not None
    assert heard(watch, "alarm_event", event) is None
    for number in range(2 * MAX_SEEN):
        heard(watch, "alarm_event", {**event, "id": f"r-{number + 2}"})
    assert len(watch._seen) == MAX_SEEN


@pytest.mark.parametrize("user", [None, "tablet"])
def test_it_acknowledges_the_gravest_and_keeps_the_controllers_time(user: str | None) -> None:
    watch = Watch("om", "Alex", user)
    assert watch.acknowledgement(0.0) is None
    heard(watch, "alarm/leak", alarm(occurrence=3, state="acknowledged", priority=1))
    heard(watch, "alarm/nodes", alarm(key="nodes", occurrence=2, state="returned_unacknowledged", priority=3))
    assert watch.acknowledgement(1.0) is None, "it was not drawn yet"
    watch.shown(2.0)
    heard(watch, "alarm/self", alarm(key="self", occurrence=1, state="unacknowledged", priority=2))
    watch.shown(3.0)
    asked = watch.acknowledgement(3.0 + 0.9 * SEEN_S)  # "self" is graver, and came up as the finger moved
    assert asked is not None
    topic, payload = asked
    assert topic_of(topic.removeprefix("leakloc/om/")) is not None
    command = AcknowledgeCommand.model_validate_json(payload)
    assert (command.key, command.occurrence, command.by) == ("nodes", 2, "Alex")
    ahead = timedelta(hours=5)
    reply = {"id": command.id, "action": "acknowledge", "accepted": False, "text": "too late"}
    assert heard(watch, "reply/someone", {**reply, "id": "someone"}) is None
    heard(watch, f"reply/{command.id}", {**reply, "utc": (datetime.now(UTC) + ahead).isoformat()})  # noqa: TID251
    assert "refused, too late" in screen(watch)
    again = watch.acknowledgement(3.0 + SEEN_S)
    assert again is not None
    second = AcknowledgeCommand.model_validate_json(again[1])
    assert second.key == "self"
    assert abs(second.utc - command.utc - ahead) < timedelta(minutes=1)  # as long as this test may take


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just("unacknowledged")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(
        ["kind", "state", "occurrence", "id", "utc", "why", "alarm_class", "key", "priority", "online", "nodes_down",
         "reserve_s"]),
        inner, max_size=4)),
    max_leaves=8,
)  # fmt: skip
NAMES = st.sampled_from(["status", "state", "health", "fix", "alarm/x", "isolation", "alarm_event", "reply/y", ""])


@settings(max_examples=150)
@given(st.lists(st.tuples(NAMES, st.one_of(st.binary(max_size=30), JSON)), max_size=6))
def test_nothing_that_it_hears_keeps_it_from_showing_the_rest(messages: list[tuple[str, object]]) -> None:
    watch = Watch("+", "Alex", None)
    for topic, said in messages:
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            heard(watch, topic, said)
        watch.picture()
        watch.shown(0.0)
        watch.acknowledgement(1.0)


def test_a_wrong_address_is_told() -> None:
    ended = subprocess.run([LEAKCTL, "watch", "nonsense"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert "HOST:PORT" in ended.stderr


@pytest.mark.integration
def test_q_ends_it_on_a_terminal_even_without_a_broker() -> None:
    main, terminal = pty.openpty()
    process = subprocess.Popen([LEAKCTL, "watch", "127.0.0.1:1"], stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)

    async def until_shown() -> None:
        shown = b""
        while b"trying again" not in shown:
            shown += await asyncio.to_thread(os.read, main, 4096)

    asyncio.run(asyncio.wait_for(until_shown(), 30))
    os.write(main, b"q")
    try:
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(main)
