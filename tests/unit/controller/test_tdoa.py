"""Delays from correlation functions: right ones, wrong pairs, deaf microphones, honest covariance, slow crystals."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.measure.captures import Capture
from controller.measure.coherence import CoherentGroup
from controller.measure.correlation import Correlations, correlate
from controller.measure.tdoa import MIN_PEAK, SIGMA_FLOOR_S, WINDOW_S, Tdoa, measure_tdoa
from tests.support.hearing import EXTRA, RATE_HZ, SAMPLES, SPEED_M_S, delayed, group_of, mean_of, wave_block

SOURCE_M = np.array([1.5, 0.5, 0.3])


class Heard:
    """Microphones around the origin that hear one source at 1.6 m in unit noise."""

    def __init__(self, seed: int, microphones: int = 6) -> None:
        self.random = np.random.default_rng(seed)
        self.group: CoherentGroup = group_of(self.random.uniform(-0.5, 0.5, (microphones, 3)).tolist())
        self.arrival_s = np.linalg.norm(self.group.position_m - SOURCE_M, axis=1) / SPEED_M_S
        first, second = self.group.pairs
        self.predicted_s = self.arrival_s[first] - self.arrival_s[second]

    def functions(self, rms: float, captures: int = 2, *, deaf: tuple[int, ...] = ()) -> Correlations:
        heard = []
        for _ in range(captures):
            wave = rms * self.random.standard_normal(SAMPLES + EXTRA)
            pressure = np.stack([delayed(wave, float(arrival))[EXTRA:] for arrival in self.arrival_s])
            pressure[list(deaf)] = 0.0
            pressure += self.random.standard_normal(pressure.shape)
            heard.append(Capture(1, {"N": wave_block("N", self.group.sensors, pressure)}))
        mean = mean_of(self.group, heard)
        assert mean is not None
        return correlate(mean)

    def true_delays_s(self, tdoa: Tdoa) -> NDArray[np.float64]:
        rows = [self.group.sensors.index(name) for name in tdoa.sensors]
        return np.asarray(self.arrival_s[rows[1:]] - self.arrival_s[rows[0]])


def measured(functions: Correlations, predicted_s: NDArray[np.float64]) -> Tdoa:
    tdoa = measure_tdoa(functions, predicted_s)
    assert tdoa is not None
    return tdoa


def shifted(functions: Correlations, row: int, delay_s: float) -> Correlations:
    """One pair's function moved: a reflection that beat the direct sound there."""
    value = functions.value.copy()
    value[row] = np.roll(value[row], round(delay_s / functions.lag_step_s))
    return replace(functions, value=value)


def test_delays_are_arrivals_after_the_first_microphone() -> None:
    heard = Heard(1)
    tdoa = measured(heard.functions(1.0), heard.predicted_s)
    assert tdoa.sensors == heard.group.sensors
    assert tdoa.pairs_used == 15
    assert tdoa.pairs_rejected == 0
    # Scatter at SNR 1 over 78 kHz x 43 ms is 0.06 us (bound of Knapp & Carter), the parabola's bias less than that.
    assert tdoa.delay_s == pytest.approx(heard.true_delays_s(tdoa), abs=0.5e-6)


@pytest.mark.parametrize("off_s", [-0.7 * WINDOW_S, 0.7 * WINDOW_S])
def test_the_prediction_may_be_off_within_the_window(off_s: float) -> None:
    heard = Heard(2)
    functions = heard.functions(1.0)
    tdoa = measured(functions, heard.predicted_s + off_s)
    assert tdoa.delay_s == pytest.approx(heard.true_delays_s(tdoa), abs=0.5e-6)


def test_one_wrong_pair_is_rejected_and_moves_nothing() -> None:
    heard = Heard(3)
    functions = heard.functions(1.0)
    right = measured(functions, heard.predicted_s)
    for row in range(15):
        tdoa = measured(shifted(functions, row, 30e-6), heard.predicted_s)
        assert (tdoa.pairs_used, tdoa.pairs_rejected) == (14, 1), row
        # Without one of 15 pairs the others, which close to 0.5 us, give the same arrivals.
        assert tdoa.delay_s == pytest.approx(right.delay_s, abs=0.5e-6)


def test_three_wrong_pairs_are_rejected_and_too_many_are_no_measurement() -> None:
    heard = Heard(4)
    functions = heard.functions(1.0)
    for row, delay_s in ((0, 40e-6), (6, -35e-6), (11, 25e-6)):
        functions = shifted(functions, row, delay_s)
    tdoa = measured(functions, heard.predicted_s)
    assert tdoa.pairs_rejected == 3
    assert tdoa.delay_s == pytest.approx(heard.true_delays_s(tdoa), abs=0.5e-6)
    scattered = functions
    for row in range(15):  # nothing fits anything: more than 30 % would have to go
        scattered = shifted(scattered, row, float(heard.random.uniform(-50e-6, 50e-6)))
    assert measure_tdoa(scattered, heard.predicted_s) is None


def test_noise_alone_is_no_measurement() -> None:
    heard = Heard(5)
    functions = heard.functions(0.0)
    assert measure_tdoa(functions, heard.predicted_s) is None
    # 15 pairs and 90 lags each: beyond 6 sigmas once in 4 x 10^5 runs.
    assert functions.value.max() < MIN_PEAK


def test_a_deaf_microphone_is_left_out() -> None:
    heard = Heard(6)
    tdoa = measured(heard.functions(1.0, deaf=(0, 3)), heard.predicted_s)
    assert tdoa.sensors == ("m1", "m2", "m4", "m5")
    assert tdoa.pairs_used == 6
    assert tdoa.pairs_rejected == 0  # a pair without a peak is not a contradiction
    assert tdoa.delay_s == pytest.approx(heard.true_delays_s(tdoa), abs=0.5e-6)
    assert tdoa.position_m == pytest.approx(heard.group.position_m[[1, 2, 4, 5]])
    assert measure_tdoa(heard.functions(1.0, deaf=(0, 1, 2, 3)), heard.predicted_s) is None  # two are too few


def test_halves_that_do_not_hear_each_other_are_not_mixed() -> None:
    heard = Heard(7, microphones=7)
    functions = heard.functions(1.0)
    first, second = heard.group.pairs
    across = (first < 3) != (second < 3)
    functions.value[across] = 0.0
    tdoa = measured(functions, heard.predicted_s)
    assert tdoa.sensors == ("m3", "m4", "m5", "m6")


def test_a_peak_at_the_windows_edge_is_none() -> None:
    heard = Heard(8)
    functions = heard.functions(1.0)
    functions.value[:] = np.linspace(0.0, 100.0, functions.value.shape[1], dtype=np.float32)
    assert measure_tdoa(functions, heard.predicted_s) is None


@pytest.mark.parametrize("signal_to_noise", [0.1, 0.3, 3.0])
def test_the_covariance_is_never_smaller_than_the_scatter(signal_to_noise: float) -> None:
    """Pairs' errors are counted as shared by n / 2 pairs each, true of strong sound; weak sound's are independent."""
    runs, microphones = 80, 5
    errors, claimed = [], []
    for seed in range(runs):
        heard = Heard(9, microphones)
        heard.random = np.random.default_rng([9, seed])
        tdoa = measured(heard.functions(signal_to_noise**0.5), heard.predicted_s)
        errors.append(tdoa.delay_s - heard.true_delays_s(tdoa))
        claimed.append(tdoa.covariance_s2)
    scatter = np.cov(np.array(errors).T)
    mean_claim = np.mean(claimed, axis=0)
    # In no direction may the scatter exceed the claim; a variance from 80 runs has an sd of 16 %, the largest of four
    # directions some more: 60 %.
    ratio = np.linalg.eigvals(np.linalg.solve(mean_claim, scatter)).real
    assert ratio.max() < 1.6
    # Nor may it be useless: 1 us or 0.3 mm, beside 2 mm of survey error.
    assert np.sqrt(np.diag(mean_claim)).max() < 1e-6
    # No worse than its floor where sound is strong: n / 2 floors over n measurements of each difference.
    assert np.sqrt(np.diag(mean_claim)).min() > SIGMA_FLOOR_S / 2


def test_a_stronger_sound_is_known_better() -> None:
    faint, loud = (measured(Heard(10).functions(rms), Heard(10).predicted_s) for rms in (0.4, 1.0))
    assert np.all(np.diag(loud.covariance_s2) < np.diag(faint.covariance_s2))


def test_a_slow_crystal_is_corrected_to_common_time() -> None:
    """Tones in closed form, so that any microphone can be sampled at any rate: the node's 60 ppm move 2.6 us."""
    random = np.random.default_rng(11)
    group = group_of(random.uniform(-0.5, 0.5, (6, 3)).tolist(), nodes=("A",) * 3 + ("B",) * 3)
    arrival_s = np.linalg.norm(group.position_m - SOURCE_M, axis=1) / SPEED_M_S
    tones_hz = random.uniform(15e3, 85e3, 200)
    phases = random.uniform(0, 2 * np.pi, 200)
    samples, slow_hz = 16_384, RATE_HZ * (1 - 60e-6)
    blocks = {}
    for node, rate_hz, members in (("A", RATE_HZ, range(3)), ("B", slow_hz, range(3, 6))):
        time_s = np.arange(samples) / rate_hz
        pressure = 0.5 * random.standard_normal((3, samples))
        for row, member in enumerate(members):
            for tone_hz, phase in zip(tones_hz, phases, strict=True):
                pressure[row] += 0.1 * np.cos(2 * np.pi * tone_hz * (time_s - arrival_s[member]) + phase)
        names = group.sensors[members.start : members.stop]
        blocks[node] = wave_block(node, names, pressure, rate_hz=rate_hz)
    snapshot = mean_of(replace(group, clock_sigma_s=1e-9), [Capture(1, blocks)])
    assert snapshot is not None
    first, second = group.pairs
    # Nominal rates put B's middle 60 ppm x 42.7 ms too early, so the correlation is found that much off.
    early_s = snapshot.mid_shift_s
    predicted_s = (arrival_s - early_s)[first] - (arrival_s - early_s)[second]
    tdoa = measured(correlate(snapshot), predicted_s)
    assert early_s[3] == pytest.approx(60e-6 * samples / 2 / RATE_HZ, rel=1e-3)
    assert tdoa.delay_s == pytest.approx(arrival_s[1:] - arrival_s[0], abs=0.5e-6)
