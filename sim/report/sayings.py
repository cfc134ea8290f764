"""What a controller said, as sentences: its public kinds by name, others field by field. Draws no conclusions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from firmware_bridge.units import S_PER_DAY
from sim.heard import Alarm, Command, Fix, Heard, LeakRate, NoFix
from sim.report.numbers import field, plain, ranged, time_of

MOST_FIELDS, MOST_ITEMS, MOST_LETTERS = 12, 8, 300  # of what is not known; the rest is in the journal
HIDDEN = {"kind", "version", "seq", "utc", "t_s", "uid", "candidates"}
NODE_STATES = {"hello": "asked who is there", "sync": "known, setting the clocks", "streaming": "data flows"}


def sentence(heard: Heard) -> str:
    """One event in words."""
    match heard.event:
        case Fix() as fix:
            return _fix(fix, heard.said)
        case NoFix(reason=reason, explanation=explanation):
            return f"no place can be told ({reason}): {explanation}" if explanation else f"no place ({reason})"
        case LeakRate() as rate:
            return _leak_rate(rate, heard.said)
        case Alarm() as alarm:
            return _alarm(alarm, heard.said)
        case Command(node=node, command=command, done=done):
            return f"{node}: {command}, {'done' if done else 'failed'}{_unless_done(heard.said.get('text'))}"
        case _:
            told = _SAID.get(str(heard.said.get("kind")))
            return told(heard.said) if told is not None else generic(heard.said)


def sentence_of_nodes(said: Sequence[Mapping[str, Any]]) -> str:
    """Several nodes that came into the same state, in one sentence."""
    names = names_of(list(dict.fromkeys(_node(one) for one in said)))
    state = str(said[0].get("state"))
    words = NODE_STATES.get(state, state)
    if state in NODE_STATES:
        return f"{names}: {words}"
    reasons = {str(one["reason"]) for one in said if one.get("reason")}
    return f"{names}: {words}, {reasons.pop()}" if len(reasons) == 1 else f"{names}: {words}"


def generic(said: Mapping[str, Any]) -> str:
    """What is of no known kind, field by field with units."""
    parts = []
    for name, value in said.items():
        if name in HIDDEN or value is None or value in ([], {}, ""):
            continue
        words, unit = field(str(name))
        parts.append(" ".join(part for part in (words, _short(value), unit) if part))
    more = [f"and {len(parts) - MOST_FIELDS} more"] if len(parts) > MOST_FIELDS else []
    return ", ".join([*parts[:MOST_FIELDS], *more])[:MOST_LETTERS]


def names_of(names: object) -> str:
    """One, or several joined with "and"."""
    if not isinstance(names, list | tuple) or not names:
        return "no node"
    *first, last = [str(name) for name in names]
    return f"{', '.join(first)} and {last}" if first else last


def _fix(fix: Fix, said: Mapping[str, Any]) -> str:
    place = fix.where or f"at {', '.join(plain(part, 3) for part in fix.position_m)} m"
    where = f"{place}, in {fix.compartment}" if fix.compartment else place
    used = f", by {names_of(said['nodes_used'])}" if said.get("nodes_used") else ""
    left = said.get("rejected")
    parted = [one for one in left if isinstance(one, Mapping)] if isinstance(left, list) else []
    without = "; ".join(f"{one.get('node')} left out: {one.get('why')}" for one in parted)
    return f"leak {where}, within {plain(100 * fix.radius95_m, 2)} cm (95 %){used}" + (
        f"; {without}" if without else ""
    )


def _leak_rate(rate: LeakRate, said: Mapping[str, Any]) -> str:
    window = _number(said.get("window_s"))
    falls = "pressure falls" if window is None else f"pressure falls, seen over {_time(window)}"
    hole = ranged(rate.hole_diameter_m, 1e3, "mm")
    parts = [ranged(rate.mass_rate_kg_s, S_PER_DAY, "kg/day"), None if hole is None else f"a hole of {hole}"]
    if rate.reserve_s.value is not None:
        unit_s, unit = time_of(rate.reserve_s.value)
        parts.append(f"{ranged(rate.reserve_s, 1.0 / unit_s, unit)} in reserve")
    figures = ", ".join(part for part in parts if part)
    return f"{falls}: {figures}" if figures else falls


def _alarm(alarm: Alarm, said: Mapping[str, Any]) -> str:
    text = f": {said['text']}" if said.get("text") else ""
    subject = "" if alarm.key == "leak" else f" ({alarm.key})"
    evidence = said.get("evidence")
    grounds = "; ".join(str(one) for one in evidence) if isinstance(evidence, list) else ""
    return f"{alarm.alarm_class}{subject}, {alarm.state}{text}" + (f" [{grounds}]" if grounds else "")


def _detection(said: Mapping[str, Any]) -> str:
    rise = _number(said.get("rise_db"))
    by = "" if rise is None else f" by {plain(rise, 3)} dB"
    return f"ultrasound above the noise floor{by} at {names_of(said.get('nodes'))}"


_SAID: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "detection": _detection,
    "detection_over": lambda said: f"ultrasound no longer above the noise floor at {names_of(said.get('nodes'))}",
    "learned": lambda said: f"noise floor known at {names_of(said.get('nodes'))}: leaks can be heard from here on",
    "pressure_steady": lambda _: "the pressure no longer falls",
    "node": lambda said: sentence_of_nodes([said]),
    "note": lambda said: str(said.get("text", "")),
}


def _node(said: Mapping[str, Any]) -> str:
    """Its name, before that is known the end of its link's."""
    return str(said.get("node") or str(said.get("link", "?")).replace("/", ":").rsplit(":", maxsplit=1)[-1])


def _unless_done(text: object) -> str:
    return f" ({text})" if text and text != "done" else ""


def _time(span_s: float) -> str:
    unit_s, unit = time_of(span_s)
    return f"{plain(span_s / unit_s, 3)} {unit}"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _short(value: object) -> str:
    number = _number(value)
    if number is not None:
        return plain(number)
    if isinstance(value, Mapping) and set(value) == {"value", "low", "high"}:
        low, high = ("infinite" if value[end] is None else _short(value[end]) for end in ("low", "high"))
        return f"{_short(value['value'])} ({low} to {high})"
    if isinstance(value, Mapping):
        return "/".join(_short(part) for part in list(value.values())[:MOST_ITEMS])
    if isinstance(value, list | tuple):
        more = [f"and {len(value) - MOST_ITEMS} more"] if len(value) > MOST_ITEMS else []
        return ", ".join([*(_short(part) for part in value[:MOST_ITEMS]), *more])
    return str(value)
