"""Files of counts that are written piece by piece: WAV and NPZ, the same bytes for the same counts.

What is recorded when is up to `recording`.
"""

import wave
import zipfile
from io import BytesIO
from pathlib import Path
from typing import IO, Protocol

import numpy as np
from numpy.typing import NDArray

BYTES_A_COUNT = 2
WAV_HEADER_BYTES = 44
MOST_WAV_BYTES = (1 << 32) - 1 - WAV_HEADER_BYTES  # its sizes have 32 bits
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # of members: a file says nothing about when it was written


class CountsFile(Protocol):
    """A file that takes counts (channels, n) in the order of time."""

    def add(self, counts: NDArray[np.int16]) -> None:
        """Append a piece."""
        ...

    def close(self) -> None:
        """Finish it."""
        ...


class WavFile:
    """A WAV file of 16-bit counts, one channel a sensor."""

    def __init__(self, path: Path, channels: int, rate_hz: int) -> None:
        """Open it; `rate_hz` is the nominal rate."""
        self._file = wave.open(str(path), "wb")  # noqa: SIM115 - open until `close`
        self._file.setnchannels(channels)
        self._file.setsampwidth(BYTES_A_COUNT)
        self._file.setframerate(rate_hz)

    def add(self, counts: NDArray[np.int16]) -> None:
        """Append (channels, n) counts."""
        self._file.writeframesraw(np.ascontiguousarray(counts.T, dtype="<i2").tobytes())

    def close(self) -> None:
        """Finish its header."""
        self._file.close()


class NpzFile:
    """An NPZ file whose array `counts` (bursts, channels, samples) is written as it comes.

    Several bursts are written one whole burst after the other; one burst may come in pieces.
    """

    def __init__(self, path: Path, bursts: int, channels: int, samples: int) -> None:
        """Open it and announce the shape."""
        self._archive = zipfile.ZipFile(path, "w")
        self._by_burst = bursts != 1
        # One burst is laid out sample by sample, so that its pieces can follow each other.
        header = {"descr": "<i2", "fortran_order": not self._by_burst, "shape": (bursts, channels, samples)}
        self._member: IO[bytes] = self._archive.open(_member("counts"), "w", force_zip64=True)
        np.lib.format.write_array_header_1_0(self._member, header)

    def add(self, counts: NDArray[np.int16]) -> None:
        """Append the next burst (channels, samples), or the next piece (channels, n) of the only one."""
        laid_out = counts if self._by_burst else counts.T
        self._member.write(np.ascontiguousarray(laid_out, dtype="<i2").tobytes())

    def close(self) -> None:
        """Finish it without more."""
        self.finish({})

    def finish(self, arrays: dict[str, NDArray[np.generic]]) -> None:
        """Finish it with further arrays."""
        self._member.close()
        for name, array in arrays.items():
            buffer = BytesIO()
            np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
            self._archive.writestr(_member(name), buffer.getvalue())
        self._archive.close()


def _member(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(f"{name}.npy", ZIP_TIME)
