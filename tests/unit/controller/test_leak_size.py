"""Leak size and reserve time against closed forms of isothermal choked flow, worked out here from the physics."""

import math

import numpy as np
import pytest

from controller.detect.pressure import Fall
from controller.measure.leak_size import Settings, leak_size, reserve_s
from firmware_bridge.units import PA_PER_MMHG, S_PER_DAY, S_PER_HOUR

LIMIT_PA = 490.0 * PA_PER_MMHG
STATION_M3 = 916.0
ROOM_K = 295.15
# sqrt(g) (2 / (g + 1))^((g + 1) / (2 (g - 1))) for g = 1.4, and R of dry air from 8.314462 / 0.0289647.
CHOKED = math.sqrt(1.4) * (2 / 2.4) ** (2.4 / 0.8)
GAS_CONSTANT = 8.314462 / 0.0289647


def fall(rate_pa_s: float, sigma_pa_s: float = 0.0, pressure_pa: float = 101_325.0) -> Fall:
    return Fall(960.0, rate_pa_s, sigma_pa_s, pressure_pa)


def hole_rate_pa_s(diameter_m: float, cd: float, pressure_pa: float, volume_m3: float) -> float:
    """dP/dt = -k P with k = Cd A Psi sqrt(R T) / V."""
    area = math.pi / 4 * diameter_m**2
    return -cd * area * CHOKED * math.sqrt(GAS_CONSTANT * ROOM_K) / volume_m3 * pressure_pa


@pytest.mark.parametrize(
    ("pressure_mmhg", "minutes_per_second"),
    [(785, 6.17), (760, 5.56), (745, 5.20), (700, 4.16), (650, 3.06), (600, 2.03), (550, 1.06)],
)
@pytest.mark.parametrize("t1mm_s", [1.9, 54.0, 3600.0])
def test_reserve_time_is_the_crews_chart(pressure_mmhg: float, minutes_per_second: float, t1mm_s: float) -> None:
    """Tres = P T1mm ln(P / 490): straight lines in T1mm, one for each pressure; the table is rounded to 0.005 min."""
    reserve = reserve_s(pressure_mmhg * PA_PER_MMHG, PA_PER_MMHG / t1mm_s, LIMIT_PA)
    assert reserve / 60.0 / t1mm_s == pytest.approx(minutes_per_second, abs=0.0051)
    assert reserve == pytest.approx(pressure_mmhg * t1mm_s * math.log(pressure_mmhg / 490.0))


def test_ten_minutes_at_745_mmhg_are_1_9_seconds_a_millimetre() -> None:
    assert reserve_s(745 * PA_PER_MMHG, PA_PER_MMHG / 1.9, LIMIT_PA) / 60 == pytest.approx(10.0, rel=0.02)


def test_reserve_time_is_how_long_an_exponential_takes() -> None:
    pressure_pa, rate = 99_000.0, 3e-6
    reserve = reserve_s(pressure_pa, rate * pressure_pa, LIMIT_PA)
    assert pressure_pa * math.exp(-rate * reserve) == pytest.approx(LIMIT_PA)


def test_reserve_time_without_end_and_without_any() -> None:
    assert reserve_s(100_000.0, 0.0, LIMIT_PA) == math.inf
    assert reserve_s(100_000.0, -1.0, LIMIT_PA) == math.inf
    assert reserve_s(LIMIT_PA, 1.0, LIMIT_PA) == 0.0
    assert reserve_s(0.5 * LIMIT_PA, 0.0, LIMIT_PA) == 0.0  # below the limit a tight hull does not help


@pytest.mark.parametrize(
    ("diameter_mm", "kg_day", "mmhg_h"),
    [(0.5, 3.4, 0.10), (1.0, 13.7, 0.40), (2.0, 55.0, 1.59), (5.0, 344.0, 9.9), (12.7, 2220.0, 64.0)],
)
def test_holes_of_the_table(diameter_mm: float, kg_day: float, mmhg_h: float) -> None:
    """2 mm at one atmosphere and 22 C: 55 kg/day, 1.59 mmHg/h in 916 m3; the table has two or three digits."""
    rate = hole_rate_pa_s(diameter_mm / 1000, 0.85, 101_325.0, STATION_M3)
    size = leak_size(fall(rate), STATION_M3, ROOM_K, Settings())
    assert size.hole_diameter_m.value * 1000 == pytest.approx(diameter_mm, rel=1e-3)
    assert size.mass_rate_kg_s.value * S_PER_DAY == pytest.approx(kg_day, rel=0.02)
    assert size.rate_mmhg_h.value == pytest.approx(mmhg_h, rel=0.035)
    assert size.connected_volume_m3 == STATION_M3


def test_a_small_room_shows_the_same_hole_as_a_faster_fall() -> None:
    rate = hole_rate_pa_s(0.002, 0.85, 101_325.0, 5.0)
    size = leak_size(fall(rate), 5.0, ROOM_K, Settings())
    assert size.rate_mmhg_h.value == pytest.approx(291.0, rel=0.01)
    assert size.hole_diameter_m.value == pytest.approx(0.002, rel=1e-3)


def test_ms09_of_2018() -> None:
    """0.8 mmHg/h in 916 m3: CdA 1.37 mm2, a hole of 1.43 mm, 28 kg/day, 390 h from 745 mmHg to 490."""
    size = leak_size(fall(-0.8 * PA_PER_MMHG / S_PER_HOUR, 0.0, 745 * PA_PER_MMHG), STATION_M3, ROOM_K, Settings())
    assert size.hole_diameter_m.value * 1000 == pytest.approx(1.43, abs=0.02)
    assert size.mass_rate_kg_s.value * S_PER_DAY == pytest.approx(28.0, rel=0.02)
    assert size.reserve_s.value / S_PER_HOUR == pytest.approx(390.0, rel=0.005)
    # The simple (P - 490) / rate is 18 % short of that.
    assert size.reserve_s.value / S_PER_HOUR * 0.82 == pytest.approx((745 - 490) / 0.8, rel=0.01)


def test_intervals_are_two_sided_and_turn_over_for_time() -> None:
    rate, sigma = -0.06, 0.01
    size = leak_size(fall(rate, sigma), STATION_M3, ROOM_K, Settings())
    assert size.rate_pa_s.low == pytest.approx(0.06 - 1.96 * 0.01)
    assert size.rate_pa_s.high == pytest.approx(0.06 + 1.96 * 0.01)
    mass = size.mass_rate_kg_s
    # The volume's 3 % are beside the rate's 17 %.
    assert (mass.value - mass.low) / mass.value == pytest.approx(1.96 * math.hypot(0.01 / 0.06, 0.03))
    assert (mass.high - mass.value) / mass.value == pytest.approx(1.96 * math.hypot(0.01 / 0.06, 0.03))
    for span in (size.rate_pa_s, size.rate_mmhg_h, size.mass_rate_kg_s, size.hole_diameter_m, size.reserve_s):
        assert span.low < span.value < span.high
    assert size.reserve_s.low == pytest.approx(reserve_s(101_325.0, size.rate_pa_s.high, LIMIT_PA))
    assert size.reserve_s.high == pytest.approx(reserve_s(101_325.0, size.rate_pa_s.low, LIMIT_PA))


def test_the_hole_carries_the_doubt_of_its_edge() -> None:
    """A surely known rate still leaves Cd: 0.85 ± 0.08, of which 1 is the most and 5 % the least there can be."""
    sure = Settings(volume_sigma=0.0)
    size = leak_size(fall(-0.06), STATION_M3, ROOM_K, sure)
    assert size.hole_diameter_m.low / size.hole_diameter_m.value == pytest.approx(math.sqrt(0.85 / 1.0))
    widest = math.sqrt(0.85 / (0.85 - 1.96 * 0.08))
    assert size.hole_diameter_m.high / size.hole_diameter_m.value == pytest.approx(widest)
    vague = leak_size(fall(-0.06), STATION_M3, ROOM_K, Settings(discharge_coefficient_sigma=0.5, volume_sigma=0.0))
    assert vague.hole_diameter_m.high == pytest.approx(vague.hole_diameter_m.value * math.sqrt(0.85 / 0.05))


def test_doubts_of_the_hole_add_as_squares() -> None:
    """Against 100,000 draws of rate, coefficient and volume; the quantiles of those are good to 1 %."""
    random = np.random.default_rng(1)
    size = leak_size(fall(-0.06, 0.006), STATION_M3, ROOM_K, Settings())
    rate, cd, volume = (1.0 + sigma * random.standard_normal(100_000) for sigma in (0.1, 0.08 / 0.85, 0.03))
    low, high = np.quantile(np.sqrt(rate * volume / np.minimum(cd, 1 / 0.85)), [0.025, 0.975])
    assert size.hole_diameter_m.low / size.hole_diameter_m.value == pytest.approx(low, rel=0.03)
    assert size.hole_diameter_m.high / size.hole_diameter_m.value == pytest.approx(high, rel=0.03)


@pytest.mark.parametrize("rate", [0.0, +0.5])
def test_no_fall_is_no_leak_and_no_negative_number(rate: float) -> None:
    size = leak_size(fall(rate, 0.01), STATION_M3, ROOM_K, Settings())
    assert size.rate_pa_s.value == 0.0
    assert size.rate_pa_s.low == 0.0
    assert size.hole_diameter_m.value == 0.0
    assert size.reserve_s.value == math.inf
    assert size.reserve_s.high == math.inf
    assert size.rate_pa_s.high >= 0.0


def test_an_interval_that_reaches_no_leak_has_no_end_of_time() -> None:
    size = leak_size(fall(-0.01, 0.01), STATION_M3, ROOM_K, Settings())
    assert size.rate_pa_s.low == 0.0
    assert size.reserve_s.high == math.inf
    assert 0 < size.reserve_s.low < size.reserve_s.value < math.inf
