"""One recording on disk: an MCAP file with a head, perhaps a state, and marks. When to write one is recording's.

MCAP is the log format of robotics (mcap.dev): chunked, each chunk with a checksum, readable as far as it was written.
The layout of ours is told in docs/recording.md.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import zstandard
from mcap.records import Attachment, Channel, Chunk, Message, Metadata
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.writer import CompressionType, IndexType, Writer

from firmware_bridge.errors import RecordingError
from firmware_bridge.session.tape import Mark, Role, link_of

FORMAT_VERSION = 1
PROFILE = "leakloc"
HEAD, SITE, CONTROLLER, STATE = "leakloc", "site.json", "controller.json", "state.pickle"
CHUNK_BYTES = 1 << 18  # what one torn chunk may cost; larger ones compress hardly better
MAX_CHUNK_BYTES = 1 << 26  # uncompressed; the largest mark is a hundredth: a chunk of zeros must not take the memory
MAX_RECORD_BYTES = 1 << 28  # a state is a tenth of it; a damaged length must not ask for the machine's memory
SUFFIX = ".mcap"


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording is of. `origin_ns` is the loop's time and `origin_utc_ns` UTC's at the controller's start.

    `site` and `controller` are the declared tables as JSON: a recording needs no other file.
    """

    run: str
    software: str
    origin_ns: int
    origin_utc_ns: int
    site: bytes
    controller: bytes
    compartment: str
    links: tuple[str, ...]
    version: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording that was opened; `part` counts the files of one run from 1."""

    path: Path
    head: Head
    part: int

    @property
    def state(self) -> bytes | None:
        """What the rooms remembered before its first mark; None where the file has none. Read when it is asked for."""
        for record in _records(self.path):
            if isinstance(record, Attachment) and record.name == STATE:
                return record.data
            if isinstance(record, Channel | Message):
                break
        return None


class RecordingWriter:
    """Writes one file; blocking."""

    def __init__(self, path: Path, head: Head, part: int, state: bytes | None) -> None:
        """Begin the file, which must not exist yet. Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("xb")
        self._writer = Writer(
            self._file,
            chunk_size=CHUNK_BYTES,
            compression=CompressionType.ZSTD,
            index_types=IndexType.CHUNK | IndexType.ATTACHMENT | IndexType.METADATA,
        )
        self._writer.start(profile=PROFILE, library=head.software)
        self._shift_ns = head.origin_utc_ns - head.origin_ns
        self._channels: dict[str, int] = {}
        self._sequence = 0
        own = {"version": str(head.version), "part": str(part), "run": head.run, "software": head.software}
        own |= {"origin_ns": str(head.origin_ns), "origin_utc_ns": str(head.origin_utc_ns)}
        own |= {"compartment": head.compartment, "links": msgspec.json.encode(head.links).decode()}
        self._writer.add_metadata(HEAD, own)
        began_ns = head.origin_utc_ns
        self._writer.add_attachment(began_ns, began_ns, SITE, "application/json", head.site)
        self._writer.add_attachment(began_ns, began_ns, CONTROLLER, "application/json", head.controller)
        if state is not None:
            self._writer.add_attachment(began_ns, began_ns, STATE, "application/x-python-pickle", state)

    @property
    def size_bytes(self) -> int:
        """What is on disk by now."""
        return self._file.tell()

    def write(self, marks: Iterable[Mark]) -> None:
        """Append, and push it down to the disk."""
        for mark in marks:
            channel = self._channels.get(mark.topic)
            if channel is None:
                channel = self._channels[mark.topic] = self._register(mark.topic)
            self._sequence += 1
            self._writer.add_message(
                channel,
                log_time=mark.now_ns + self._shift_ns,
                publish_time=mark.at_ns + self._shift_ns,
                sequence=self._sequence & 0xFFFFFFFF,
                data=mark.data,
            )
        self._writer.flush()  # type: ignore[no-untyped-call]
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Write the index and close; without it the file is read as far as it goes."""
        try:
            self._writer.finish()  # type: ignore[no-untyped-call]
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Close without an index, as after a failure; what is on disk stays readable."""
        with suppress(OSError):
            self._file.close()

    def _register(self, topic: str) -> int:
        known = link_of(topic)
        frames = known is not None and known[1] in {Role.FROM_NODE, Role.TO_NODE}
        text = known is not None and known[1] is Role.CALL
        encoding = "leakloc-frames" if frames else "text" if text else "json"
        return self._writer.register_channel(topic, encoding, schema_id=0)


def open_recording(path: Path) -> Recorded:
    """Read a recording's head.

    Raises:
        RecordingError: it is no recording of ours, or its head is damaged.
    """
    found: dict[str, bytes] = {}
    own: dict[str, str] = {}
    for record in _records(path):
        if isinstance(record, Metadata) and record.name == HEAD:
            own = record.metadata
        elif isinstance(record, Attachment):
            found[record.name] = record.data if record.name != STATE else b""
        elif isinstance(record, Channel | Message):
            break
    if not own:
        raise RecordingError(f"{path} is no recording", remedy="name a file that leakctl run --record wrote")
    if own.get("version") != str(FORMAT_VERSION):
        raise RecordingError(
            f"{path} has format {own.get('version')}, this leakctl reads {FORMAT_VERSION}",
            remedy=f"replay it with {own.get('software', 'the software that wrote it')}",
        )
    try:
        head = Head(
            run=own["run"],
            software=own["software"],
            origin_ns=int(own["origin_ns"]),
            origin_utc_ns=int(own["origin_utc_ns"]),
            site=found[SITE],
            controller=found[CONTROLLER],
            compartment=own["compartment"],
            links=msgspec.json.decode(own["links"], type=tuple[str, ...]),
        )
        part = int(own["part"])
    except (KeyError, ValueError, msgspec.MsgspecError) as error:
        raise RecordingError(f"{path}: its head is damaged ({error})", remedy="it cannot be replayed") from error
    return Recorded(path, head, part)


def read_marks(recorded: Recorded) -> Iterator[Mark]:
    """All marks in the order in which they were made; ends where a torn or damaged file does."""
    shift_ns = recorded.head.origin_utc_ns - recorded.head.origin_ns
    topics: dict[int, str] = {}
    expected = 1
    for record in _records(recorded.path):
        if isinstance(record, Channel):
            topics[record.id] = record.topic
        elif isinstance(record, Message):
            if record.channel_id not in topics or record.sequence != expected & 0xFFFFFFFF:
                return  # something between is lost: what follows is of another state
            expected += 1
            yield Mark(
                topics[record.channel_id], record.log_time - shift_ns, record.publish_time - shift_ns, record.data
            )


def _records(path: Path) -> Iterator[object]:
    """Every record that is whole; a file that was cut or damaged ends early."""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for without end
            raise RecordingError(f"{path} is no ordinary file", remedy="name a file that leakctl run --record wrote")
        with path.open("rb") as file:
            reader = StreamReader(file, emit_chunks=True, validate_crcs=True, record_size_limit=MAX_RECORD_BYTES)
            try:
                for record in reader.records:
                    if not isinstance(record, Chunk):
                        yield record
                    elif _size(record) > MAX_CHUNK_BYTES:
                        return
                    else:
                        yield from breakup_chunk(record, validate_crc=True)
            except OSError:
                raise
            except Exception:  # damage shows as whatever its bytes happen to mean: the end of what can be trusted
                return
    except OSError as error:
        raise RecordingError(
            f"cannot read {path}", remedy=f"{error.strerror or error}; check the path and its permissions"
        ) from error


def _size(chunk: Chunk) -> int:
    """What it would take in memory, as it says and as its compressed frame says; whichever lies, the larger counts."""
    of_frame = zstandard.frame_content_size(chunk.data) if chunk.compression == "zstd" else 0
    return max(chunk.uncompressed_size, of_frame)
