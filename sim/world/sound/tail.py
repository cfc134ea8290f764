"""What follows the specular paths: diffuse reverberation as an impulse response for every microphone.

The energy is that of the image sources of orders that are not followed, smoothed: their density over time is
4 pi c / V whatever the room's shape, each wall takes its share once a mean free path 4 V / S (Eyring 1930), air
the rest. The field is a sum of plane waves from all around with a noise of its own each, so that microphones a
distance d apart share sin(k d) / (k d) of it (Cook 1955). Single echoes, flutter and focusing are not in it.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import ndtr

from sim.world.air import Air
from sim.world.signal.sampling import phasor

FloatArray = NDArray[np.float64]

WAVES = 64  # plane waves: the coherence of a diffuse field within 0.02 up to k d = 8; from 12 on up to 0.25 off
DECAY_DB = 60.0  # the tail is kept until it has fallen so far
LONGEST_S = 0.5  # and no longer than this: bare metal all around would ring on for seconds, at this cost a capture
FADE_S = 5e-3  # its end is faded out
BUNCHING = 0.35  # variance of the number of bounces over its mean in boxes of common shape (Kuttruff, Room Acoustics)
LOSS_CLASSES = 16  # frequencies of equal air absorption fade together; between classes linearly
LOW_HZ = 1e3  # the field carries nothing below
GOLDEN_RAD = math.pi * (3.0 - math.sqrt(5.0))


@dataclass(frozen=True, slots=True)
class Diffuse:
    """A room as its reverberation sees it.

    Args:
        volume_m3: volume, m3.
        surface_m2: area of its walls, m2.
        wall_reflection: pressure amplitude left by a bounce.
        followed: number of bounces up to which paths are followed one by one.
    """

    volume_m3: float
    surface_m2: float
    wall_reflection: float
    followed: int

    @property
    def free_path_m(self) -> float:
        """Mean free path between walls, 4 V / S, m."""
        return 4.0 * self.volume_m3 / self.surface_m2

    def reverberation_s(self, absorption_np_m: FloatArray, speed_m_s: float) -> FloatArray:
        """T60, s, by Eyring with air, for amplitude absorptions of the air in Np/m; infinity without any loss."""
        wall = -2.0 * math.log(max(self.wall_reflection, 1e-9)) / self.free_path_m
        loss = (wall + 2.0 * absorption_np_m) * speed_m_s
        with np.errstate(divide="ignore"):
            t60_s: FloatArray = 6.0 * math.log(10.0) / loss
        return t60_s

    def envelope(self, time_s: FloatArray, speed_m_s: float, open_share: float) -> FloatArray:
        """Root of the energy density, 1/sqrt(s), without the air's loss; `open_share` of all directions is open."""
        bounces = speed_m_s * time_s / self.free_path_m
        spread = np.sqrt(BUNCHING * np.maximum(bounces, 1e-9))
        late = ndtr((bounces - self.followed - 0.5) / spread)  # share of images beyond the orders followed
        density = 4.0 * math.pi * open_share * speed_m_s / self.volume_m3
        root: FloatArray = np.sqrt(density * late) * np.power(max(self.wall_reflection, 1e-9), bounces)
        return root

    def length_s(self, air: Air) -> float:
        """How long the tail is kept, s, from the emission on."""
        least_np_m = air.absorption_np_m(np.array([LOW_HZ]))
        t60_s = float(self.reverberation_s(least_np_m, air.sound_speed_m_s)[0])
        onset_s = (self.followed + 1.5) * self.free_path_m / air.sound_speed_m_s
        return min(LONGEST_S, onset_s + DECAY_DB / 60.0 * t60_s)


def tail_response(
    room: Diffuse,
    air: Air,
    offsets_m: FloatArray,
    sample_rate_hz: float,
    open_share: float,
    random: np.random.Generator,
) -> FloatArray:
    """Impulse responses (m, n) on the grid, from the emission on; `offsets_m` (m, 3) are the microphones' places."""
    speed = air.sound_speed_m_s
    count = math.ceil(room.length_s(air) * sample_rate_hz)
    size = int(fft.next_fast_len(count + math.ceil(FADE_S * sample_rate_hz), real=True))
    time_s = np.arange(size) / sample_rate_hz
    steady = _diffuse_noise(size, offsets_m, sample_rate_hz / speed, random)
    steady *= room.envelope(time_s, speed, open_share) / math.sqrt(sample_rate_hz)
    absorption = air.absorption_np_m(fft.rfftfreq(size, 1.0 / sample_rate_hz))
    low = float(air.absorption_np_m(np.array([LOW_HZ]))[0])
    classes = low + (float(absorption[-1]) - low) * np.linspace(0.0, 1.0, LOSS_CLASSES) ** 2
    spectrum = np.zeros((len(offsets_m), size // 2 + 1), dtype=np.complex128)
    for index, loss in enumerate(classes):
        hat = np.zeros(LOSS_CLASSES)
        hat[index] = 1.0
        faded = fft.rfft(steady * np.exp(-loss * speed * time_s), axis=1)
        spectrum += faded * np.interp(absorption, classes, hat)
    response: FloatArray = fft.irfft(spectrum, n=size, axis=1)[:, :count]
    fade = min(count, math.ceil(FADE_S * sample_rate_hz))
    response[:, count - fade :] *= 0.5 + 0.5 * np.cos(math.pi * np.arange(1, fade + 1) / fade)
    return response


def _diffuse_noise(
    size: int,
    offsets_m: FloatArray,
    samples_per_m: float,
    random: np.random.Generator,
) -> FloatArray:
    """Unit white noise (m, size), coherent between microphones as in a diffuse field."""
    turn, _ = np.linalg.qr(random.standard_normal((3, 3)))
    step = np.arange(WAVES) + 0.5
    height = 1.0 - 2.0 * step / WAVES
    ring = np.sqrt(1.0 - height**2)
    around = np.stack([height, ring * np.cos(GOLDEN_RAD * step), ring * np.sin(GOLDEN_RAD * step)], axis=1)
    lag = samples_per_m * offsets_m @ (around @ turn).T
    bins = size // 2 + 1
    total = np.zeros((len(offsets_m), bins), dtype=np.complex128)
    for wave in range(WAVES):
        noise = fft.rfft(random.standard_normal(size))
        for row in range(len(offsets_m)):
            total[row] += noise * phasor(-2.0 * math.pi * lag[row, wave] / size, bins)
    spread: FloatArray = fft.irfft(total / math.sqrt(WAVES), n=size, axis=1)
    return spread
