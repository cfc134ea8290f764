"""The shaking that contact sensors feel: arrivals, spreading, losses, wraps, and the same from every asker."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import fft

from sim.world.air import Air
from sim.world.leak.hole import Hole
from sim.world.sound.field import SoundField
from sim.world.sound.room import BoxRoom
from sim.world.sound.source import SoundSource
from sim.world.structure.field import ForceSource, Skin, StructureField, band_hz
from sim.world.structure.lamb import Mode
from sim.world.structure.losses import Losses, Waves, path_response
from sim.world.structure.paths import Crossing, Joint, Joints, surface_path
from sim.world.structure.plate import Plate
from sim.world.structure.reverberation import Reverberation
from sim.world.structure.revolution import RevolutionShell, cylinder
from tests.support.panel import PanelShell, ways

FloatArray = NDArray[np.float64]

RATE_HZ = 500e3
PLATE = Plate(3e-3)
BARE = Losses(loss_db_m=0.0, rib_db=0.0, seam_db=0.0, edge_db=0.0)
PANEL = Skin(PanelShell((20.0, 20.0)), PLATE, BARE, reverberation=None)
HOLE = Hole(2e-3, 0.85)
START = (2.0, 10.0, 0.0)


def white(frequency_hz: FloatArray) -> FloatArray:
    return np.full(np.shape(frequency_hz), 1e-12)


def leak_psd(frequency_hz: FloatArray) -> FloatArray:
    return HOLE.force_psd_n2_hz(frequency_hz, 101_325.0, 295.15)


def on_panel(*away_m: float) -> FloatArray:
    return np.array([(START[0] + away, 10.0, 0.0) for away in away_m])


def side(x_m: float, angle_rad: float) -> tuple[float, float, float]:
    return x_m, 2.1 * math.cos(angle_rad), 2.1 * math.sin(angle_rad)


def hull(seed: int | np.random.SeedSequence = 5) -> StructureField:
    skin = Skin(cylinder(2.1, 8.0), PLATE, joints=Joints((1.0, 3.0, 5.0)), reverberation=Reverberation(0.02))
    sources = [ForceSource("leak", side(2.5, 0.3), leak_psd), ForceSource("pump", side(6.0, -1.0), white)]
    sensors_m = np.array([side(2.0 + 0.7 * i, 0.8 * i) for i in range(3)])
    return StructureField(skin, sources, sensors_m, sample_rate_hz=RATE_HZ, seed=seed)


HULL = hull()


def rms(velocity_m_s: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(velocity_m_s))))


def burst(response: NDArray[np.complex128], frequency_hz: FloatArray, centre_hz: float, width_hz: float) -> FloatArray:
    """Envelope of the answer to a Gaussian burst at time 0, on the grid of the frequencies' inverse transform."""
    spectrum = response * np.exp(-0.5 * ((frequency_hz - centre_hz) / width_hz) ** 2)
    return np.abs(fft.ifft(spectrum, n=2 * (len(spectrum) - 1)))


@pytest.mark.parametrize(("mode", "centre_hz"), [(Mode.A0, 40e3), (Mode.A0, 100e3), (Mode.S0, 200e3)])
def test_a_burst_comes_at_group_speed(mode: Mode, centre_hz: float) -> None:
    field = StructureField(PANEL, [ForceSource("tap", START, white)], on_panel(4.0), sample_rate_hz=RATE_HZ, seed=1)
    frequency_hz = fft.rfftfreq(1 << 15, 1.0 / RATE_HZ)
    waves = Waves.of(PLATE, frequency_hz[1000:16000])
    response = np.zeros(len(frequency_hz), dtype=np.complex128)
    response[1000:16000] = path_response(ways(field, "tap", 0)[0], waves, BARE)
    envelope = burst(response, frequency_hz, centre_hz, 2e3)
    arrivals_s = {m: 4.0 / float(PLATE.group_speed_m_s(m, np.array([centre_hz]))[0]) for m in Mode}
    time_s = np.arange(len(envelope)) / RATE_HZ
    near = np.abs(time_s - arrivals_s[mode]) < 0.15e-3  # the modes are 0.6 ms apart and more, 7 sigmas of the burst
    peak_s = time_s[near][int(np.argmax(envelope[near]))]
    # a step of the grid is 2 us; the slope of the amplitude over a burst 2 kHz wide shifts its centre by less than
    # (2 kHz)^2 / f d(delay)/df = 1 us for A0 at 40 kHz
    assert peak_s == pytest.approx(arrivals_s[mode], abs=4e-6)


def test_captured_noise_arrives_later_by_the_phase_of_a0() -> None:
    field = StructureField(
        PANEL, [ForceSource("tap", START, white)], on_panel(1.0, 2.5), sample_rate_hz=RATE_HZ, seed=1
    )
    near, far = field.capture(3.0, 1 << 16, [0, 1])
    window = np.hanning(4096)
    spectra = [
        np.array([fft.rfft(window * signal[i : i + 4096]) for i in range(0, 60_000, 2048)]) for signal in (near, far)
    ]
    cross = np.mean(spectra[1] * spectra[0].conj(), axis=0)
    frequency_hz = fft.rfftfreq(4096, 1.0 / RATE_HZ)
    inside = (frequency_hz > 60e3) & (frequency_hz < 150e3)
    turn = -1.5 * PLATE.wavenumber_rad_m(Mode.A0, frequency_hz[inside])
    # windows of 8.2 ms see all but 0.6 ms of delay alike: coherence above 0.8, 30 windows: 0.1 rad; S0 is 1e-2 of A0
    assert np.abs(np.mean(np.exp(1j * (np.angle(cross[inside]) - turn)))) > 0.95
    assert abs(np.angle(np.sum(cross[inside] * np.exp(-1j * turn)))) < 0.1


def test_level_is_admittance_and_spreading_and_falls_with_the_root_of_the_way() -> None:
    field = StructureField(
        PANEL, [ForceSource("tap", START, white)], on_panel(0.5, 2.0, 8.0), sample_rate_hz=RATE_HZ, seed=1
    )
    level = [rms(row) for row in field.capture(0.0, 1 << 16, [0, 1, 2])]
    frequency_hz = np.linspace(7.5e3, 234e3, 4000)
    a0 = PLATE.admittance_m_s_n(Mode.A0, frequency_hz)
    density = 1e-12 * np.square(a0) * 2.0 / (np.pi * PLATE.wavenumber_rad_m(Mode.A0, frequency_hz) * 0.5)
    expected = math.sqrt(float(np.trapezoid(density, frequency_hz)))
    # 0.13 s of 230 kHz of noise: 0.4 % standard error of the rms; band edges and S0 less than 1 %
    assert level[0] == pytest.approx(expected, rel=0.03)
    assert level[0] / level[1] == pytest.approx(2.0, rel=0.03)
    assert level[1] / level[2] == pytest.approx(2.0, rel=0.03)


def test_losses_by_the_metre_and_by_the_joint() -> None:
    frequency_hz = np.array([50e3, 100e3, 200e3])
    waves = Waves.of(PLATE, frequency_hz)
    bare = path_response(surface_path(4.0, 4.0), waves, BARE)
    damped = path_response(surface_path(4.0, 4.0), waves, Losses(3.0, 1.0, 0.0, 0.0, 0.0))
    assert 20.0 * np.log10(np.abs(bare / damped)) == pytest.approx([6.0, 12.0, 24.0], rel=1e-9)
    joints = (Crossing(1.0, Joint.RIB), Crossing(2.0, Joint.RIB), Crossing(2.5, Joint.SEAM), Crossing(3.0, Joint.EDGE))
    lossy = path_response(surface_path(4.0, 4.0, joints), waves, Losses(0.0, 1.0, 5.0, 3.0, 7.0))
    assert 20.0 * np.log10(np.abs(bare / lossy)) == pytest.approx([20.0] * 3, rel=1e-9)


def test_narrow_pencils_are_stronger_and_a_focus_turns_the_phase() -> None:
    waves = Waves.of(PLATE, np.array([50e3, 200e3]))
    plain = path_response(surface_path(4.0, 4.0), waves, BARE)
    assert path_response(surface_path(4.0, 1.5), waves, BARE) / plain == pytest.approx(np.full(2, math.sqrt(4.0 / 1.5)))
    # the field of a point on a sphere is P_nu(-cos theta) / sin(pi nu); expanded for nu with a little loss, the way
    # round the back has the phase -(nu + 1/2) (2 pi - theta) + 3 pi / 4, the direct one -(nu + 1/2) theta + pi / 4
    turned = path_response(surface_path(4.0, 4.0, foci=1), waves, BARE)
    assert turned / plain == pytest.approx(np.full(2, 1j))


def test_conversion_takes_from_one_mode_what_it_gives_to_the_other() -> None:
    # a wave of mode m carries v^2 k / (4 Y) per width: of A0 sent out, share s must arrive as S0, and the reverse
    at, share = np.array([100e3]), 0.1
    waves = Waves.of(PLATE, at)
    path = surface_path(4.0, 4.0, (Crossing(4.0, Joint.RIB),))  # at the very end: no way in the new mode
    settled = Losses(0.0, 1.0, 0.0, 0.0, 0.0, share)
    k, y = waves.wavenumber_rad_m[:, 0], waves.admittance_m_s_n[:, 0]
    plain = [y[m] * math.sqrt(2.0 / (math.pi * k[m] * 4.0)) * np.exp(-4j * k[m]) for m in (0, 1)]
    turn = np.exp(1j * math.pi / 4.0)
    converted = path_response(path, waves, settled)[0] / turn - math.sqrt(1.0 - share) * sum(plain)
    # |v_b|^2 k_b / Y_b = s |v_a|^2 k_a / Y_a with each start's phase
    made = [math.sqrt(share * k[a] / y[a] * y[1 - a] / k[1 - a]) * plain[a] for a in (0, 1)]
    assert abs(converted - sum(made)) < 1e-9 * abs(made[0])


def test_a_way_with_conversion_is_the_same_both_ways_round() -> None:
    waves, losses = Waves.of(PLATE, np.array([60e3, 200e3])), Losses(3.0, conversion_share=0.2)
    ribs_m = (0.7, 1.5, 3.6)
    there = surface_path(4.0, 3.0, [Crossing(at, Joint.RIB) for at in ribs_m])
    back = surface_path(4.0, 3.0, [Crossing(4.0 - at, Joint.RIB) for at in ribs_m])
    assert np.abs(path_response(there, waves, losses) / path_response(back, waves, losses) - 1.0).max() < 1e-9


def test_wraps_stand_in_the_impulse_response() -> None:
    skin = Skin(RevolutionShell(((0.0, 2.1), (8.0, 2.1))), PLATE, BARE, reverberation=None)
    sensor = np.array([side(4.0, 1.3)])
    field = StructureField(skin, [ForceSource("tap", side(3.0, 0.3), white)], sensor, sample_rate_hz=RATE_HZ, seed=1)
    frequency_hz = fft.rfftfreq(1 << 15, 1.0 / RATE_HZ)
    response = np.zeros(len(frequency_hz), dtype=np.complex128)
    waves = Waves.of(PLATE, frequency_hz[1000:16000])
    for path in ways(field, "tap", 0):
        response[1000:16000] += path_response(path, waves, skin.losses)
    power = np.square(burst(response, frequency_hz, 100e3, 5e3))
    time_s = np.arange(len(power)) / RATE_HZ
    speed = float(PLATE.group_speed_m_s(Mode.A0, np.array([100e3]))[0])
    length_m = [math.hypot(1.0, 2.1 * (1.0 + math.tau * n)) for n in (0, -1, 1)]
    arrived = [float(power[np.abs(time_s - length / speed) < 0.5e-3].sum()) for length in length_m]
    # dispersion widens the bursts to some 0.1 ms, so their energy is compared: as 1 / length. S0 has 1e-4 of it
    assert arrived[1] / arrived[0] == pytest.approx(length_m[0] / length_m[1], rel=0.01)
    assert arrived[2] / arrived[0] == pytest.approx(length_m[0] / length_m[2], rel=0.01)
    assert sum(arrived) == pytest.approx(float(power.sum()), rel=0.01)


def test_a_source_is_not_felt_before_it_starts_and_ends_after_it_stops() -> None:
    source = ForceSource("tap", START, white, 5.0, 5.01)
    field = StructureField(PANEL, [source], on_panel(4.0), sample_rate_hz=RATE_HZ, seed=1)
    assert not field.capture(1.0, 4096, [0]).any()
    around = field.capture(5.0, 30_000, [0])[0]
    first_s = 4.0 / 5437.0  # S0
    full = rms(around[4000:5500])  # 8 to 11 ms
    assert rms(around[: int(first_s * RATE_HZ) - 50]) < 1e-4 * full
    assert rms(around[15_000:]) < 1e-3 * full  # from 30 ms on: A0 of 4 m at 5 kHz came at 5.2 ms


def test_captures_that_overlap_agree_whoever_takes_them() -> None:
    long = HULL.capture(1.0, 9000, [0, 1, 2])
    for first, samples in ((0, 100), (1234, 4096), (8999, 1)):
        part = HULL.capture(1.0 + first / RATE_HZ, samples, [0, 1, 2])
        # 1 s in a float and the grid agree to 1e-10 of a sample; the rest is what filters and edges leave, 1e-9
        assert np.abs(part - long[:, first : first + samples]).max() < 3e-9 * rms(long)
    slow = HULL.capture(1.0, 2, [0, 1, 2], -1e-5)
    assert np.abs(slow[:, 0] - long[:, 0]).max() < 3e-9 * rms(long)
    between = HULL.capture(1.0 + 0.3 / RATE_HZ, 4096, [0])
    assert np.abs(between - HULL.capture(1.0, 5000, [0])[:, :4096]).max() > 0.1 * rms(long)


def test_the_seed_decides_every_byte_and_threads_change_nothing() -> None:
    asked = [(1.0 + 0.01 * i, 2048 + 64 * (i % 2), [i % 3], 1e-5 * (i % 2)) for i in range(6)]
    alone = [hull().capture(*arguments).tobytes() for arguments in asked[:2]]
    shared = hull()
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda arguments: shared.capture(*arguments).tobytes(), asked))
    assert together[:2] == alone
    assert hull(6).capture(*asked[0]).tobytes() != alone[0]
    child = np.random.SeedSequence(5).spawn(1)[0]
    assert hull(np.random.SeedSequence(5)).capture(*asked[0]).tobytes() == alone[0]
    assert hull(child).capture(*asked[0]).tobytes() != alone[0]


def test_air_and_skin_share_the_noise_of_a_leak() -> None:
    seed, name = np.random.SeedSequence(9), "leak one"
    skin = StructureField(PANEL, [ForceSource(name, START, white)], on_panel(0.5), sample_rate_hz=192e3, seed=seed)
    air = SoundField(
        BoxRoom(20.0, 20.0, 20.0),
        Air(295.15, 101_325.0, 0.5),
        [SoundSource(name, START, white, -math.inf)],
        np.array([(START[0] + 0.5, 10.0, 0.1)]),
        sample_rate_hz=192e3,
        seed=seed,
        reflections=0,
    )
    heard, felt = air.capture(2.0, 1 << 16, [0])[0], skin.capture(2.0, 1 << 16, [0])[0]
    window = np.hanning(4096)
    one, other = (
        np.array([fft.rfft(window * signal[i : i + 4096]) for i in range(0, 60_000, 2048)]) for signal in (heard, felt)
    )
    cross = np.abs(np.mean(one * other.conj(), axis=0)) ** 2
    coherence = cross / np.mean(np.abs(one) ** 2, axis=0) / np.mean(np.abs(other) ** 2, axis=0)
    frequency_hz = fft.rfftfreq(4096, 1.0 / 192e3)
    # 1 ms apart in windows of 21 ms: 0.9; strangers in 30 half-overlapping windows would show about 0.05
    assert np.median(coherence[(frequency_hz > 20e3) & (frequency_hz < 80e3)]) > 0.7


def test_the_band_ends_where_the_third_mode_begins() -> None:
    assert band_hz(Plate(1.5e-3), 500e3) == (5e3, 250e3)
    low_hz, high_hz = band_hz(Plate(4.8e-3), 1e6)
    assert high_hz == pytest.approx(0.95 * 326.04e3, rel=1e-4)
    skin = Skin(PanelShell((20.0, 20.0)), Plate(4.8e-3), BARE, reverberation=None)
    field = StructureField(skin, [ForceSource("tap", START, white)], on_panel(1.0), sample_rate_hz=1e6, seed=1)
    power = np.abs(fft.rfft(field.capture(0.0, 1 << 15, [0])[0] * np.hanning(1 << 15))) ** 2
    frequency_hz = fft.rfftfreq(1 << 15, 1e-6)
    assert power[frequency_hz > high_hz + 100.0].sum() < 1e-6 * power.sum()
    assert power[frequency_hz < low_hz - 100.0].sum() < 1e-6 * power.sum()
    with pytest.raises(ValueError, match="more than A0 and S0"):
        band_hz(Plate(0.1), 500e3)


@pytest.mark.parametrize(
    ("samples", "channels", "rate_error"),
    [(0, [0], 0.0), (16, [3], 0.0), (16, [-1], 0.0), (16, [0], 2e-3), (16, [0], math.nan)],
)
def test_refuses_captures_that_cannot_be(samples: int, channels: list[int], rate_error: float) -> None:
    with pytest.raises(ValueError, match=r"capture|channels"):
        HULL.capture(1.0, samples, channels, rate_error)


def test_refuses_fields_that_cannot_be() -> None:
    twins = [ForceSource("tap", START, white), ForceSource("tap", START, white)]
    with pytest.raises(ValueError, match="share a name"):
        StructureField(PANEL, twins, on_panel(1.0), sample_rate_hz=RATE_HZ, seed=1)
    for rate_hz, sensors_m in ((1e3, on_panel(1.0)), (RATE_HZ, np.zeros((2, 2)))):
        with pytest.raises(ValueError, match=r"cannot do|positions"):
            StructureField(PANEL, twins[:1], sensors_m, sample_rate_hz=rate_hz, seed=1)


@pytest.mark.parametrize(
    "settings",
    [{"loss_db_m": -1.0}, {"rib_db": -1.0}, {"edge_db": 1e3}, {"conversion_share": 0.9}, {"exponent": math.nan}],
)
def test_refuses_losses_that_no_hull_has(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="outside"):
        Losses(**settings)
