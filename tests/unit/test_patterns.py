"""Which regular expressions a site may have: those that no text keeps busy."""

import re

import pytest

from firmware_bridge.site.patterns import pattern_problem


@pytest.mark.parametrize(
    "pattern",
    [
        r"P=\s*([0-9.]+)\s*TORR",
        r"\s*0,\s*([0-9.E+-]+)",
        r"([+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)\s*",
        r"(?:[0-9]{3},){2}([0-9]+)",
        r".*p=([0-9.]+).*t=.*",
        r"(?i)p ([0-9.]+)",
        r"(?i:p) ([0-9.]+)",
        r"(?:ok|fail) ([0-9.]+)",
        r"([0-9]+)(?:ab)*",
        r"(?>a+)*([0-9])",
        r"(?:x[0-9]+)*+([0-9])",
        r"[)(*+]*([0-9]+)",
        r"[]a]*([0-9]+)",
        r"\(([0-9]+)\)+",
        r"\\*([0-9]+)",
        r"{([0-9]+)}",
        r"(?=.*x)([0-9]+)",
    ],
)
def test_what_people_write_is_taken(pattern: str) -> None:
    assert re.compile(pattern).groups == 1
    assert pattern_problem(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?:[0-9]+\.?)*x([0-9]+)",
        r"([0-9]+)(?:a|a)*",
        r"(?:(?:a+))*([0-9])",
        r"((?:[0-9]+)+)",
        r"(?:a?b?){30}([0-9])",
        r"(?:a*){1,9}(1)",
        r"(?:a*){,}(1)",
        r"(?:(?:x|y)z){2,}(1)",
        r"(?:\s*[0-9])*?(1)",
        r"(?>(?:a+)*)([0-9])",
        r"(?i)(?:a+)*(1)",
        r"(?i:a+)*(1)",
    ],
)
def test_a_repeat_within_a_repeat_is_not(pattern: str) -> None:
    assert re.compile(pattern).groups == 1
    assert "repeats what itself repeats" in (pattern_problem(pattern) or "")


@pytest.mark.parametrize("pattern", [r".*a.*b.*c.*([0-9])", r"[^a]*[^b]*\S*\D+(1)"])
def test_nor_are_many_repeats_of_anything(pattern: str) -> None:
    assert "4 repeats of anything" in (pattern_problem(pattern) or "")
