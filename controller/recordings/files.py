"""Recordings out of files: NPZ, WAV, and FLAC where a library for it is there. Folders are `rendered`'s."""

import struct
import warnings
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.errors import ControllerError
from controller.recordings.recording import LEAST_SAMPLES, Recording

MOST_CHANNELS = 256
MOST_BYTES = 4_000_000_000  # a minute of 64 channels at 500 kHz and 16 bits
SIGNALS = ("signals", "counts")  # the second is what single nodes' rendered files call them
RATES = ("fs_hz", "rate_hz", "fs")
SCALES = ("scale_pa", "scale")


def read_recording(path: Path) -> Recording:
    """Read NPZ, WAV or FLAC; ControllerError says what is wrong with it."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ControllerError(f"{path} has more than {MOST_BYTES} bytes", remedy="cut it")
        kind = path.suffix.lower()
        if kind == ".npz":
            return _npz(path)
        if kind in {".wav", ".wave"}:
            return _wav(path)
        if kind == ".flac":
            return _flac(path)
    except OSError as error:
        raise ControllerError(f"{path} cannot be read ({error.strerror or error})", remedy="check the path") from error
    raise ControllerError(
        f"{path} is of no known kind ({path.suffix or 'no suffix'})", remedy="bring .npz, .wav, .flac or a folder"
    )


def _npz(path: Path) -> Recording:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise ControllerError(f"{path} unpacks to more than {MOST_BYTES} bytes", remedy="cut it")
        with np.load(path, allow_pickle=False) as stored:
            keys = set(stored.files)
            at, rate = (next((key for key in names if key in keys), None) for names in (SIGNALS, RATES))
            if at is None or rate is None:
                lacking = "signals" if at is None else "fs_hz"
                raise ControllerError(
                    f"{path} holds {', '.join(sorted(keys)) or 'nothing'}, but no {lacking}",
                    remedy="store signals ([channels, samples] or [bursts, channels, samples]), fs_hz, "
                    "and perhaps scale_pa",
                )
            signals, fs_hz = np.asarray(stored[at]), _number(path, rate, stored[rate])
            scale = next((stored[key] for key in SCALES if key in keys), None)
            there = np.asarray(stored["present"], dtype=bool) if "present" in keys and at == "counts" else None
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError) as error:
        raise ControllerError(f"{path} is no sound NPZ file ({error})", remedy="write it with numpy.savez") from error
    return of_array(str(path), signals, fs_hz, scale, there)


def _number(path: Path, key: str, value: NDArray[Any]) -> float:
    try:
        number = float(np.asarray(value, dtype=float).reshape(-1)[0]) if np.size(value) == 1 else float("nan")
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise ControllerError(f"{path}: {key} is not one number", remedy="store one rate for all channels, in Hz")
    return number


def of_array(
    source: str,
    signals: NDArray[Any],
    fs_hz: float,
    scale: NDArray[Any] | float | None = None,
    there: NDArray[np.bool_] | None = None,
) -> Recording:
    """A recording of an array [channels, samples] or [bursts, channels, samples]; without scale, units are pascals."""
    if signals.dtype.kind not in "iuf":
        raise ControllerError(f"{source}: signals are {signals.dtype}", remedy="store int16 or float32")
    if signals.ndim == 2:
        signals = signals[None]
    notes: tuple[str, ...] = ()
    if signals.ndim == 3 and signals.shape[2] <= MOST_CHANNELS and signals.shape[1] >= LEAST_SAMPLES:
        signals = signals.transpose(0, 2, 1)
        notes = (f"{source}: signals are taken as [..., samples, channels]: nobody has {signals.shape[2]} microphones",)
    channels = signals.shape[1] if signals.ndim == 3 else 0
    try:
        each = np.broadcast_to(np.asarray(1.0 if scale is None else scale, dtype=np.float32).reshape(-1), (channels,))
    except ValueError as error:
        raise ControllerError(
            f"{source}: scale_pa has {np.size(np.asarray(scale))} values for {channels} channels",
            remedy="store one number, or one a channel",
        ) from error
    if not (np.all(np.isfinite(each)) and np.all(each > 0.0)):
        raise ControllerError(f"{source}: scale_pa must be above zero", remedy="give pascals a unit of the signals")
    present = np.ones(signals.shape[:2], dtype=bool)
    if there is not None and there.shape == signals.shape[:1]:
        present &= there[:, None]
    return Recording(source, signals, fs_hz, each, present, notes=notes)


def _wav(path: Path) -> Recording:
    from scipy.io import wavfile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks that only editors know
            fs_hz, samples = wavfile.read(path)
    except (ValueError, EOFError, KeyError, struct.error) as error:
        raise ControllerError(f"{path} is no sound WAV file ({error})", remedy="write PCM or float") from error
    return of_samples(str(path), samples, float(fs_hz))


def _flac(path: Path) -> Recording:
    try:
        soundfile = import_module("soundfile")  # not a dependency: most people bring WAV
    except ImportError as error:
        raise ControllerError(
            f"{path}: FLAC needs the package soundfile", remedy="pip install soundfile, or convert it to WAV"
        ) from error
    try:
        samples, fs_hz = soundfile.read(str(path), dtype="int32", always_2d=True)
    except RuntimeError as error:
        raise ControllerError(f"{path} is no sound FLAC file ({error})", remedy="convert it to WAV") from error
    return of_samples(str(path), samples, float(fs_hz))


def of_samples(source: str, samples: NDArray[Any], fs_hz: float) -> Recording:
    """A recording of (samples, channels) as audio files hold them; whole numbers are shares of full scale."""
    if samples.ndim == 1:
        samples = samples[:, None]
    full = float(np.iinfo(samples.dtype).max) if samples.dtype.kind in "iu" else 1.0
    return of_array(source, samples.T, fs_hz, 1.0 / full)
