"""The sound field as microphones sample it: delays, levels, echoes, clocks, and the same from every asker."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import fft

from sim.world.air import Air
from sim.world.leak.hole import Hole
from sim.world.sound.field import SoundField
from sim.world.sound.machine import Machine
from sim.world.sound.room import BoxRoom, CylinderRoom, Room
from sim.world.sound.source import SoundSource
from sim.world.sound.tone import Line

FloatArray = NDArray[np.float64]

RATE_HZ = 192e3
AIR = Air(295.15, 101_325.0, 0.5)
OPEN = BoxRoom(60.0, 60.0, 60.0)  # with no reflections any room is a free field
HULL = CylinderRoom(2.1, 8.0)
HOLE = Hole(2e-3, 0.85)
ALWAYS = -math.inf


def leak_psd(frequency_hz: FloatArray) -> FloatArray:
    return HOLE.pressure_psd_pa2_hz(frequency_hz, 101_325.0, 295.15)


def silence(frequency_hz: FloatArray) -> FloatArray:
    return np.zeros_like(frequency_hz)


def leak(
    x_m: float,
    y_m: float,
    z_m: float,
    start_s: float = ALWAYS,
    stop_s: float | None = None,
) -> SoundSource:
    return SoundSource("leak", (x_m, y_m, z_m), leak_psd, start_s, stop_s)


def field(
    source: SoundSource,
    *microphones_m: tuple[float, float, float],
    room: Room = OPEN,
    reflections: int = 0,
    wall_reflection: float = 0.6,
    seed: int = 5,
) -> SoundField:
    return SoundField(
        room,
        AIR,
        [source],
        np.array(microphones_m),
        sample_rate_hz=RATE_HZ,
        seed=seed,
        reflections=reflections,
        wall_reflection=wall_reflection,
    )


def noisy_hull(seed: int = 5) -> SoundField:
    fan = Machine((3.0, 1.0, -1.0), 50.0, (Line(40e3, 45.0), Line(66e3, 40.0)))
    sources = [
        leak(5.0, 0.0, 2.1),
        SoundSource("fan", fan.position_m, fan.pressure_psd_pa2_hz, ALWAYS, None, fan.lines),
    ]
    microphones_m = np.array([[1.0 + 0.05 * i, 1.9 * math.cos(i), 1.9 * math.sin(i)] for i in range(3)])
    return SoundField(HULL, AIR, sources, microphones_m, sample_rate_hz=RATE_HZ, seed=seed)


NOISY = noisy_hull()


def rms(pressure_pa: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(pressure_pa))))


@pytest.mark.parametrize("far_m", [(31.3, 30.0, 30.0), (30.2, 33.0, 31.0), (30.0, 30.0, 24.0)])
def test_delay_between_two_microphones_is_their_path_difference(far_m: tuple[float, float, float]) -> None:
    source, near_m = (30.0, 30.0, 30.0), (30.0, 30.5, 30.1)
    heard = field(leak(*source), near_m, far_m)
    expected_s = (math.dist(source, far_m) - math.dist(source, near_m)) / AIR.sound_speed_m_s
    # the second window starts as much later, so that it holds the same noise
    coarse_s = round(expected_s * RATE_HZ) / RATE_HZ
    samples = 16_384
    window = np.hanning(samples)
    near = fft.rfft(heard.capture(2.0, samples, [0])[0] * window)
    far = fft.rfft(heard.capture(2.0 + coarse_s, samples, [1])[0] * window)
    frequency_hz = fft.rfftfreq(samples, 1.0 / RATE_HZ)
    inside = (frequency_hz > 10e3) & (frequency_hz < 80e3)
    cross = (far * near.conj())[inside]
    turn_rad_s = 2.0 * math.pi * frequency_hz[inside]
    residual_s = -np.sum(np.abs(cross) * np.angle(cross) * turn_rad_s) / np.sum(np.abs(cross) * turn_rad_s**2)
    assert abs(coarse_s + residual_s - expected_s) < 1e-9  # 50 ns are asked for


def test_loudness_falls_with_distance_and_absorption() -> None:
    heard = field(leak(30.0, 30.0, 30.0), (31.0, 30.0, 30.0), (30.0, 36.0, 30.0))
    samples = 1 << 17
    window = np.hanning(samples)
    delays_s = (1.0 / AIR.sound_speed_m_s, 6.0 / AIR.sound_speed_m_s)
    heard_pa = [heard.capture(2.0 + delays_s[channel], samples, [channel])[0] for channel in (0, 1)]
    near, far = (np.abs(fft.rfft(pressure_pa * window)) ** 2 for pressure_pa in heard_pa)
    frequency_hz = fft.rfftfreq(samples, 1.0 / RATE_HZ)
    for middle_hz, loss_db_m in ((20e3, 0.50), (40e3, 1.37), (60e3, 2.13)):
        inside = np.abs(frequency_hz - middle_hz) < 200.0
        ratio_db = 10.0 * math.log10(float(near[inside].sum() / far[inside].sum()))
        assert ratio_db == pytest.approx(20.0 * math.log10(6.0) + 5.0 * loss_db_m, abs=0.04)


def test_spectrum_at_one_metre_is_the_declared_one() -> None:
    fan = Machine((30.0, 30.0, 30.0), 50.0)
    machine = SoundSource("fan", fan.position_m, fan.pressure_psd_pa2_hz, ALWAYS)
    segments, size, width_hz = 512, 2048, 5e3
    frequency_hz = fft.rfftfreq(size, 1.0 / RATE_HZ)
    window = np.hanning(size)
    scale = 2.0 / (RATE_HZ * np.sum(window**2))
    # the mean of n neighbouring bins of a Hann periodogram over K segments has a relative variance of
    # (1 + 2 (4/9 + 1/36)) / (n K) = 1.94 / (53 * 512): sigma 0.85 %
    bins = width_hz * size / RATE_HZ
    five_sigma = 5.0 * math.sqrt(1.944 / (bins * segments))
    for source in (leak(30.0, 30.0, 30.0), machine):
        heard = field(source, (31.0, 30.0, 30.0)).capture(1.0, segments * size, [0]).reshape(segments, size)
        measured = scale * np.mean(np.abs(fft.rfft(heard * window, axis=1)) ** 2, axis=0)
        loss = np.exp(-2.0 * AIR.absorption_np_m(frequency_hz))
        for low_hz in np.arange(10e3, 80e3, width_hz):
            inside = (frequency_hz >= low_hz) & (frequency_hz < low_hz + width_hz)
            declared = np.mean(source.psd(frequency_hz[inside]) * loss[inside])
            assert measured[inside].mean() == pytest.approx(declared, rel=five_sigma)


def test_an_echo_is_the_sound_of_the_image() -> None:
    # a box with its floor at z = 0 adds the mirrored source times 0.6; all other walls are too far away
    box, source_m, microphone_m = BoxRoom(60.0, 60.0, 60.0), (30.0, 30.0, 0.7), (31.0, 30.5, 1.2)
    echoing = SoundField(
        box, AIR, [leak(*source_m, start_s=0.5)], np.array([microphone_m]),
        sample_rate_hz=RATE_HZ, seed=5, reflections=1,
    )  # fmt: skip
    direct = field(leak(30.0, 30.0, 10.7, start_s=0.5), (31.0, 30.5, 11.2))
    image = field(leak(30.0, 30.0, 10.0 - 0.7, start_s=0.5), (31.0, 30.5, 11.2))
    samples = int(0.05 * RATE_HZ)  # 17 m of sound; the next wall is 58 m of path away
    expected = direct.capture(0.5, samples, [0]) + 0.6 * image.capture(0.5, samples, [0])
    found = echoing.capture(0.5, samples, [0])
    assert rms(found) > 0.0
    assert np.abs(found - expected).max() < 1e-9 * rms(found)


def test_the_end_of_a_capture_has_its_future() -> None:
    # the filters look ahead, which shows beside a source; some of the lengths fill their frame to the brim
    near = field(leak(30.0, 30.0, 30.0), (30.0, 30.0, 30.05))
    whole = near.capture(1.0, 9000, [0])[0]
    for samples in range(2000, 3000, 29):
        part = near.capture(1.0, samples, [0])[0]
        assert np.abs(part - whole[:samples]).max() < 1e-9 * rms(whole)


@settings(deadline=None, max_examples=15)
@given(shift=st.integers(0, 4000), samples=st.integers(200, 9000), later_samples=st.integers(200, 9000))
def test_overlapping_captures_agree(shift: int, samples: int, later_samples: int) -> None:
    # the float that holds 1 s resolves 2.2e-16 s, which turns 84 kHz by 1.2e-10 rad
    early = NOISY.capture(1.0, samples, [0, 2])
    late = NOISY.capture(1.0 + shift / RATE_HZ, later_samples, [2, 0])[::-1]
    both = min(samples - shift, later_samples)
    if both > 0:
        difference = early[:, shift : shift + both] - late[:, :both]
        assert np.abs(difference).max() < 1e-9 * rms(early)


@pytest.mark.parametrize("rate_error", [0.0, 20e-6, -200e-6, 1e-3])
def test_every_sample_is_the_sound_at_its_own_time(rate_error: float) -> None:
    start_s, samples = 1.2345678, 8192
    heard = NOISY.capture(start_s, samples, [1], rate_error)[0]
    for index in (0, 1, 777, 4096, samples - 1):
        alone = NOISY.capture(start_s + index / (RATE_HZ * (1.0 + rate_error)), 1, [1])[0, 0]
        assert abs(heard[index] - alone) < 1e-9 * rms(heard)


def test_a_source_starts_and_stops_after_the_way_to_the_microphone() -> None:
    source = leak(30.0, 30.0, 30.0, start_s=0.5, stop_s=0.6)
    heard = field(source, (33.0, 34.0, 30.0)).capture(0.4, int(0.3 * RATE_HZ), [0])[0]
    always = field(leak(30.0, 30.0, 30.0), (33.0, 34.0, 30.0)).capture(0.4, int(0.3 * RATE_HZ), [0])[0]
    loud = rms(always)
    time_s = 0.4 + np.arange(len(heard)) / RATE_HZ - 5.0 / AIR.sound_speed_m_s
    # the shaping filter spreads the edges by less than a millisecond
    assert rms(heard[time_s < 0.499]) < 1e-3 * loud
    assert rms(heard[time_s > 0.602]) < 1e-3 * loud
    assert not heard[time_s < 0.48].any() or rms(heard[time_s < 0.48]) < 1e-9 * loud
    open_s = (time_s > 0.507) & (time_s < 0.594)
    assert np.abs(heard[open_s] - always[open_s]).max() < 1e-9 * loud
    rising = heard[(time_s > 0.5) & (time_s < 0.501)]
    assert 0.2 * loud < rms(rising) < 0.9 * loud


def test_a_field_is_silent_before_its_sources() -> None:
    assert not field(leak(30.0, 30.0, 30.0, start_s=5.0), (31.0, 30.0, 30.0)).capture(1.0, 4096, [0]).any()


def test_lines_are_heard_at_their_level() -> None:
    line = Line(40e3, 60.0)
    source = SoundSource("converter", (30.0, 30.0, 30.0), silence, ALWAYS, None, (line, Line(150e3, 90.0)))
    heard = field(source, (32.0, 30.0, 30.0)).capture(1.0, 65_536, [0])[0]
    loss = float(np.exp(-2.0 * AIR.absorption_np_m(np.array([40e3]))[0])) / 2.0
    assert rms(heard) == pytest.approx(20e-6 * 1e3 * loss, rel=1e-3)
    power = np.abs(fft.rfft(heard * np.hanning(len(heard)))) ** 2
    frequency_hz = fft.rfftfreq(len(heard), 1.0 / RATE_HZ)
    near = np.abs(frequency_hz - 40e3) < 60.0  # it wanders by 4 Hz rms
    assert power[near].sum() > 0.999 * power.sum()


def test_sources_add_up_and_do_not_change_each_other() -> None:
    one, other = leak(5.0, 0.0, 2.0), SoundSource("fan", (5.0, 0.0, 2.0), leak_psd, ALWAYS)
    microphones_m = np.array([[1.0, 0.5, 0.5]])

    def heard(*sources: SoundSource) -> FloatArray:
        sounding = SoundField(HULL, AIR, sources, microphones_m, sample_rate_hz=RATE_HZ, seed=5)
        return sounding.capture(1.0, 2048, [0])

    alone, together = heard(one) + heard(other), heard(other, one)
    assert np.abs(together - alone).max() < 1e-9 * rms(together)
    assert abs(np.corrcoef(heard(one)[0], heard(other)[0])[0, 1]) < 0.2


def test_the_seed_decides_every_byte() -> None:
    first = NOISY.capture(1.0, 4096, [0, 1, 2], 10e-6)
    assert noisy_hull().capture(1.0, 4096, [0, 1, 2], 10e-6).tobytes() == first.tobytes()
    other = noisy_hull(seed=6).capture(1.0, 4096, [0, 1, 2], 10e-6)
    assert other.tobytes() != first.tobytes()
    assert abs(np.corrcoef(other[0], first[0])[0, 1]) < 0.2


def test_a_seed_sequence_seeds_like_its_number_and_its_children_differ() -> None:
    def heard(seed: int | np.random.SeedSequence) -> FloatArray:
        microphones_m = np.array([[31.0, 30.0, 30.0]])
        sources = [leak(30.0, 30.0, 30.0)]
        sounding = SoundField(OPEN, AIR, sources, microphones_m, sample_rate_hz=RATE_HZ, seed=seed)
        return sounding.capture(0.0, 2048, [0])[0]

    plain = heard(5)
    assert heard(np.random.SeedSequence(5)).tobytes() == plain.tobytes()
    first, second = (heard(child) for child in np.random.SeedSequence(5).spawn(2))
    likeness = np.corrcoef([plain, first, second])[np.triu_indices(3, 1)]
    assert np.abs(likeness).max() < 0.2


def test_threads_hear_what_one_thread_hears() -> None:
    asked = [(1.0 + 0.01 * i, 2048 + 64 * (i % 3), [i % 3], 1e-5 * (i % 2)) for i in range(24)]
    alone = [noisy_hull().capture(*arguments).tobytes() for arguments in asked]
    shared = noisy_hull()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda arguments: shared.capture(*arguments).tobytes(), asked))
    assert together == alone


def test_time_before_zero_and_a_day_later_sound_too() -> None:
    loud = rms(NOISY.capture(1.0, 4096, [0]))
    for start_s in (-10.0, 86_400.0):
        assert rms(NOISY.capture(start_s, 4096, [0])) == pytest.approx(loud, rel=0.2)


def test_channels_come_in_the_order_asked() -> None:
    forward, backward = NOISY.capture(1.0, 512, [0, 1, 2]), NOISY.capture(1.0, 512, [2, 1, 0])
    assert np.array_equal(forward, backward[::-1])
    assert forward.shape == (3, 512)
    assert forward.dtype == np.float64


@pytest.mark.parametrize(
    ("samples", "channels", "rate_error"),
    [(0, [0], 0.0), (16, [3], 0.0), (16, [-1], 0.0), (16, [0], 2e-3), (16, [0], math.nan)],
)
def test_refuses_captures_that_cannot_be(samples: int, channels: list[int], rate_error: float) -> None:
    with pytest.raises(ValueError, match=r"capture|channels"):
        NOISY.capture(1.0, samples, channels, rate_error)


def test_refuses_two_sources_of_one_name() -> None:
    twins = [leak(1.0, 1.0, 1.0), leak(2.0, 1.0, 1.0)]
    with pytest.raises(ValueError, match="share a name"):
        SoundField(OPEN, AIR, twins, np.array([[3.0, 1.0, 1.0]]), sample_rate_hz=RATE_HZ, seed=1)
