"""Numbers out of what other people's software says: JSON by a path, text by a pattern. Nothing it says can harm.

A number is refused rather than guessed: true is not 1, "12 hPa" is not 12, NaN is nothing.
"""

import math

import msgspec

from firmware_bridge.site.instruments import Path, Reading

MAX_TEXT_BYTES = 1 << 16  # Zigbee2MQTT's longest messages are a few kB; a Tasmota STATUS0 has 5
MAX_PATTERN_BYTES = 512  # of a text that a pattern is held against, as of a line: matching may take its cube
MAX_NUMBER_CHARACTERS = 40  # a double in full takes 24


def value_of(reading: Reading, payload: bytes) -> float | None:
    """The value in SI that `payload` holds for `reading`; None where it holds none."""
    if len(payload) > MAX_TEXT_BYTES:
        return None
    if reading.path is not None:
        found = _at(payload, reading.path)
    else:
        text = payload.decode("utf-8", "replace").strip()
        if reading.pattern is not None:
            if len(payload) > MAX_PATTERN_BYTES:
                return None
            match = reading.pattern.fullmatch(text)
            if match is None or match[1] is None:
                return None
            text = match[1]
        found = _number(text)
    if found is None:
        return None
    value = reading.to_si(found)
    return value if value is not None and math.isfinite(value) else None


def _at(payload: bytes, path: Path) -> float | None:
    try:
        here: object = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    for step in path:
        if isinstance(step, str) and isinstance(here, dict):
            here = here.get(step)
        elif isinstance(step, int) and isinstance(here, list) and step < len(here):
            here = here[step]
        else:
            return None
    if isinstance(here, str):
        return _number(here)
    if isinstance(here, bool) or not isinstance(here, int | float):
        return None
    try:
        return float(here)
    except OverflowError:
        return None


def _number(text: str) -> float | None:
    """A plain decimal number, as instruments write them; no words (nan, infinity), no underscores."""
    text = text.strip()
    if not text or len(text) > MAX_NUMBER_CHARACTERS or not set(text) <= set("0123456789+-.eE"):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
