"""A recording as it was stored, and the equal pieces that it is cut into. Files are opened elsewhere."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.errors import ControllerError

PIECE_S = 0.085  # as long as the controller's own bursts
LEAST_SAMPLES = 2048  # 11 ms at 192 kS/s: the longest delay of a room fits in twice
MANY = 4  # pieces from which a part of one that is left over does not matter
GRAIN = 512  # pieces are multiples: the transform of a prime length is slow, and cross-spectra are thinned by halves
LEAST_RATE_HZ, POOR_RATE_HZ, MOST_RATE_HZ = 32_000.0, 64_000.0, 4_000_000.0  # the band begins at 12 kHz
CLIPPED_SHARE = 1e-3
SILENT_SHARE = 1e-7  # of the loudest channel's amplitude: what is below has not been recorded


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What a file or folder holds.

    Args:
        source: its name, for messages.
        signals: (bursts, channels, samples) as stored, whole numbers or floating point.
        fs_hz: sampling rate.
        scale_pa: (channels,) pascals a unit.
        present: (bursts, channels) what was recorded at all.
        sensors: names of the channels, where the recording tells them.
        temperature_k: of the air, where the recording tells it.
        one_clock: whether the nodes' samples were taken at the same times, so that nodes may be compared at all.
        rate_sigma: how far the channels' rates may be from `fs_hz`, relative.
        notes: what its user should know.
    """

    source: str
    signals: NDArray[Any]
    fs_hz: float
    scale_pa: NDArray[np.float32]
    present: NDArray[np.bool_]
    sensors: tuple[str, ...] | None = None
    temperature_k: float | None = None
    one_clock: bool = True
    rate_sigma: float = 0.0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no estimate can come from."""
        if self.signals.ndim != 3 or 0 in self.signals.shape:
            raise ControllerError(
                f"{self.source}: signals have shape {self.signals.shape}",
                remedy="store [channels, samples] or [bursts, channels, samples]",
            )
        if not LEAST_RATE_HZ <= self.fs_hz <= MOST_RATE_HZ:
            raise ControllerError(
                f"{self.source}: sampled at {self.fs_hz:g} Hz, not {LEAST_RATE_HZ:g} to {MOST_RATE_HZ:g}",
                remedy="leaks are sought from 12 kHz up; record at 96 kHz or more, and give the rate in Hz",
            )
        if self.signals.shape[2] < LEAST_SAMPLES:
            raise ControllerError(
                f"{self.source}: {self.signals.shape[2]} samples a channel, fewer than {LEAST_SAMPLES}",
                remedy=f"record longer; {PIECE_S * 1e3:.0f} ms or more are best"
                + ("; is the array [channels, samples]?" if self.signals.shape[1] > LEAST_SAMPLES else ""),
            )

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return int(self.signals.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Equal pieces of a recording: `pressure_pa` (pieces, channels, samples), `present` (pieces, channels)."""

    pressure_pa: NDArray[np.float32]
    present: NDArray[np.bool_]
    fs_hz: float
    notes: tuple[str, ...]


def piece_samples(recording: Recording) -> int:
    """Best length of pieces: near the power of two nearest to PIECE_S, such that little is left over."""
    samples = int(recording.signals.shape[2])
    wanted = 1 << round(math.log2(PIECE_S * recording.fs_hz))
    if samples >= MANY * wanted:
        return wanted
    return samples // max(1, round(samples / wanted)) // GRAIN * GRAIN


def cut(recording: Recording, samples: int, most: int) -> Pieces:
    """Pieces of `samples` each, at most `most`, evenly spread over the recording."""
    each = recording.signals.shape[2] // samples
    if not each:
        raise ControllerError(
            f"{recording.source}: {recording.signals.shape[2]} samples, where pieces of {samples} are compared",
            remedy="record the baseline at least as long as a burst",
        )
    total = each * recording.signals.shape[0]
    chosen = np.unique(np.linspace(0, total - 1, min(total, most)).round().astype(int))
    waves = np.empty((len(chosen), recording.channels, samples), dtype=np.float32)
    for row, at in enumerate(chosen):
        start = at % each * samples
        waves[row] = recording.signals[at // each, :, start : start + samples]
    notes = list(recording.notes)
    if total > most:
        notes.append(f"{recording.source}: {most} of {total} pieces of {samples} samples are used, evenly spread")
    if recording.fs_hz < POOR_RATE_HZ:
        notes.append(f"{recording.source}: at {recording.fs_hz:g} Hz most of a leak's sound is lost; 192 kHz hear it")
    present = recording.present[chosen // each].copy()
    _refuse_nan(recording, waves, present)
    notes += _clipped(recording, waves)
    waves -= waves.mean(axis=2, keepdims=True)
    waves *= recording.scale_pa[:, None]
    notes += _silence(recording, waves, present)
    return Pieces(waves, present, recording.fs_hz, tuple(notes))


def _refuse_nan(recording: Recording, waves: NDArray[np.float32], present: NDArray[np.bool_]) -> None:
    wrong = np.argwhere(~np.isfinite(waves).all(axis=2) & present)
    if len(wrong):
        raise ControllerError(
            f"{recording.source}: channel {int(wrong[0][1])} holds NaN or infinity",
            remedy="cut the bad stretch out, or fill a dead channel with zeros: it is then left out",
        )


def _clipped(recording: Recording, waves: NDArray[np.float32]) -> list[str]:
    """A word on channels that sit at their own extremes for a share of the time."""
    top, bottom = waves.max(axis=(0, 2), keepdims=True), waves.min(axis=(0, 2), keepdims=True)
    at_ends = ((waves == top) | (waves == bottom)) & (top > bottom)
    # Few steps are no clipping: counts of -3 to 3 are at their ends now and then.
    coarse = (top - bottom)[0, :, 0] < 64.0 if np.issubdtype(recording.signals.dtype, np.integer) else False
    share = np.where(coarse, 0.0, at_ends.mean(axis=(0, 2)))
    clipped = np.flatnonzero(share > CLIPPED_SHARE)
    if not len(clipped):
        return []
    much = f"{100 * float(share.max()):.1f} % of the samples"
    return [f"{recording.source}: channels {_listed(clipped)} clip ({much}); lower the gain"]


def _silence(recording: Recording, waves: NDArray[np.float32], present: NDArray[np.bool_]) -> list[str]:
    """Take channels that hold nothing out of `present`; a word on them."""
    rms = np.sqrt(np.mean(waves**2, axis=2))
    loudest = float(rms.max(initial=0.0))
    if not loudest > 0.0:
        raise ControllerError(f"{recording.source}: all channels are silent", remedy="check how it was recorded")
    waves /= np.float32(loudest)  # whitening forgets the level; single precision squares it in between
    silent = rms <= SILENT_SHARE * loudest
    dead = np.flatnonzero(silent.all(axis=0) & present.any(axis=0))
    present &= ~silent
    return [f"{recording.source}: channels {_listed(dead)} are silent and left out"] if len(dead) else []


def _listed(channels: NDArray[np.intp]) -> str:
    shown = ", ".join(str(int(channel)) for channel in channels[:8])
    return shown + (f" and {len(channels) - 8} more" if len(channels) > 8 else "")
