"""What a campaign consists of: scenarios x seeds x settings, each known by a key that a later campaign finds again."""

import copy
import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from firmware_bridge.declared import parse_declared, read_tables
from firmware_bridge.errors import DeclaredFileError
from firmware_bridge.site.schema import SiteTable
from firmware_bridge.site.survey import Site, build_site
from sim.scenario.scenario import ScenarioTable, check_fit

MAX_RUNS = 100_000  # a year of one machine; a grid that large is a slip of the pen
KEY_LETTERS = 16


@dataclass(frozen=True, slots=True)
class Job:
    """One run, whole: a worker on another machine needs nothing else but the same leakloc.

    Args:
        key: names the run by all that decides it.
        scenario: name of the scenario.
        tables: its file, settings applied.
        site: the file of the site that it plays in.
        seed: of the world.
        changes: what was set, as (dotted key, value as TOML).
        small: whether it is cut short.
        controller: which installed controller is on trial.
    """

    key: str
    scenario: str
    tables: Mapping[str, Any]
    site: Mapping[str, Any]
    seed: int
    changes: tuple[tuple[str, str], ...]
    small: bool
    controller: str


def jobs(
    scenarios: Sequence[Path],
    sites: Path,
    seeds: Sequence[int],
    settings: Sequence[tuple[str, Sequence[str]]],
    *,
    small: bool,
    controller: str,
) -> list[Job]:
    """Every combination, checked before anything runs.

    `settings` are (dotted key of the scenario file, values as TOML), such as ("leaks.0.diameter_mm", ("1.0", "2.0")).

    Raises:
        DeclaredFileError: a scenario is not valid, with or without its settings, or there are too many runs.
    """
    total = len(scenarios) * len(seeds)
    for _, values in settings:
        total *= len(values)
    if total > MAX_RUNS:
        raise DeclaredFileError(f"{total} runs are too many", remedy=f"at most {MAX_RUNS}; give fewer seeds or values")
    return list(_combined(scenarios, sites, seeds, settings, small=small, controller=controller))


def _combined(
    scenarios: Sequence[Path],
    sites: Path,
    seeds: Sequence[int],
    settings: Sequence[tuple[str, Sequence[str]]],
    *,
    small: bool,
    controller: str,
) -> Iterator[Job]:
    names = [name for name, _ in settings]
    for path in scenarios:
        original = read_tables(path)
        for values in product(*(choices for _, choices in settings)):
            changes = tuple(zip(names, values, strict=True))
            tables = copy.deepcopy(original)
            for name, value in changes:
                put(tables, name, value)
            place = read_tables(sites / f"{parse_declared(tables, str(path), ScenarioTable).site}.toml")
            scenario, _ = staged(tables, place)
            for seed in seeds:
                key = _key(tables, place, seed, small, controller)
                yield Job(key, scenario.name, tables, place, seed, changes, small, controller)


def staged(tables: Mapping[str, Any], site_tables: Mapping[str, Any]) -> tuple[ScenarioTable, Site]:
    """Scenario and site of a job, checked.

    Raises:
        DeclaredFileError: a table is not valid, or the two do not fit.
        SiteError: the site contradicts itself.
    """
    scenario = parse_declared(dict(tables), "scenario", ScenarioTable)
    site = build_site(parse_declared(dict(site_tables), scenario.site, SiteTable), scenario.site)
    check_fit(scenario, site, scenario.name)
    return scenario, site


def put(tables: dict[str, Any], name: str, value: str) -> None:
    """Set the entry of dotted key `name` (numbers count rows) to `value`, which is TOML; bare words are text.

    Raises:
        DeclaredFileError: the key leads through something that is no table or row.
    """
    *way, last = name.split(".")
    at: Any = tables
    try:
        for part in way:
            at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
        if isinstance(at, list):
            at[int(last)] = _value(value)
        else:
            at[last] = _value(value)
    except (ValueError, IndexError, TypeError, AttributeError) as error:
        raise DeclaredFileError(
            f"--set {name}: no such place in the scenario",
            remedy="keys are like leaks.0.diameter_mm or air.pressure_hpa",
        ) from error


def _value(text: str) -> Any:  # noqa: ANN401 - what TOML holds
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def _key(tables: Mapping[str, Any], site: Mapping[str, Any], seed: int, small: bool, controller: str) -> str:
    decisive = json.dumps([tables, site, seed, small, controller], sort_keys=True)
    return hashlib.sha256(decisive.encode()).hexdigest()[:KEY_LETTERS]
