"""The box against pyroomacoustics' image sources: arrival times and amplitudes of orders 0 to 3; fast sampling."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.world.air import Air
from sim.world.sound.field import SoundField
from sim.world.sound.room import BoxRoom
from sim.world.sound.source import SoundSource
from sim.world.sound.transfer import Surroundings, impulse_responses

FloatArray = NDArray[np.float64]

SOURCE_M, MICROPHONE_M = (1.13, 0.87, 1.31), (2.92, 2.11, 0.74)
SIZE_M = (4.0, 3.0, 2.0)
WALL = 0.6
RATE_HZ = 192e3
AIR = Air(295.15, 101_325.0, 0.0)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_images_are_those_of_pyroomacoustics(order: int) -> None:
    pra = pytest.importorskip("pyroomacoustics")
    # its walls take energy, ours leave amplitude: 1 - 0.6^2
    peer = pra.ShoeBox(SIZE_M, fs=192_000, materials=pra.Material(1.0 - WALL**2), max_order=order)
    peer.set_sound_speed(AIR.sound_speed_m_s)
    peer.add_source(SOURCE_M)
    peer.add_microphone(MICROPHONE_M)
    peer.image_source_model()
    images = peer.sources[0]
    length_m = np.linalg.norm(images.images.T - np.array(MICROPHONE_M), axis=1)
    strength = images.damping[0]
    ours = BoxRoom(*SIZE_M).paths(np.array(SOURCE_M), np.array([MICROPHONE_M]), order)
    assert ours.length_m.shape[1] == len(length_m)
    by_length = np.argsort(length_m)
    # it keeps images in single precision: 10 m to 24 bits
    assert ours.length_m[0] == pytest.approx(length_m[by_length], abs=5e-6)
    assert ours.gain[0] * WALL ** ours.bounces[0] == pytest.approx((strength / length_m)[by_length], rel=2e-6)


class _Still(Air):
    """Air that takes nothing, as the peer's."""

    def absorption_np_m(self, frequency_hz: FloatArray) -> FloatArray:
        return np.zeros_like(frequency_hz)


def peer_response(order: int) -> FloatArray:
    pra = pytest.importorskip("pyroomacoustics")
    peer = pra.ShoeBox(SIZE_M, fs=192_000, materials=pra.Material(1.0 - WALL**2), max_order=order)
    peer.set_sound_speed(AIR.sound_speed_m_s)
    peer.add_source(SOURCE_M)
    peer.add_microphone(MICROPHONE_M)
    peer.compute_rir()
    late = pra.constants.get("frac_delay_length") // 2  # its fractional delays are centred there
    size = 1 << 14
    turn = np.exp(2j * math.pi * np.fft.rfftfreq(size) * late)
    return np.asarray(np.fft.rfft(peer.rir[0][0], size) * turn)


def test_its_impulse_response_is_ours_in_the_band() -> None:
    # its spreading is 1 / r or 1 / (4 pi r), by version: its own direct sound tells the scale
    direct_m = math.dist(SOURCE_M, MICROPHONE_M)
    frequency_hz = np.fft.rfftfreq(1 << 14, 1.0 / RATE_HZ)
    inside = (frequency_hz > 6e3) & (frequency_hz < 60e3)
    scale = float(np.mean(np.abs(peer_response(0)[inside]))) * direct_m
    assert min(abs(scale - 1.0), abs(scale * 4.0 * math.pi - 1.0)) < 0.01
    air = _Still(AIR.temperature_k, AIR.pressure_pa, AIR.relative_humidity)
    ways = Surroundings(BoxRoom(*SIZE_M), air, 3, WALL).ways(np.array(SOURCE_M), np.array([MICROPHONE_M]))
    response, lead = impulse_responses(ways, 1, air, RATE_HZ, None)
    turn = np.exp(2j * math.pi * frequency_hz * lead / RATE_HZ)
    here, there = np.fft.rfft(response[0], 1 << 14) * turn, peer_response(3) / scale
    assert len(ways.receiver) == 63
    difference = np.sqrt(np.mean(np.abs(here - there)[inside] ** 2) / np.mean(np.abs(there[inside]) ** 2))
    # its delays come from a table with a twentieth of a sample: up to 1/40 of 5.2 us, 0.05 rad at 60 kHz
    assert difference < 0.03


def test_at_500_khz_the_band_reaches_200_khz_and_memory_stays_bounded() -> None:
    source = SoundSource("jet", (1.0, 1.0, 1.0), lambda f: np.full_like(f, 1e-8), -math.inf)
    field = SoundField(
        BoxRoom(*SIZE_M), AIR, [source], np.array([[1.3, 1.0, 1.0]]), sample_rate_hz=500e3, seed=1, reflections=1
    )  # fmt: skip
    heard = field.capture(0.0, 1 << 15, [0])[0]
    later = field.capture(1000 / 500e3, 2000, [0])[0]
    assert np.abs(heard[1000:3000] - later).max() < 1e-9 * heard.std()
    density = np.abs(np.fft.rfft(heard * np.hanning(1 << 15))) ** 2 / (500e3 * np.sum(np.hanning(1 << 15) ** 2)) * 2.0
    frequency_hz = np.fft.rfftfreq(1 << 15, 1.0 / 500e3)
    for middle_hz in (20e3, 100e3, 200e3):
        inside = np.abs(frequency_hz - middle_hz) < 8e3
        absorption = AIR.absorption_np_m(frequency_hz[inside])
        ways = Surroundings(BoxRoom(*SIZE_M), AIR, 1).ways(np.array(source.position_m), np.array([[1.3, 1.0, 1.0]]))
        power = sum(
            (gain * np.exp(-absorption * length)) ** 2
            for gain, length in zip(ways.amplitude, ways.length_m, strict=True)
        )
        # 1000 bins; the echoes' beats with the direct sound average out to 1 % of it over 16 kHz
        assert density[inside].mean() == pytest.approx(1e-8 * float(np.mean(power)), rel=0.2)
    outside = density[frequency_hz > 245e3].mean()
    assert outside < 1e-3 * density.mean()
