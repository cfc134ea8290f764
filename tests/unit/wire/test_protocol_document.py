"""docs/protocol.md against the code: every number that a node's author would copy from it."""

import re
import tomllib
from pathlib import Path

import pytest

from firmware_bridge import samples
from firmware_bridge.links import mqtt
from firmware_bridge.session import conversation, outbox
from firmware_bridge.session.states import TRANSITIONS, State, Trigger
from firmware_bridge.units import NS_PER_S, Quantity
from firmware_bridge.wire import codec, commands, framing, report_payloads, reports
from sim.node.firmware import HOST_LOST_NS

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
MESSAGES = {
    "HELLO_ACK": reports.HelloAck,
    "PONG": reports.Pong,
    "STATUS": reports.Status,
    "SAMPLES": reports.Samples,
    "BURST_PIECE": reports.BurstPiece,
    "ACK": reports.Ack,
    "BAND_LEVELS": reports.BandLevels,
    "HELLO": commands.Hello,
    "PING": commands.Ping,
    "START": commands.Start,
    "STOP": commands.Stop,
    "CAPTURE": commands.Capture,
    "SIREN": commands.Siren,
    "IDENTIFY": commands.Identify,
    "SWITCH": commands.Switch,
    "LEVELS": commands.Levels,
}


def table(first_heading: str) -> list[list[str]]:
    """The rows of the only table whose heading row begins with these cells."""
    lines = TEXT.splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith(f"| {first_heading} |")]
    assert len(starts) == 1, f"{len(starts)} tables begin with {first_heading!r}"
    rows = []
    for line in lines[starts[0] + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


def section(heading: str) -> str:
    """A chapter's text, up to the next heading of any rank."""
    found = re.search(rf"^#+ {re.escape(heading)}.*?$(.*?)(?=^#|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


def test_every_transition_is_in_the_document_and_no_other() -> None:
    rows = table("State | Trigger | Next")
    documented = {(State(state), Trigger(trigger)): State(after) for state, trigger, after in rows}
    assert len(documented) == len(rows)
    assert documented == TRANSITIONS


def test_every_state_and_trigger_is_explained() -> None:
    assert [row[0] for row in table("State | Meaning")] == [state.value for state in State]
    assert [row[0] for row in table("Trigger | When")] == [trigger.value for trigger in Trigger]


def test_every_message_has_its_number() -> None:
    rows = {(name, int(kind)): speaker for kind, name, speaker in table("Kind | Message")}
    assert set(rows) == {(name, codec.kind_of(message)) for name, message in MESSAGES.items()}
    for (name, kind), speaker in rows.items():
        assert speaker == ("node" if kind < 16 else "host")
        assert re.search(rf"^### {name} \({kind}\): ", TEXT, re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "members"),
    [
        ("Flag | Name", [flag for flag in framing.Flags if flag]),
        ("Feature | Name", [feature for feature in reports.Feature if feature]),
        ("Quantity | Name", [quantity for quantity in Quantity if quantity is not Quantity.OTHER]),
        ("Result | Name", list(reports.AckResult)),
        ("Role | Name", list(commands.TriggerRole)),
        ("Pattern | Name", list(commands.SirenPattern)),
    ],
)
def test_every_choice_has_its_number_and_name(heading: str, members: list[framing.Flags]) -> None:
    assert [(int(row[0]), row[1]) for row in table(heading)] == [(int(m), m.name) for m in members]


SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "f32": 4, "f64": 8, "3 bytes": 3}


@pytest.mark.parametrize(
    ("heading", "size"),
    [
        ("3. The header", framing._HEADER.size),
        ("HELLO_ACK (1)", report_payloads.HELLO_ACK.size),
        ("PONG (2)", report_payloads.PONG.size),
        ("STATUS (3)", report_payloads.STATUS.size),
        ("SAMPLES (4)", report_payloads.SAMPLES.size),
        ("BURST_PIECE (5)", report_payloads.BURST.size),
        ("ACK (6)", report_payloads.ACK.size),
        ("BAND_LEVELS (7)", report_payloads.LEVELS.size),
        ("HELLO (16)", codec._HELLO.size),
        ("PING (17)", codec._PING.size),
        ("START (18)", codec._START.size),
        ("CAPTURE (20)", codec._CAPTURE.size),
        ("SIREN (21)", codec._SIREN.size),
        ("IDENTIFY (22)", codec._IDENTIFY.size),
        ("SWITCH (23)", codec._SWITCH.size),
        ("LEVELS (24)", codec._LEVELS.size),
    ],
)
def test_every_layout_adds_up(heading: str, size: int) -> None:
    """Each field begins where the one before it ends, and the fixed part is as long as the code's."""
    at = 0
    for row in re.findall(r"^\| (\d+) \| ([^|]+) \|", section(heading), re.MULTILINE):
        if at == size:
            break  # rows, counts and texts of their own length
        assert int(row[0]) == at
        at += SIZES[row[1].strip()]
    assert at == size


def test_a_channel_row_adds_up() -> None:
    rows = re.findall(r"^\| (\d+) \| (u8|f64) \| (quantity|scale|offset) \|", section("HELLO_ACK (1)"), re.MULTILINE)
    assert [int(at) for at, _, _ in rows] == [0, 1, 9]
    assert sum(SIZES[kind] for _, kind, _ in rows) == report_payloads.CHANNEL.size == 17


def test_limits_and_times_are_those_of_the_code() -> None:
    stated = {what: float(limit.split()[0]) for what, limit in table("What | Limit")}
    assert stated == {
        "longest payload": framing.MAX_PAYLOAD_BYTES,
        "longest frame without its 0x00": framing.MAX_ENCODED_BYTES,
        "highest protocol version that the header can name": framing.MAX_VERSION,
        "longest text": report_payloads.MAX_TEXT_BYTES,
        "most channels": report_payloads.MAX_CHANNELS,
        "most bands": report_payloads.MAX_BANDS,
        "shortest period of LEVELS": commands.MIN_LEVELS_PERIOD_MS,
        "longest period of LEVELS": commands.MAX_LEVELS_PERIOD_MS,
        "longest burst that the host takes": samples.MAX_BURST_SAMPLES,
        "unacknowledged commands to one node": outbox.MAX_PENDING,
        "HELLO again after": conversation.HELLO_RETRY_NS / NS_PER_S,
        "HELLO to an incompatible node after": conversation.INCOMPATIBLE_RETRY_NS / NS_PER_S,
        "pings to learn a clock": conversation.SYNC_PINGS,
        "time between these pings": conversation.SYNC_PING_NS / NS_PER_S,
        "time between pings afterwards": conversation.PING_NS / NS_PER_S,
        "command again after": outbox.RETRY_NS / NS_PER_S,
        "silence of the host until a siren sounds by itself": HOST_LOST_NS / NS_PER_S,
        "MQTT payload": mqtt.MAX_PAYLOAD_BYTES,
    }


def test_commands_are_repeated_as_often_as_stated() -> None:
    stated = {name: int(times.split()[0]) for name, times in table("Command | Sent at most")}
    assert stated == {name: outbox._TRIES[MESSAGES[name]] for name in stated}
    assert {MESSAGES[name] for name in stated} == set(outbox._TRIES)


def test_burst_channels_are_those_of_the_code() -> None:
    stated = [quantity for quantity in Quantity if quantity.in_bursts]
    assert [quantity.name for quantity in stated] == ["ULTRASOUND", "SURFACE_VELOCITY"]
    assert "Burst channels are the ULTRASOUND and SURFACE_VELOCITY rows" in " ".join(TEXT.split())


def test_topics_are_those_of_the_code() -> None:
    prefix = "leakloc/<site>/node/<name>"
    assert [row[0] for row in table("Topic | From")] == [mqtt.from_node_topic(prefix), mqtt.to_node_topic(prefix)]


def test_the_vectors_are_those_of_the_golden_file() -> None:
    golden = tomllib.loads((ROOT / "tests" / "vectors" / "wire-v1.toml").read_text(encoding="utf-8"))["vector"]
    assert printed("text") == {vector["name"]: vector["frame"] for vector in golden}


def test_what_is_refused_is_that_of_the_golden_file() -> None:
    refused = tomllib.loads((ROOT / "tests" / "vectors" / "wire-v1.toml").read_text(encoding="utf-8"))["refused"]
    assert printed("text refused") == {f"{one['name']}: {one['why']}": one["frame"] for one in refused}


def printed(fence: str) -> dict[str, str]:
    """Frames of the only such block, by the line before them."""
    (block,) = re.findall(rf"```{fence}\n(.*?)```", section("13. Test vectors"), re.DOTALL)
    frames: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        if line.startswith("  "):
            frames[name] += line.strip()
        else:
            name = line
            frames[name] = ""
    return frames
