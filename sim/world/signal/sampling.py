"""The band that the sound field carries, and exact samples of a band-limited frame at any offset and rate.

What the frame contains is up to `waveform` and the fields of `sound` and `structure`.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import ndtr

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Psd = Callable[[FloatArray], FloatArray]

BAND_LOW_HZ = (1e3, 5e3)  # nothing below the first, everything above the second
BAND_HIGH_NYQUIST = (0.875, 1.0)  # the same at the top, as shares of half the sample rate
EDGE_SIGMAS = 12.5  # width of an edge in sigmas of its Gaussian step: 2e-10 remains outside
KERNEL_S = 5e-3  # half length of a source's shaping filter; with smooth spectra it is below 1e-10 long before
KERNEL_FLAT = 0.6  # share of it that is left alone, the rest is faded out
GUARD_S = 10e-3  # reach of shaping, band edges and absorption together, on either side of a frame
RATE_ERROR_LIMIT = 1e-3  # a crystal that far off is broken; the fields' frames keep room for it
BLOCK = 128  # phasors are products of a coarse and a fine table, which is faster than an exponential each


def band(frequency_hz: FloatArray, sample_rate_hz: float) -> FloatArray:
    """Amplitude with which the field carries each frequency, 0 to 1: 1 from 5 kHz to 7/8 of Nyquist.

    The edges are Gaussian steps, so that their ringing is over within 5 ms.
    """
    nyquist_hz = sample_rate_hz / 2.0
    high_hz = (BAND_HIGH_NYQUIST[0] * nyquist_hz, BAND_HIGH_NYQUIST[1] * nyquist_hz)
    rising = (frequency_hz - sum(BAND_LOW_HZ) / 2.0) / (BAND_LOW_HZ[1] - BAND_LOW_HZ[0])
    falling = (sum(high_hz) / 2.0 - frequency_hz) / (high_hz[1] - high_hz[0])
    carried: FloatArray = ndtr(EDGE_SIGMAS * rising) * ndtr(EDGE_SIGMAS * falling)
    carried[(frequency_hz <= BAND_LOW_HZ[0]) | (frequency_hz >= nyquist_hz)] = 0.0
    return carried


def shaping(psd: Psd, sample_rate_hz: float, length: int) -> FloatArray:
    """Real transfer function (length // 2 + 1,) that turns unit white noise into sound of spectrum `psd`, Pa.

    It is that of a symmetric filter of exactly 2 * 5 ms, whatever `psd` (one-sided, Pa2/Hz) is, so every
    frame length gives the same samples; a spectrum is followed down to details of about 200 Hz.

    Raises:
        ValueError: a spectrum that is negative or not finite inside the band.
    """
    half = math.ceil(KERNEL_S * sample_rate_hz)
    design = fft.next_fast_len(8 * half, real=True)
    frequency_hz: FloatArray = fft.rfftfreq(design, 1.0 / sample_rate_hz)
    amplitude = band(frequency_hz, sample_rate_hz)
    inside = amplitude > 0.0
    density = np.asarray(psd(frequency_hz[inside]), dtype=np.float64)
    if not np.all(np.isfinite(density)) or np.any(density < 0.0):
        raise ValueError("a source's spectrum must be finite and not negative between 1 kHz and Nyquist")
    amplitude[inside] *= np.sqrt(density * sample_rate_hz / 2.0)
    kernel: FloatArray = fft.irfft(amplitude, n=design)[: half + 1]
    fade = np.clip((np.arange(half + 1) / half - KERNEL_FLAT) / (1.0 - KERNEL_FLAT), 0.0, 1.0)
    kernel *= np.square(np.cos(0.5 * np.pi * fade))
    padded = np.zeros(length)
    padded[: half + 1] = kernel
    padded[-half:] = kernel[:0:-1]
    response: FloatArray = fft.rfft(padded).real
    return response


def phasor(step_rad: float, count: int) -> ComplexArray:
    """exp(j step k) for k = 0 to count - 1, shape (count,)."""
    coarse = np.exp(1j * step_rad * BLOCK * np.arange(-(-count // BLOCK)))
    fine = np.exp(1j * step_rad * np.arange(BLOCK))
    product: ComplexArray = np.multiply.outer(coarse, fine).ravel()[:count]
    return product


def frame_samples(spectrum: ComplexArray, length: int, first: float, step: float, count: int) -> FloatArray:
    """Values (channels, count) of a frame at the places first, first + step, ... counted in its samples.

    `spectrum` (channels, length // 2 + 1) is the real FFT of the frame, nothing at zero and Nyquist. Exact to
    rounding for any real `first` and `step`: the trigonometric sum itself, by the chirp transform (Bluestein
    1970) when the step is not 1.
    """
    turn = 2.0 * math.pi / length
    if step == 1.0:
        whole = math.floor(first)
        if first != whole:
            spectrum = spectrum * phasor(turn * (first - whole), spectrum.shape[1])
        frame: FloatArray = fft.irfft(spectrum, n=length, axis=1)
        return np.ascontiguousarray(frame[:, whole : whole + count])
    bins = spectrum.shape[1]
    squares = np.square(np.arange(max(bins, count), dtype=np.float64))
    chirp = np.exp(0.5j * turn * step * squares)
    size = fft.next_fast_len(bins + count - 1)
    mirror = np.zeros(size, dtype=np.complex128)
    mirror[:count] = chirp[:count].conj()
    mirror[size - bins + 1 :] = chirp[bins - 1 : 0 : -1].conj()
    turned = spectrum * (chirp[:bins] * phasor(turn * first, bins))
    turned = fft.fft(turned, n=size, axis=1) * fft.fft(mirror)
    summed: ComplexArray = fft.ifft(turned, axis=1, overwrite_x=True)
    values: FloatArray = (summed[:, :count] * chirp[:count]).real * (2.0 / length)
    return values
