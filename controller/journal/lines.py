"""A JSON object with its checksum in one line: still plain JSON to every other reader. What it says is the entries'.

The checksum is the CRC-32 of the object without it, as eight hexadecimal digits in a last field `crc`. It finds what
JSON cannot: a flipped bit in a digit, two writes torn into one valid line.
"""

import re
import zlib

MAX_LINE_BYTES = 1_000_000  # an entry is 100 bytes to 50 kB; more is no line of ours
_CRC = re.compile(rb',"crc":"([0-9a-f]{8})"\}$')


class LineError(ValueError):
    """A line that is not what was written."""


def checked(body: bytes) -> bytes:
    """The JSON object `body`, not empty, with its checksum; without a line's end."""
    return body[:-1] + b',"crc":"%08x"}' % zlib.crc32(body)


def unchecked(line: bytes, *, longest: int = MAX_LINE_BYTES) -> tuple[bytes, bool]:
    """The object of a line, and whether a checksum vouches for it; without one it is handed back as it is.

    Raises:
        LineError: the checksum is of another object, or the line is too long.
    """
    line = line.strip()
    if len(line) > longest:
        raise LineError(f"longer than {longest} bytes")
    found = _CRC.search(line)
    if found is None:
        return line, False
    body = line[: found.start()] + b"}"
    if zlib.crc32(body) != int(found[1], 16):
        raise LineError("its checksum is of another line")
    return body, True
