"""Every scenario that is shipped, at its small size: the installed controller is right, and a seed says it all."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from firmware_bridge.site.survey import Site
from firmware_bridge.units import Quantity
from firmware_bridge.wire.commands import Capture, Levels, Ping, Start, TriggerRole
from sim.run_record import RunRecord
from sim.scenario.scenario import ScenarioTable, list_scenarios
from sim.subject import find_subject
from sim.trial import TrialSettings, run_trial
from tests.support.scripted_host import Script, play
from tests.support.shipped import CONFIGS, shipped

SHIPPED = [name for name, _ in list_scenarios(CONFIGS / "scenarios")]
CHEAPEST = "bench-box"  # two array nodes in a small box: a run of its small size takes two seconds
SOURCE = re.compile(r"\b[\w-]+\.(?:com|de|edu|gov|int|net|nl|org|ru)\b|invented|Raspberry Pi Foundation", re.IGNORECASE)
PLAYED_S = 4.0  # of the world without a controller
BURST_SAMPLES = 2048  # enough for every source and every front end to be in it


def loaded(name: str) -> tuple[ScenarioTable, Site]:
    return shipped(name)


def trial(name: str, seed: int) -> tuple[RunRecord, list[dict[str, Any]]]:
    """The small size against the default controller, and every line that it said, without UTC."""
    scenario, site = loaded(name)
    lines: list[dict[str, Any]] = []

    def hear(at_s: float, line: bytes) -> None:
        said = json.loads(line)
        del said["utc"]  # the only thing that the calendar has a part in
        lines.append({"heard_s": at_s, **said})

    return run_trial(scenario.cut_short(), site, find_subject(), TrialSettings(seed, on_line=hear)), lines


@cache
def small_run(name: str) -> tuple[RunRecord, list[dict[str, Any]]]:
    return trial(name, loaded(name)[0].seed)


def hosts_script(site: Site) -> Iterator[tuple[float, str, Ping | Start | Levels | Capture]]:
    """Everything that a node can be made to say about the world, asked of every node."""
    for node in site.nodes:
        yield 0.5, node.name, Ping(1)
        yield 1.0, node.name, Start(200)
        if any(sensor.quantity.in_bursts for sensor in node.sensors):
            yield 1.5, node.name, Levels(500)
            yield 2.0, node.name, Capture(1, BURST_SAMPLES, TriggerRole.AT_TIME, 0)


def bytes_of_the_world(name: str, seed: int) -> dict[str, bytes]:
    """What the nodes send to a host that follows a script; leaks are open from the first second on."""
    scenario, site = loaded(name)
    leaks = tuple(
        leak.model_copy(update={"opens_at_s": 1.0, "opens_over_s": min(leak.opens_over_s, 1.0), "sealed_at_s": None,
                                "later": ()})
        for leak in scenario.leaks
    )  # fmt: skip
    script: Script = tuple(hosts_script(site))
    heard = play(scenario.model_copy(update={"seed": seed, "leaks": leaks}), site, script, PLAYED_S)
    return {node.name: heard.data(node.name) for node in site.nodes}


def test_there_are_scenarios() -> None:
    assert {"ms09-2018", "bench-box", "two-leaks", "quiet-week"} <= set(SHIPPED)


def test_every_kind_of_sensor_that_is_sampled_fast_is_in_some_of_them() -> None:
    sensors = [sensor for name in SHIPPED for node in loaded(name)[1].nodes for sensor in node.sensors]
    fast = {quantity for quantity in Quantity if quantity.in_bursts}
    assert fast == {sensor.quantity for sensor in sensors if sensor.quantity.in_bursts}


@pytest.mark.parametrize("name", SHIPPED)
def test_it_says_what_it_is_what_is_right_and_where_it_comes_from(name: str) -> None:
    scenario, _ = loaded(name)
    text = (CONFIGS / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")
    comments = "\n".join(line.partition("#")[2] for line in text.splitlines()[1:])  # the first names the schema
    assert scenario.name == name
    assert scenario.title
    assert scenario.expect is not None
    assert scenario.small is not None
    assert scenario.small.expect is not None, "what is right at the end need not be so half-way: say it"
    assert scenario.small.duration_s < scenario.duration_s
    assert SOURCE.search(comments), "name a source, or say that it is invented"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_small_size_goes_as_expected(name: str) -> None:
    record, lines = small_run(name)
    assert not record.score.wrong
    assert record.score.success
    # Nobody is right by being asleep: every node was heard, and every floor learned from which an onset stands out.
    streaming = {line["node"] for line in lines if line["kind"] == "node" and line["state"] == "streaming"}
    assert streaming == set(record.scenario.links)
    learned = {node for line in lines if line["kind"] == "learned" for node in line["nodes"]}
    arrays = {node.name for node in record.site.nodes if node.of_quantity(Quantity.ULTRASOUND)}
    assert learned == arrays & set(record.scenario.links)


def test_the_same_seed_gives_the_same_lines_and_another_gives_others() -> None:
    _, lines = small_run(CHEAPEST)
    seed = loaded(CHEAPEST)[0].seed
    assert trial(CHEAPEST, seed)[1] == lines
    fixes = [line["position_m"] for line in lines if line["kind"] == "fix"]
    others = [line["position_m"] for line in trial(CHEAPEST, seed + 1)[1] if line["kind"] == "fix"]
    assert fixes != others


@pytest.mark.parametrize("name", SHIPPED)
def test_the_same_seed_gives_the_same_world_and_another_gives_another(name: str) -> None:
    seed = loaded(name)[0].seed
    first, again, other = (bytes_of_the_world(name, one) for one in (seed, seed, seed + 1))
    assert all(first.values()), "every node says something"
    assert first == again
    assert all(first[node] != other[node] for node in first)
