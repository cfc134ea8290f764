"""A fall of pressure over time: when it is told, told again, given up; and which sensors have a say."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest

from controller.detect.pressure import Settings
from controller.measure.leak_size import Settings as SizeSettings
from controller.pipeline.events import GasMoved, HatchMoved
from controller.pipeline.happenings import Happening, PressureFalls, PressureSteady
from controller.pipeline.pressure_watch import (
    OPENED_SETTLES_S,
    PLAUSIBLE,
    SHARPENED,
    SHUT_SETTLES_S,
    STALE_S,
    WORTH_TELLING,
    PressureWatch,
)
from firmware_bridge.site.survey import Site
from firmware_bridge.units import PA_PER_MMHG, Quantity, s_to_ns
from tests.support.pressing import START_PA, scalars
from tests.support.rig import COMPARTMENT
from tests.support.shipped import shipped
from tests.support.sites import parsed, site_tables

LEAK_PA_S = 1.0  # 27 mmHg/h: 3.3 sqrt(L) sigmas of a cabin's walk of 0.09 Pa2/s over L seconds, 26 over a minute


class Cabin:
    """Two barometers of one gas, a value a second each; nothing cools."""

    def __init__(self, site: Site | None = None, compartment: str = COMPARTMENT) -> None:
        self.watch = PressureWatch(site or shipped()[1], compartment, Settings(), SizeSettings())
        self.now_s = 0.0
        self.pressure_pa = START_PA
        self.random = np.random.default_rng(8)

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
                self.say(node, self.pressure_pa + bias + 0.3 * self.random.standard_normal())
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
    assert cabin.run(600) == []
    assert cabin.watch.trend is None
    assert cabin.watch.size is None


def test_a_fall_is_told_with_its_size_and_then_only_as_it_sharpens(cabin: Cabin) -> None:
    cabin.run(300)
    told = falls(cabin.run(1500, LEAK_PA_S))
    assert told[0].trend.agreeing == ("P1-pressure", "P2-pressure")
    assert told[-1].size.rate_pa_s.low < LEAK_PA_S < told[-1].size.rate_pa_s.high
    # A walk of 0.015 and a wander of 11 Pa over half an hour: 0.01 Pa/s, and what a hole may change.
    assert told[-1].size.rate_pa_s.high - told[-1].size.rate_pa_s.low < 2 * 0.06
    assert told[-1].size.connected_volume_m3 == pytest.approx(921.0)  # the hatch stands open: module and station
    for before, after in pairwise(told):
        sharper = after.trend.fall.sigma_pa_s < SHARPENED * before.trend.fall.sigma_pa_s
        low, high = before.size.rate_pa_s.low, before.size.rate_pa_s.high
        assert sharper or not low <= after.size.rate_pa_s.value <= high
        assert sharper or abs(after.size.rate_pa_s.value / before.size.rate_pa_s.value - 1) > WORTH_TELLING
    assert len(told) <= 20  # sigma from 0.3 to 0.01 in steps of 0.7, and a few changes on the way
    assert cabin.watch.trend is not None


def test_a_fall_that_ended_is_over_once_and_can_begin_anew(cabin: Cabin) -> None:
    cabin.run(300)
    cabin.run(600, LEAK_PA_S)
    *slowing, over = cabin.run(600)
    assert falls(slowing) == slowing  # for a few minutes the windows still hold some of it
    assert over == PressureSteady()
    assert cabin.watch.trend is None
    assert cabin.watch.size is None
    assert falls(cabin.run(300, LEAK_PA_S)) != []


def test_a_fall_does_not_chatter(cabin: Cabin) -> None:
    """A slope that wavers, 0.15 Pa/s: told, kept for as long as it lasts, never given up."""
    random = np.random.default_rng(3)
    cabin.run(900)
    happenings = []
    for _ in range(30):
        happenings += cabin.run(60, 0.15 + 0.04 * random.standard_normal())
    assert sum(isinstance(one, PressureSteady) for one in happenings) == 0
    assert falls(happenings) != []


def test_sound_since_a_known_time_asks_for_less(cabin: Cabin) -> None:
    cabin.run(300)
    began_s = cabin.now_s
    # 0.15 Pa/s over 200 s: 30 Pa are 0.15 sqrt(200) / 0.3 = 7 sigmas of a walk less the gas that cools; the quick
    # test asks 7 of the best onset, 3 of a known one.
    assert falls(cabin.run(150, 0.15)) == []
    hearing = Cabin()
    hearing.run(300)
    assert falls(hearing.run(150, 0.15, sound_since_s=began_s)) != []


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
    cabin.run(101)
    limit_ns = s_to_ns(101.0 + STALE_S)
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


def test_rooms_behind_closed_hatches_are_volumes_of_their_own() -> None:
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
    happenings: list[Happening] = []
    for second in range(600):
        cabin.now_s += 1.0
        cabin.say("F", START_PA - 2.0 * max(0, second - 300) + 0.3 * cabin.random.standard_normal())
        cabin.watch.take(0, scalars(cabin.now_s, START_PA, node="B", sensor="B-p"))
        happenings += cabin.watch.step(s_to_ns(cabin.now_s), None)
    told = falls(happenings)
    assert told[-1].trend.rooms == ("far",)
    assert told[-1].trend.agreeing == ("F-pressure",)


def test_temperature_is_the_mean_of_thermometers_else_the_sites(cabin: Cabin) -> None:
    assert cabin.watch.temperature_k == pytest.approx(295.15)
    cabin.say("P1", 290.0, Quantity.TEMPERATURE)
    assert cabin.watch.temperature_k == pytest.approx(290.0)
    cabin.say("P2", 300.0, Quantity.TEMPERATURE)
    assert cabin.watch.temperature_k == pytest.approx(295.0)


def test_plausible_bounds_hold_every_cabin_and_no_dead_sensor() -> None:
    low, high = PLAUSIBLE[Quantity.PRESSURE]
    assert low < 160 * 133.3 < 785 * 133.3 < high  # from a compartment left to vacuum for days to a full station
    assert low > 0


def shut(cabin: Cabin, opened: bool = False) -> None:
    cabin.watch.hatch_moved(s_to_ns(cabin.now_s), HatchMoved("docking-hatch", opened))


def test_reserve_time_follows_a_hatch_within_one_step(cabin: Cabin) -> None:
    """The conductance stays: of 921 m3 that lose 1 Pa/s, the 5 m3 alone would lose 184, the 916 alone 1.005."""
    cabin.run(600)
    cabin.run(600, LEAK_PA_S)
    (before,) = cabin.watch.reserves
    assert before.assumed is False
    shut(cabin)
    small, large = cabin.watch.reserves
    assert (small.rooms, large.rooms) == (("orbital-module",), ("station",))
    assert small.assumed
    assert large.assumed
    expected_s = cabin.pressure_pa / LEAK_PA_S * np.log(cabin.pressure_pa / (490 * PA_PER_MMHG))
    assert large.reserve_s.value == pytest.approx(expected_s * 916 / 921, rel=0.1)
    assert small.reserve_s.value / large.reserve_s.value == pytest.approx(5 / 916, rel=1e-6)
    # The station stays as it is and the module falls as it must: each is known by itself soon after.
    for _ in range(round(SHUT_SETTLES_S) + 900):
        cabin.now_s += 1.0
        cabin.say("P1", cabin.pressure_pa * np.exp(-(cabin.now_s - 1200.0) * LEAK_PA_S / 5 * 921 / cabin.pressure_pa))
        cabin.say("P2", cabin.pressure_pa + 40.0 + 0.3 * cabin.random.standard_normal())
        cabin.watch.step(s_to_ns(cabin.now_s), None)
    (left,) = cabin.watch.reserves
    assert left.rooms == ("orbital-module",)
    assert not left.assumed
    assert cabin.watch.trend is not None
    assert cabin.watch.trend.rooms == ("orbital-module",)


def test_opening_a_hatch_to_a_room_at_another_pressure_is_no_leak() -> None:
    cabin = Cabin()
    shut(cabin)
    cabin.run(900, bias_pa={"P1": -800.0, "P2": 0.0})
    shut(cabin, opened=True)
    happenings: list[Happening] = []
    for second in range(round(OPENED_SETTLES_S) + 900):
        cabin.now_s += 1.0
        left = np.exp(-second / 15.0)
        for node, bias in (("P1", -800.0 * left), ("P2", -4.3 * (1 - left))):
            cabin.say(node, cabin.pressure_pa + bias + 0.3 * cabin.random.standard_normal())
        happenings += cabin.watch.step(s_to_ns(cabin.now_s), None)
    assert happenings == []
    assert cabin.watch.poor(s_to_ns(cabin.now_s)) == ()


def test_gas_that_people_let_in_or_out_is_no_leak(cabin: Cabin) -> None:
    cabin.run(900)
    kg = 0.5 * 921 / (287.05 * 295.15) * 600  # 0.5 Pa/s for ten minutes
    cabin.watch.gas_moved(s_to_ns(cabin.now_s), GasMoved("station", -kg, 600.0))
    assert cabin.run(600, 0.5) == []
    assert cabin.run(600) == []
    assert falls(Cabin().run(600, 0.5)) != []  # nobody said so


def test_gas_of_unknown_amount_suspends_judgement_and_no_longer(cabin: Cabin) -> None:
    cabin.run(900)
    cabin.watch.gas_moved(s_to_ns(cabin.now_s), GasMoved("station", None, 300.0))
    assert cabin.run(300, 3.0) == []
    assert cabin.run(900) == []
    assert falls(cabin.run(300, LEAK_PA_S)) != []


def test_a_hatch_or_room_that_the_site_does_not_have_changes_nothing(cabin: Cabin) -> None:
    cabin.run(10)
    volumes = set(cabin.watch._volumes)
    cabin.watch.hatch_moved(s_to_ns(10.0), HatchMoved("no such hatch", False))
    cabin.watch.gas_moved(s_to_ns(10.0), GasMoved("no such room", 1.0, 1.0))
    assert set(cabin.watch._volumes) == volumes


@pytest.mark.parametrize("kg", [-10_000.0, 10_000.0])
def test_gas_that_no_cabin_holds_covers_no_leak_and_makes_none(cabin: Cabin, kg: float) -> None:
    cabin.run(300)
    cabin.watch.gas_moved(s_to_ns(cabin.now_s), GasMoved(COMPARTMENT, kg, 3600.0))
    assert not falls(cabin.run(120))
    assert falls(cabin.run(120, LEAK_PA_S))


def test_whoever_announces_unknown_gas_again_and_again_is_told_that_no_leak_would_be_found(cabin: Cabin) -> None:
    def blind() -> bool:
        return any("no leak is found by pressure" in why for _, why in cabin.watch.poor(s_to_ns(cabin.now_s)))

    for _ in range(5):
        cabin.watch.gas_moved(s_to_ns(cabin.now_s), GasMoved(COMPARTMENT, None, 60.0))
        assert not blind()
        cabin.run(110)
    cabin.watch.gas_moved(s_to_ns(cabin.now_s), GasMoved(COMPARTMENT, None, 60.0))
    cabin.run(60)
    assert blind()
    cabin.run(310)
    assert not blind()
