"""What is expected to be heard: air, source, and heights of correlation functions against real ones."""

import numpy as np
import pytest

from controller.localize.hull_search import predicted_delays
from controller.measure.air import absorption_db_m
from controller.measure.correlation import correlate
from controller.plan.hearing import BANDS, Air, Listening, Noise, heard, remembered, signal_to_noise
from controller.plan.source import Leak
from tests.support.hearing import RATE_HZ, SAMPLES, SPEED_M_S, Listener, Source, box_site

ROOM_AIR = Air(295.15, 101_325.0, 0.5)


def test_absorption_is_that_of_the_standards_table() -> None:
    """ISO 9613-2:1996, table 2, dB/km: printed to a tenth, or to 0.3 % of the large ones."""
    bands = 1e3 * 10.0 ** np.array([-0.3, 0.0, 0.3, 0.6, 0.9])  # the exact middles of the octaves
    for celsius, humidity, table in ((10, 0.7, [1.9, 3.7, 9.7, 32.8, 117.0]), (20, 0.7, [2.8, 5.0, 9.0, 22.9, 76.6])):
        found = 1e3 * absorption_db_m(bands, 273.15 + celsius, 101_325.0, humidity)
        assert found == pytest.approx(table, abs=0.06, rel=0.005)


@pytest.mark.parametrize("air", [(0.0, 1e5, 0.5), (293.0, 0.0, 0.5), (293.0, 1e5, 1.5)])
def test_what_is_no_air_is_refused(air: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="no air"):
        absorption_db_m(np.array([1e4]), *air)


def test_a_leak_of_a_millimetre_and_how_it_scales() -> None:
    """Stream power 0.5 mdot U^2 = 8 W; 1e-6 of it over half a sphere of 1 m are 1.27e-6 W/m^2: 61 dB."""
    leak = Leak(1e-3, 101_325.0, 295.15)
    assert leak.level_db == pytest.approx(61.0, abs=0.5)
    assert leak.peak_hz == pytest.approx(63e3, rel=0.01)
    assert Leak(2e-3, 101_325.0, 295.15).level_db - leak.level_db == pytest.approx(20 * np.log10(2.0))
    assert Leak(1e-3, 50_662.5, 295.15).level_db - leak.level_db == pytest.approx(10 * np.log10(0.5))


def test_bands_share_the_leaks_sound_with_slopes_of_six_decibels() -> None:
    leak = Leak(1e-3, 101_325.0, 295.15)
    assert leak.band_share(np.array([0.0, 1e9])).sum() == pytest.approx(1.0, abs=1e-3)
    narrow = leak.band_share(np.array([1e3, 1.001e3, 2e3, 2.001e3]))
    assert narrow[2] / narrow[0] == pytest.approx(4.0, rel=0.01)


def test_levels_fall_with_the_square_of_the_distance_and_by_absorption() -> None:
    leak, listening = Leak(1e-3, 101_325.0, 295.15), Listening(1.0)
    one, two = signal_to_noise(leak, Noise(40.0), ROOM_AIR, listening, np.array([1.0, 2.0]))
    lost = absorption_db_m(listening.middle_hz, 295.15, 101_325.0, 0.5)
    assert 10 * np.log10(one / two) == pytest.approx(20 * np.log10(2.0) + lost)
    louder = signal_to_noise(leak, Noise(50.0), ROOM_AIR, listening, np.array([1.0]))[0]
    assert one / louder == pytest.approx(np.full(BANDS, 10.0))


def test_forgetting_bounds_what_is_remembered() -> None:
    assert remembered(1) == pytest.approx(1.0)
    assert remembered(10) == pytest.approx(10.0, rel=0.03)
    assert remembered(5000) == pytest.approx(1.97 / 0.03, rel=1e-6)  # (1 + f) / (1 - f)


@pytest.mark.parametrize("arguments", [(0.0, 4096, RATE_HZ), (1.0, 1, RATE_HZ), (1.0, 4096, 26e3)])
def test_what_cannot_listen_is_refused(arguments: tuple[float, int, float]) -> None:
    with pytest.raises(ValueError, match=r"at least|no room"):
        Listening(*arguments)


@pytest.mark.parametrize("rms", [0.2, 1.0])
def test_heights_are_those_of_real_correlation_functions(rms: float) -> None:
    """190 pairs of height h know their mean to 1/sqrt(190) = 0.07 and h to the steps' roll-off at long lags: 10 %."""
    site, at, captures = box_site(), np.array([1.2, 2.4, 0.8]), 6
    listener = Listener(site, np.random.default_rng(7))
    function = correlate(listener.spectra([Source(tuple(at), rms)], captures)[0])
    group = function.group
    first, second = group.pairs
    delay_s = np.linalg.norm(at - group.position_m, axis=1) / SPEED_M_S
    expected = heard(
        group, np.full((1, len(delay_s), BANDS), rms**2), delay_s[None], Listening(captures, SAMPLES, RATE_HZ)
    ).height[0][first, second]
    lag = np.rint(predicted_delays(function, at, SPEED_M_S) / function.lag_step_s).astype(int) + function.zero
    value = function.value[np.arange(len(lag)), lag]
    near = group.same_node
    assert value[near].mean() == pytest.approx(expected[near].mean(), rel=0.15, abs=0.5)
    assert value.mean() == pytest.approx(expected.mean(), rel=0.15, abs=0.15)
    assert expected[~near].mean() < expected[near].mean()  # late sound is shared by less of the burst


def test_microphones_that_hear_nothing_are_deaf_and_count_for_nothing() -> None:
    group = Listener(box_site(), np.random.default_rng(0)).groups[0]
    snr = np.full((1, 20, BANDS), 1.0)
    snr[0, 8:] = 1e-9
    found = heard(group, snr, np.zeros((1, 20)), Listening(4.0, SAMPLES, RATE_HZ))
    assert found.together[0].tolist() == [8] * 8 + [0] * 12
    assert not found.information[0, 8:].any()
