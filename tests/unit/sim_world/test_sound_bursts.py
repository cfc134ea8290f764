"""Random events: a Poisson process that any stretch of time can ask about, and sources that switch and fade."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.world.air import Air
from sim.world.signal.loudness import Interval, LevelTable
from sim.world.sound.bursts import Bursts, Kind
from sim.world.sound.field import SoundField
from sim.world.sound.kept import Kept
from sim.world.sound.room import BoxRoom
from sim.world.sound.source import SoundSource

FloatArray = NDArray[np.float64]

RATE_HZ = 192e3
AIR = Air(295.15, 101_325.0, 0.5)
KEY = (7, 11)
VELCRO = Bursts("velcro", 240.0, 60.0, 0.5)


@settings(deadline=None, max_examples=30)
@given(begin_s=st.floats(-8000.0, 8000.0), long_s=st.floats(0.0, 4000.0))
def test_any_stretch_holds_the_events_of_the_whole(begin_s: float, long_s: float) -> None:
    whole = VELCRO.events(KEY, -20_000.0, 20_000.0)
    part = VELCRO.events(KEY, begin_s, begin_s + long_s)
    expected = [e for e in whole if e.start_s < begin_s + long_s and e.start_s + e.duration_s > begin_s]
    assert list(part) == expected


def test_events_are_poisson() -> None:
    hours = 400
    starts = np.array([event.start_s for event in VELCRO.events(KEY, 0.0, 3600.0 * hours)])
    counts = np.bincount((starts[starts >= 0.0] / 3600.0).astype(int), minlength=hours)
    # mean 240 with sigma sqrt(240 / 400); the variance equals it, with a relative sigma of sqrt(2 / 400)
    assert counts.mean() == pytest.approx(240.0, abs=5.0 * math.sqrt(240.0 / hours))
    assert counts.var() == pytest.approx(240.0, rel=5.0 * math.sqrt(2.0 / hours))
    gaps_s = np.diff(starts)
    # gaps are exponential: their standard deviation is their mean, 15 s, and exp(-1) of them are longer
    assert gaps_s.mean() == pytest.approx(15.0, rel=5.0 / math.sqrt(len(gaps_s)))
    assert np.mean(gaps_s > 15.0) == pytest.approx(math.exp(-1.0), abs=5.0 * 0.5 / math.sqrt(len(gaps_s)))


def test_events_end_and_differ_between_sources() -> None:
    mine, others = VELCRO.events(KEY, 0.0, 3600.0), VELCRO.events((7, 12), 0.0, 3600.0)
    assert {event.start_s for event in mine}.isdisjoint({event.start_s for event in others})
    assert all(0.25 <= event.duration_s <= 1.0 for event in mine)
    assert Bursts("knock", 0.0, 60.0, 0.01).events(KEY, 0.0, 1e5) == ()


@pytest.mark.parametrize("kind", ["valve", "velcro", "knock"])
def test_part_of_an_envelope_is_the_envelope_of_a_part(kind: Kind) -> None:
    bursts = Bursts(kind, 3600.0, 60.0, 0.2)
    whole = np.broadcast_to(bursts.amplitude(KEY, -50_000, 100_000, RATE_HZ), 100_000)
    part = np.broadcast_to(bursts.amplitude(KEY, -7000, 9000, RATE_HZ), 9000)
    assert whole.max() > 0.1
    assert part == pytest.approx(whole[43_000:52_000], abs=1e-9)


def test_a_knock_dies_away_by_60_db() -> None:
    knock = Bursts("knock", 3600.0, 60.0, 0.1)
    event = next(
        e for e in knock.events(KEY, 0.0, 600.0) if len(knock.events(KEY, e.start_s - 0.5, e.start_s + 0.5)) == 1
    )
    first = math.floor(event.start_s * RATE_HZ)
    heard = np.asarray(knock.amplitude(KEY, first, math.ceil(event.duration_s * RATE_HZ), RATE_HZ)) / event.amplitude
    half = heard[round(0.5 * event.duration_s * RATE_HZ)]
    assert -20.0 * math.log10(half) == pytest.approx(30.0, abs=0.1)
    assert heard[-10:].max() < 1e-4


@pytest.mark.parametrize("kind", ["valve", "velcro", "knock"])
def test_the_octave_at_20_khz_has_the_declared_level(kind: Kind) -> None:
    frequency_hz = np.linspace(20e3 / math.sqrt(2.0), 20e3 * math.sqrt(2.0), 20_001)
    density = Bursts(kind, 1.0, 60.0, 0.2).pressure_psd_pa2_hz(frequency_hz)
    assert 10.0 * math.log10(float(np.trapezoid(density, frequency_hz)) / 20e-6**2) == pytest.approx(60.0, abs=0.01)


def bursting(source: SoundSource) -> SoundField:
    microphones_m = np.array([[3.0, 2.0, 1.0]])
    return SoundField(BoxRoom(4.0, 3.0, 2.5), AIR, [source], microphones_m, sample_rate_hz=RATE_HZ, seed=5)


def test_captures_hear_the_events_and_agree_on_them() -> None:
    bursts = Bursts("velcro", 3600.0, 60.0, 0.2)
    source = SoundSource("velcro", (1.0, 1.0, 1.0), bursts.pressure_psd_pa2_hz, -math.inf, bursts=bursts)
    field = bursting(source)
    whole = field.capture(1.0, int(5.0 * RATE_HZ), [0])[0]
    later = field.capture(2.0, 9000, [0])[0]
    offset = int(RATE_HZ)
    assert np.abs(whole[offset : offset + 9000] - later).max() < 1e-9 * np.abs(whole).max()
    loud = np.abs(whole).reshape(-1, 960).max(axis=1)
    assert (loud > 0.05 * loud.max()).mean() < 0.9
    assert (loud == 0.0).any() or loud.min() < 1e-6 * loud.max()


def hiss(**changes: object) -> SoundSource:
    return SoundSource("hiss", (1.0, 1.0, 1.0), lambda f: np.full_like(f, 1e-8), 0.1, 0.2, **changes)  # type: ignore[arg-type]


def test_a_source_sounds_in_all_its_intervals() -> None:
    heard = bursting(hiss(later=((0.4, 0.5), (0.7, None)))).capture(0.0, int(RATE_HZ), [0])[0]
    power = np.square(heard.reshape(100, -1)).mean(axis=1)  # by 10 ms
    on = power > 0.1 * power.max()
    expected = np.zeros(100, dtype=bool)
    for start, stop in ((10, 20), (40, 50), (70, 100)):
        expected[start:stop] = True
    sure = np.ones(100, dtype=bool)
    for edge in (10, 20, 40, 50, 70):
        sure[edge - 1 : edge + 4] = False  # up to 30 ms of echoes and the filter's reach
    assert (on == expected)[sure].all()


@pytest.mark.parametrize("later", [((0.15, 0.3),), ((0.3, None), (0.5, 0.6)), ((0.5, 0.4),), ((0.2005, 0.3),)])
def test_refuses_intervals_that_contradict_each_other(later: tuple[Interval, ...]) -> None:
    with pytest.raises(ValueError, match=r"interval|stop"):
        hiss(later=later)


def test_levels_follow_their_table() -> None:
    table = LevelTable(((0.0, 0.0), (1.0, -20.0), (2.0, -20.0), (3.0, 6.0)))
    for time_s, level_db in ((-1.0, 0.0), (0.5, -10.0), (1.5, -20.0), (2.5, -7.0), (9.0, 6.0)):
        factor = np.broadcast_to(table.amplitude(round(time_s * 1e5), 3, 1e5), 3)
        # three samples of 10 us on a slope of 26 dB/s
        assert 20.0 * np.log10(factor) == pytest.approx(level_db, abs=1e-3)
    steady, fading = bursting(hiss()), bursting(hiss(level_db=LevelTable(((0.0, -6.0), (0.01, -6.0)))))
    here, there = steady.capture(0.1, 8192, [0]), fading.capture(0.1, 8192, [0])
    assert there == pytest.approx(here * 10.0 ** (-6.0 / 20.0), abs=1e-9 * float(np.abs(here).max()))


@pytest.mark.parametrize("points", [(), ((1.0, 0.0), (1.0, 3.0)), ((0.0, 900.0),), ((0.0, math.nan),)])
def test_refuses_level_tables_that_cannot_be_read(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="level"):
        LevelTable(points)


@pytest.mark.parametrize(
    ("kind", "rate_per_h", "duration_s"),
    [("bang", 1.0, 0.1), ("knock", -1.0, 0.1), ("knock", 1e6, 0.1), ("knock", 1.0, 0.0), ("knock", 1.0, 60.0)],
)
def test_refuses_bursts_that_cannot_be(kind: Kind, rate_per_h: float, duration_s: float) -> None:
    with pytest.raises(ValueError, match=r"burst|events"):
        Bursts(kind, rate_per_h, 60.0, duration_s)


def test_kept_arrays_are_bounded_in_bytes_and_the_oldest_go() -> None:
    kept: Kept[FloatArray] = Kept(3 * 800)
    made: list[int] = []

    def ask(key: int) -> FloatArray:
        def make() -> FloatArray:
            made.append(key)
            return np.full(100, float(key))

        return kept.get(key, make)

    for key in (1, 2, 3, 1, 4, 1, 2):
        assert ask(key)[0] == key
        assert kept.size_bytes <= 3 * 800
    assert made == [1, 2, 3, 4, 2]
    assert not ask(1).flags.writeable
    assert kept.get("large", lambda: np.zeros(1000)).size == 1000
    assert ask(1)[0] == 1.0
    assert made == [1, 2, 3, 4, 2]
