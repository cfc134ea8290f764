"""Nitrogen: small leaks by it, waves and warmth that are none, sensors that lie, and what a false fall teaches."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from controller.detect.pressure import PressureTrend, Settings
from controller.detect.pressure_nitrogen import REMEMBERED_S, ROUGHER, ROUGHEST, NitrogenTest
from controller.detect.pressure_quiet import REFERENCE_PA
from controller.detect.pressure_volume import VolumeWatch
from firmware_bridge.units import NS_PER_S, PA_PER_MMHG, S_PER_DAY, S_PER_HOUR

CABIN_PA, NITROGEN_PA, CABIN_K = 98_000.0, 76_000.0, 295.0
SLOW_S = 60.0  # between two readings
SMALL = 1.5 * PA_PER_MMHG / S_PER_DAY / CABIN_PA  # a second


def told(
    hours: float,
    nitrogen: dict[str, Callable[[float], float]],
    *,
    kelvin: Callable[[float], float] = lambda _s: CABIN_K,
    known: tuple[float, str, float] | None = None,
) -> tuple[float | None, PressureTrend | None, VolumeWatch]:
    """When a volume with such nitrogen (relative, by time) is first believed to leak, and what is said then."""
    random = np.random.default_rng(5)
    watch = VolumeWatch({"cabin": 383.0}, Settings())
    for step in range(1, round(hours * S_PER_HOUR / SLOW_S)):
        now_s = SLOW_S * step
        now_ns = round(now_s * NS_PER_S)
        at = np.array([now_ns])
        if known is not None and step == 10:
            watch.expect(known[0], known[2], now_ns, known[1])
        # oxygen that is fed holds the pressure: no leak can be seen in it
        let_in_pa = 0.0 if known is None else known[0] * min(max((now_s - 10 * SLOW_S) / known[2], 0.0), 1.0)
        pressure_pa = (CABIN_PA + let_in_pa) * kelvin(now_s) / CABIN_K + 0.3 * random.standard_normal()
        watch.take_pressure("P", at, np.array([pressure_pa]))
        watch.take_temperature("T", "cabin", at, np.array([kelvin(now_s) + 0.002 * random.standard_normal()]))
        for name, level in nitrogen.items():
            noisy_pa = NITROGEN_PA * level(now_s) + 5.0 * random.standard_normal()
            watch.take_nitrogen(name, np.array([noisy_pa]))
        watch.step(now_ns + 2 * NS_PER_S)
        trend = watch.trend()
        if trend is not None and trend.significant:
            return now_s, trend, watch
    return None, None, watch


def test_a_small_leak_is_found_by_nitrogen_alone() -> None:
    found_s, trend, _ = told(14.0, {"N": lambda s: math.exp(-SMALL * s)})
    assert found_s is not None
    assert found_s < 12 * S_PER_HOUR
    assert trend is not None
    assert "N" in trend.agreeing
    assert trend.fall.sigmas > 2.0  # believed at 4.5: an interval that holds none at all would belie that
    truth_pa_s = -SMALL * CABIN_PA
    assert abs(trend.fall.rate_pa_s - truth_pa_s) < 2.5 * trend.fall.sigma_pa_s


@pytest.mark.parametrize(
    "wave",
    [
        lambda _s: 1.0,
        lambda s: 1.0 + 0.02 / CABIN_K * math.sin(math.tau * s / S_PER_DAY),  # warmth that no thermometer sees
        lambda s: 1.0 + 0.02 / CABIN_K * math.cos(math.tau * s / 5562.0),
    ],
    ids=["still", "day", "orbit"],
)
def test_a_tight_cabin_is_quiet(wave: Callable[[float], float]) -> None:
    found_s, _, _ = told(26.0, {"N": wave})
    assert found_s is None


def test_warmth_that_thermometers_see_is_no_leak() -> None:
    """A kelvin down in twelve hours: 260 Pa of nitrogen, ten times the small leak at its best."""

    def kelvin(at_s: float) -> float:
        return CABIN_K + 0.5 * math.cos(math.tau * at_s / S_PER_DAY)

    found_s, _, _ = told(20.0, {"N": lambda s: kelvin(s) / CABIN_K}, kelvin=kelvin)
    assert found_s is None


def test_of_three_sensors_one_that_drifts_away_is_named_and_makes_no_leak() -> None:
    sensors: dict[str, Callable[[float], float]] = {
        "N1": lambda _s: 1.0,
        "N2": lambda _s: 1.01,
        "N3": lambda s: 1.0 - 6e-5 * s / S_PER_HOUR * 20.0,
    }
    found_s, _, watch = told(6.0, sensors)
    assert found_s is None
    assert [name for name, _ in watch.complaints] == ["N3"]


def test_nitrogen_that_goes_on_purpose_is_no_leak_and_oxygen_that_comes_is_none_of_it() -> None:
    """150 Pa in six hours: taken for nitrogen's, or not taken for it, either would be four times the small leak."""
    over_s = 6 * S_PER_HOUR
    for gas, change_pa, gone_pa in (("nitrogen", -150.0, 150.0), ("oxygen", 150.0, 0.0)):

        def level(at_s: float, gone_pa: float = gone_pa) -> float:
            return 1.0 - gone_pa / NITROGEN_PA * min(max((at_s - 10 * SLOW_S) / over_s, 0.0), 1.0)

        found_s, _, _ = told(6.0, {"N": level}, known=(change_pa, gas, over_s))
        assert found_s is None, gas
    leaks_s, _, _ = told(6.0, {"N": lambda s: 1.0 - 150.0 / NITROGEN_PA * s / over_s})
    assert leaks_s is not None


def day(amplitude_k: float, test: NitrogenTest, days: float, from_s: float = 0.0) -> int:
    """Falls that are believed in a cabin whose thermometers miss such a wave of the day."""
    random = np.random.default_rng(8)
    falls, believed = 0, False
    for minute in range(round(days * 1440)):
        now_s = from_s + 60.0 * minute
        wave = amplitude_k * math.sin(math.tau * now_s / S_PER_DAY)
        test.take(now_s, REFERENCE_PA * wave / CABIN_K + random.standard_normal(), 1.0, 0.0)
        loss = test.loss
        now = loss is not None and loss.believed
        falls += now and not believed
        believed = now
    return falls


def test_a_cabin_whose_thermometers_miss_much_is_soon_known_as_such() -> None:
    """0.2 K is 69 Pa, nine times what is reckoned with: a fall every day, were nothing learned."""
    test = NitrogenTest(Settings(), S_PER_DAY)
    first = day(0.2, test, 5.0)
    assert 1 <= first <= 4
    assert ROUGHER <= test.rougher <= ROUGHEST
    assert day(0.2, test, 5.0, 5 * S_PER_DAY) == 0


def test_what_was_learned_is_forgotten_when_it_was_long_ago() -> None:
    test = NitrogenTest(Settings(), S_PER_DAY)
    day(0.2, test, 3.0)
    assert test.rougher > 1.0
    for hour in range(round(1.1 * REMEMBERED_S / S_PER_HOUR)):
        test.take(3 * S_PER_DAY + S_PER_HOUR * hour, 0.0, 1.0, 0.0)
    assert test.rougher == 1.0
