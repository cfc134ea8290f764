"""A fall of pressure over time: when it is told, told again, given up; and which sensors have a say."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest

from controller.detect.pressure import BLOCK_NS, Settings
from controller.measure.leak_size import Settings as SizeSettings
from controller.pipeline.happenings import Happening, PressureFalls, PressureSteady
from controller.pipeline.pressure_watch import PLAUSIBLE, SHARPENED, STALE_S, PressureWatch
from firmware_bridge.site.survey import Site
from firmware_bridge.units import NS_PER_S, Quantity, s_to_ns
from tests.support.pressing import BLOCK_S, START_PA, scalars
from tests.support.rig import COMPARTMENT
from tests.support.shipped import shipped
from tests.support.sites import parsed, site_tables

LEAK_PA_S = 1.0  # 27 mmHg/h: 3.3 sqrt(L) sigmas over a window of L seconds, 26 over a minute


class Cabin:
    """Two barometers of one gas, a value a second each, judged every block."""

    def __init__(self, site: Site | None = None, compartment: str = COMPARTMENT) -> None:
        self.watch = PressureWatch(site or shipped()[1], compartment, Settings(), SizeSettings())
        self.now_s = 0.0
        self.pressure_pa = START_PA

    def run(
        self,
        seconds: float,
        loss_pa_s: float = 0.0,
        *,
        bias_pa: Mapping[str, float] | None = None,
        sound_since_s: float | None = None,
    ) -> list[Happening]:
        """Let time pass; `bias_pa` names the barometers that speak (P1 and P2 unless told otherwise)."""
        since_ns = None if sound_since_s is None else s_to_ns(sound_since_s)
        happenings: list[Happening] = []
        for _ in range(round(seconds)):
            self.now_s += 1.0
            self.pressure_pa -= loss_pa_s
            for node, bias in ({"P1": 0.0, "P2": 40.0} if bias_pa is None else bias_pa).items():
                self.say(node, self.pressure_pa + bias)
            happenings += self.watch.step(s_to_ns(self.now_s), since_ns)
        return happenings

    def say(
        self, node: str, value: float, quantity: Quantity = Quantity.PRESSURE, *, at_s: float | None = None
    ) -> None:
        sensor = f"{node}-{quantity.name.lower()}"
        time_s = self.now_s if at_s is None else at_s
        self.watch.take(s_to_ns(self.now_s), scalars(time_s, value, quantity=quantity, node=node, sensor=sensor))


@pytest.fixture
def cabin() -> Cabin:
    return Cabin()


def falls(happenings: list[Happening]) -> list[PressureFalls]:
    return [happening for happening in happenings if isinstance(happening, PressureFalls)]


def test_a_steady_cabin_says_nothing(cabin: Cabin) -> None:
    assert cabin.run(1200) == []
    assert cabin.watch.trend is None
    assert cabin.watch.size is None


def test_a_fall_is_told_with_its_size_and_then_only_as_it_sharpens(cabin: Cabin) -> None:
    cabin.run(300)
    told = falls(cabin.run(2000, LEAK_PA_S))
    assert told[0].trend.agreeing == ("P1-pressure", "P2-pressure")
    assert told[-1].size.rate_pa_s.low < LEAK_PA_S < told[-1].size.rate_pa_s.high
    # Over at least the window of 960 s: 1.96 sqrt(0.09 / 960) = 0.019 Pa/s to either side.
    assert told[-1].size.rate_pa_s.high - told[-1].size.rate_pa_s.low < 2 * 0.02
    assert told[-1].size.connected_volume_m3 == pytest.approx(921.0)  # the hatch stands open: module and station
    for before, after in pairwise(told):
        sharper = after.trend.fall.sigma_pa_s < SHARPENED * before.trend.fall.sigma_pa_s
        low, high = before.size.rate_pa_s.low, before.size.rate_pa_s.high
        assert sharper or not low <= after.size.rate_pa_s.value <= high
    # Six windows grow into the fall, each told when it is full and once or twice on the way.
    assert len(told) <= 3 * 6
    assert cabin.watch.trend is not None


def test_a_fall_that_ended_is_over_once_and_can_begin_anew(cabin: Cabin) -> None:
    cabin.run(300)
    cabin.run(600, LEAK_PA_S)
    *slowing, over = cabin.run(1800)
    assert falls(slowing) == slowing  # for a few minutes the windows still hold some of it
    assert over == PressureSteady()
    assert cabin.watch.trend is None
    assert cabin.watch.size is None
    assert falls(cabin.run(300, LEAK_PA_S)) != []


def test_a_fall_does_not_chatter_at_the_threshold(cabin: Cabin) -> None:
    """A slope that wavers about the threshold: told once, kept while it is at all significant, given up once."""
    random = np.random.default_rng(3)
    cabin.run(300)
    happenings = []
    for _ in range(60):
        # 0.09 Pa/s over 960 s are 9.3 sigmas; half of it 4.7, below the 5.5 asked and above the 1.5 of giving up.
        happenings += cabin.run(60, 0.068 + 0.02 * random.standard_normal())
    assert sum(isinstance(one, PressureSteady) for one in happenings) == 0
    assert falls(happenings) != []


def test_sound_since_a_known_time_asks_for_less(cabin: Cabin) -> None:
    cabin.run(300)
    began_s = cabin.now_s
    # 0.1 Pa/s over 120 s: 3.6 sigmas, enough of 3 with a known onset, too few of 5.5 without.
    assert falls(cabin.run(120, 0.1)) == []
    deaf = Cabin()
    deaf.run(300)
    assert falls(deaf.run(120, 0.1, sound_since_s=began_s)) != []


def test_nobody_speaks_and_what_was_believed_stands(cabin: Cabin) -> None:
    cabin.run(300)
    cabin.run(300, LEAK_PA_S)
    assert cabin.watch.trend is not None
    assert cabin.run(600, bias_pa={}) == []
    assert cabin.watch.trend is not None
    assert cabin.watch.readings_pa(s_to_ns(cabin.now_s)) == {}
    assert {name for name, _ in cabin.watch.poor(s_to_ns(cabin.now_s))} == {"P1-pressure", "P2-pressure"}


def test_a_barometer_that_fell_silent_leaves_the_judgement_to_the_other(cabin: Cabin) -> None:
    cabin.run(300)
    cabin.run(120, bias_pa={"P2": 0.0})
    now_ns = s_to_ns(cabin.now_s)
    assert list(cabin.watch.readings_pa(now_ns)) == ["P2-pressure"]
    assert cabin.watch.poor(now_ns) == (("P1-pressure", "was heard and is silent now"),)
    told = falls(cabin.run(300, LEAK_PA_S, bias_pa={"P2": 0.0}))
    assert told[0].trend.watched == ("P2-pressure",)
    assert cabin.run(1, bias_pa=None) is not None
    assert cabin.watch.poor(s_to_ns(cabin.now_s)) == ()


def test_it_is_stale_only_after_a_while(cabin: Cabin) -> None:
    cabin.run(101)  # the newest block began at 100 s
    limit_ns = s_to_ns(100.0 + STALE_S) + BLOCK_NS
    assert cabin.watch.poor(limit_ns) == ()
    assert len(cabin.watch.poor(limit_ns + 1)) == 2


@pytest.mark.parametrize("value", [0.0, -1.0, 2e6])
def test_values_that_no_cabin_has_are_not_believed_and_told(cabin: Cabin, value: float) -> None:
    cabin.run(300)
    for _ in range(60):
        cabin.now_s += 1.0
        cabin.say("P1", value)
        cabin.say("P2", START_PA + 40.0)
    assert cabin.watch.step(s_to_ns(cabin.now_s), None) == []
    (poor,) = cabin.watch.poor(s_to_ns(cabin.now_s))
    assert poor == ("P1-pressure", f"says {value:g}, which no cabin has: not used")
    cabin.say("P1", START_PA)
    assert cabin.watch.poor(s_to_ns(cabin.now_s)) == ()


def test_a_dead_thermometer_does_not_turn_pressure_into_a_leak(cabin: Cabin) -> None:
    for _ in range(300):
        cabin.now_s += 1.0
        cabin.say("P1", START_PA)
        cabin.say("P1", 295.0 if cabin.now_s < 150 else 0.0, Quantity.TEMPERATURE)
        assert cabin.watch.step(s_to_ns(cabin.now_s), None) == []
    assert cabin.watch.temperature_k == pytest.approx(295.0)
    assert [name for name, _ in cabin.watch.poor(s_to_ns(cabin.now_s))] == ["P1-temperature"]


def test_a_value_from_the_future_does_not_block_the_present(cabin: Cabin) -> None:
    cabin.run(300)
    cabin.say("P1", START_PA, at_s=cabin.now_s + 3600.0)
    assert falls(cabin.run(120, LEAK_PA_S))[0].trend.watched == ("P1-pressure", "P2-pressure")


def test_rooms_behind_closed_hatches_have_no_say() -> None:
    tables = site_tables()
    tables["nodes"].append(
        {
            "name": "F",
            "uid": "ff",
            "compartment": "far",
            "sensors": [{"name": "F-pressure", "quantity": "pressure", "channel": 0}],
        }
    )
    cabin = Cabin(parsed(tables), "lab")
    cabin.say("F", START_PA)
    assert cabin.watch.readings_pa(s_to_ns(cabin.now_s)) == {}
    cabin.watch.take(0, scalars(0.0, START_PA, node="B", sensor="B-p"))
    assert list(cabin.watch.readings_pa(0)) == ["B-p"]


def test_temperature_is_the_mean_of_thermometers_else_the_sites(cabin: Cabin) -> None:
    assert cabin.watch.temperature_k == pytest.approx(295.15)
    cabin.say("P1", 290.0, Quantity.TEMPERATURE)
    assert cabin.watch.temperature_k == pytest.approx(290.0)
    cabin.say("P2", 300.0, Quantity.TEMPERATURE)
    assert cabin.watch.temperature_k == pytest.approx(295.0)


def test_it_is_judged_once_a_block(cabin: Cabin, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("controller.pipeline.pressure_watch.judge", lambda *_, **__: asked.append(1))
    cabin.run(100)
    assert len(asked) == pytest.approx(100 / BLOCK_S, abs=1)
    assert BLOCK_NS == BLOCK_S * NS_PER_S


def test_plausible_bounds_hold_every_cabin_and_no_dead_sensor() -> None:
    low, high = PLAUSIBLE[Quantity.PRESSURE]
    assert low < 160 * 133.3 < 785 * 133.3 < high  # from a compartment left to vacuum for days to a full station
    assert low > 0
