"""Regular expressions of a site file that a hostile or a torn text could keep busy for minutes. Matching is session's.

Python's matcher tries every way to split a text among repeats before it says no. One repeat within another doubles the
ways with every character (Friedl 2006, "Mastering Regular Expressions", super-linear matching).
"""

import re

MAX_WIDE_REPEATS = 3  # of anything, in one pattern: each multiplies the ways by the length of the text

_QUANTIFIER = re.compile(r"[*+?]|\{(\d*)(,?)(\d*)\}")
_GROUP = re.compile(r"\((?:\?(?:P<\w+>|P=\w+|<?[=!]|[>:]|[aiLmsux-]+[:)]|\(\w+\)))?")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with a valid regular expression beside its meaning; None where a text cannot make it run long."""
    varies, steady = [False], [False]  # of each open group: several ways to match one text; takes only the first
    wide = at = 0
    while at < len(pattern):
        at, is_wide, group_varies = _atom(pattern, at, varies, steady)
        found = _QUANTIFIER.match(pattern, at)
        if found is None or found[0] == "{}":
            varies[-1] |= group_varies
            continue
        at = found.end()
        possessive = pattern[at : at + 1] == "+"
        at += pattern[at : at + 1] in {"+", "?"} and len(pattern) > at
        least, most = _times(found)
        if group_varies and not possessive and (most is None or most > 1):
            return "pattern repeats what itself repeats or has choices: a text that almost fits would stop everything"
        wide += is_wide and most is None and not possessive
        varies[-1] |= group_varies or (least != most and not possessive)
    if wide > MAX_WIDE_REPEATS:
        return f"pattern has {wide} repeats of anything such as .*; at most {MAX_WIDE_REPEATS}: say what stands there"
    return None


def _atom(pattern: str, at: int, varies: list[bool], steady: list[bool]) -> tuple[int, bool, bool]:
    """What stands at `at`: where it ends, whether it may be nearly any character, whether it is a group that varies."""
    first = pattern[at]
    if first == "(":
        opened = _GROUP.match(pattern, at)
        assert opened is not None  # noqa: S101 - of a valid expression
        if not opened[0].endswith(")"):  # flags have no body
            varies.append(False)
            steady.append(opened[0] == "(?>")
        return opened.end(), False, False
    if first == ")" and len(varies) > 1:
        group_varies = varies.pop() and not steady.pop()
        return at + 1, False, group_varies
    if first == "|":
        varies[-1] = True
    if first == "\\":
        return at + 2, pattern[at + 1 : at + 2] in {"S", "D", "W"}, False
    if first == "[" and (inside := _CLASS.match(pattern, at)) is not None:
        return inside.end(), inside[0].startswith("[^"), False
    return at + 1, first == ".", False


def _times(found: "re.Match[str]") -> tuple[int, int | None]:
    """At least and at most how often a quantifier takes what stands before it; None is without end."""
    if found[0] in "*+?":
        return (1 if found[0] == "+" else 0), (1 if found[0] == "?" else None)
    least = int(found[1] or 0)
    return least, (int(found[3]) if found[3] else None) if found[2] else least
