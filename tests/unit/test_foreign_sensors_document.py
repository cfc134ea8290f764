"""docs/foreign-sensors.md against the code: every example in it is a valid site."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.sites import parsed, site_tables

TEXT = (Path(__file__).parents[2] / "docs" / "foreign-sensors.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_valid(example: str) -> None:
    tables = site_tables()
    tables["instruments"] = [{**one, "compartment": "lab"} for one in tomllib.loads(example)["instruments"]]
    assert parsed(tables).nodes[-1].instrument is not None


def test_there_are_examples_of_both_kinds() -> None:
    assert ["mqtt" in example for example in EXAMPLES] == [True, False]
