"""The diffuse tail: its decay, its energy beside the image sources', its coherence, and captures that agree."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import fft

from sim.world.air import Air
from sim.world.sound.field import SoundField
from sim.world.sound.room import BoxRoom, CylinderRoom, Room
from sim.world.sound.source import SoundSource
from sim.world.sound.tail import Diffuse, tail_response

FloatArray = NDArray[np.float64]

RATE_HZ = 192e3
AIR = Air(295.15, 101_325.0, 0.5)
SPEED = AIR.sound_speed_m_s
BOX = BoxRoom(4.0, 3.0, 2.5)


def diffuse(wall_reflection: float, followed: int, room: Room = BOX) -> Diffuse:
    return Diffuse(room.volume_m3, room.surface_m2, wall_reflection, followed)


def responses(room: Diffuse, offsets_m: FloatArray, seed: int = 1) -> FloatArray:
    return tail_response(room, AIR, offsets_m, RATE_HZ, 1.0, np.random.default_rng(seed))


@pytest.mark.parametrize("middle_hz", [10e3, 20e3, 40e3, 60e3])
def test_decay_is_eyrings_with_air(middle_hz: float) -> None:
    room = diffuse(0.8, 1)
    heard = responses(room, np.random.default_rng(2).uniform(0.0, 3.0, (12, 3)))
    absorption = float(AIR.absorption_np_m(np.array([middle_hz]))[0])
    # -ln(0.64) S / 4V for the walls and 2 m for the air; 55.3 V / c S' is the same in Eyring's own letters
    wall = -BOX.surface_m2 * math.log(0.64)
    by_eyring_s = 6.0 * math.log(10.0) * 4.0 * BOX.volume_m3 / SPEED / (wall + 8.0 * absorption * BOX.volume_m3)
    assert float(room.reverberation_s(np.array([absorption]), SPEED)[0]) == pytest.approx(by_eyring_s, rel=1e-12)
    spectrum = fft.rfft(heard, axis=1)
    frequency_hz = fft.rfftfreq(heard.shape[1], 1.0 / RATE_HZ)
    window = np.exp(-0.5 * ((frequency_hz - middle_hz) / 800.0) ** 2)
    energy = np.square(fft.irfft(spectrum * window, n=heard.shape[1], axis=1)).sum(axis=0)
    left_db = 10.0 * np.log10(np.cumsum(energy[::-1])[::-1])
    time_s = np.arange(len(left_db)) / RATE_HZ
    start_s = 4.0 * room.free_path_m / SPEED  # the onset of orders beyond the first is over
    used = (time_s > start_s) & (left_db > left_db[int(start_s * RATE_HZ)] - 25.0)
    slope_db_s = np.polyfit(time_s[used], left_db[used], 1)[0]
    # 1.4 kHz of noise over some 30 ms at 12 microphones, 500 independent values along the slope; classes of equal
    # loss are mixed linearly, which lengthens a decay by up to 3 % (measured with 60 microphones)
    assert -60.0 / slope_db_s == pytest.approx(by_eyring_s, rel=0.06)


def test_a_live_room_decays_as_sabine_says() -> None:
    # with little absorption Eyring and Sabine agree to half of it: 0.161 V / (S alpha), alpha = 0.0199
    room = diffuse(0.99, 1)
    sabine_s = 24.0 * math.log(10.0) / SPEED * BOX.volume_m3 / (BOX.surface_m2 * (1.0 - 0.99**2))
    assert float(room.reverberation_s(np.zeros(1), SPEED)[0]) == pytest.approx(sabine_s, rel=0.011)


@pytest.mark.parametrize("wall_reflection", [0.6, 0.8, 0.9])
@pytest.mark.parametrize("room", [BOX, CylinderRoom(1.1, 2.6)])
def test_energy_goes_on_where_the_paths_end(room: Room, wall_reflection: float) -> None:
    # however many orders are followed, they and the tail hold the same energy
    random = np.random.default_rng(3)
    followed, pairs = 4, 8
    by_order = np.zeros(followed + 1)
    tried = random.uniform([0.0, -1.1, -1.1], [4.0, 3.0, 2.5], (4000, 3))
    places = tried[room.clearance_m(tried) > 0.1]
    places = places[: 2 * pairs].reshape(pairs, 2, 3)
    places = places[np.linalg.norm(places[:, 0] - places[:, 1], axis=1) > 0.7]
    for source, receiver in places:
        found = room.paths(source, receiver[None], followed)
        by_order += [np.sum(found.gain[found.bounces == order] ** 2) for order in range(followed + 1)]
    by_order *= wall_reflection ** (2.0 * np.arange(followed + 1)) / len(places)
    time_s = np.arange(0.0, 2.0, 1e-5)
    totals = []
    for order in range(1, followed + 1):
        tail = 1e-5 * np.sum(diffuse(wall_reflection, order, room).envelope(time_s, SPEED, 1.0) ** 2)
        totals.append(by_order[: order + 1].sum() + tail)
    # measured: 0.16 dB at most for the eight pairs in the box, 0.27 dB for the five in the tube
    assert np.abs(10.0 * np.log10(np.array(totals) / totals[-1])).max() < 0.5


def test_all_of_it_together_is_the_power_balance() -> None:
    # nothing followed, live walls: 16 pi / A at 1 m of a source alike all around, A = -S ln(1 - alpha)
    room = diffuse(0.97, -1)
    time_s = np.arange(0.0, 8.0, 1e-4)
    energy = 1e-4 * float(np.sum(room.envelope(time_s, SPEED, 1.0) ** 2))
    balance = 16.0 * math.pi / (-2.0 * math.log(0.97) * BOX.surface_m2)
    assert energy == pytest.approx(balance, rel=0.01)


def test_neighbours_share_of_it_what_a_diffuse_field_does() -> None:
    apart_m = np.array([0.0, 0.004, 0.008, 0.015])
    places = np.concatenate([[np.zeros(3)], *[[apart * axis for axis in np.eye(3)] for apart in apart_m[1:]]])
    cross, power = np.zeros(len(places)), np.zeros(len(places))
    frequency_hz = np.zeros(0)
    for seed in range(6):
        heard = responses(diffuse(0.8, 1), places, seed)
        spectrum = fft.rfft(heard, axis=1)
        frequency_hz = fft.rfftfreq(heard.shape[1], 1.0 / RATE_HZ)
        inside = np.abs(frequency_hz - 30e3) < 3e3
        cross += (spectrum[:, inside] * spectrum[0, inside].conj()).sum(axis=1).real
        power += (np.abs(spectrum[:, inside]) ** 2).sum(axis=1)
    coherence = cross / np.sqrt(power * power[0])
    mean = [coherence[0], *coherence[1:].reshape(3, 3).mean(axis=1)]
    # 6 kHz over the energetic 20 ms, 6 draws: 720 values, sigma 0.04 an axis, 0.02 the mean of three
    for apart, found in zip(apart_m, mean, strict=True):
        assert found == pytest.approx(float(np.sinc(2.0 * 30e3 * apart / SPEED)), abs=0.08)


def tailed(late: bool, seed: int = 5) -> SoundField:
    source = SoundSource("hiss", (1.0, 1.2, 0.0), lambda f: np.full_like(f, 1e-8), -math.inf)
    microphones_m = np.array([[3.0, 2.0, 1.0], [3.01, 2.0, 1.0]])
    return SoundField(
        BOX, AIR, [source], microphones_m, sample_rate_hz=RATE_HZ, seed=seed, late_reverberation=late
    )  # fmt: skip


def test_captures_with_a_tail_agree_and_the_seed_decides_it() -> None:
    field = tailed(late=True)
    early, later = field.capture(1.0, 4096, [0, 1]), field.capture(1.0 + 1000 / RATE_HZ, 9000, [1, 0])[::-1]
    assert np.abs(early[:, 1000:] - later[:, :3096]).max() < 1e-9 * early.std()
    assert tailed(late=True).capture(1.0, 4096, [0, 1]).tobytes() == early.tobytes()
    assert tailed(late=True, seed=6).capture(1.0, 4096, [0, 1]).tobytes() != early.tobytes()


def test_the_tail_adds_its_energy_and_can_be_turned_off() -> None:
    dry, wet = tailed(late=False).capture(1.0, 1 << 16, [0]), tailed(late=True).capture(1.0, 1 << 16, [0])
    inside = fft.rfftfreq(1 << 16, 1.0 / RATE_HZ)
    low = (inside > 8e3) & (inside < 12e3)  # where the air takes little
    dry_power, wet_power = (np.sum(np.abs(fft.rfft(heard[0])[low]) ** 2) for heard in (dry, wet))
    absorption = float(AIR.absorption_np_m(np.array([10e3]))[0])
    time_s = np.arange(0.0, 1.0, 1e-5)
    envelope = diffuse(0.6, 2).envelope(time_s, SPEED, 0.5) * np.exp(-absorption * SPEED * time_s)  # on the floor
    tail = 1e-5 * float(np.sum(envelope**2))
    paths = BOX.paths(np.array([1.0, 1.2, 0.0]), np.array([[3.0, 2.0, 1.0]]), 2)
    specular = float(np.sum((paths.gain * 0.6**paths.bounces * np.exp(-absorption * paths.length_m)) ** 2))
    # echoes and tail beat with each other: 1200 bins, but only some 80 independent ones for 4 kHz and 20 ms
    assert wet_power / dry_power == pytest.approx(1.0 + tail / specular, rel=0.15)
