"""No sequence of hatches, gaps and lying sensors makes the pressure watch raise, say NaN, or know more for it."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.detect.pressure import PressureTrend, Settings
from controller.measure.leak_size import LeakSize
from controller.measure.leak_size import Settings as SizeSettings
from controller.pipeline.events import GasMoved, HatchMoved
from controller.pipeline.pressure_watch import PressureWatch
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.units import NS_PER_S, Quantity
from tests.support.rig import COMPARTMENT
from tests.support.shipped import shipped

WILD = st.floats(width=32)  # NaN and infinities too
PRESSURES = st.floats(60_000.0, 110_000.0)
HAPPENS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(["P1", "P2"]), PRESSURES, st.integers(1, 90)),
    st.tuples(st.just("fall"), st.floats(0.01, 500.0), st.integers(1, 120)),
    st.tuples(st.just("wild"), st.sampled_from(["P1", "P2"]), WILD, st.integers(-10_000, 10_000)),
    st.tuples(st.just("warm"), st.sampled_from(["P1", "P2"]), WILD),
    st.tuples(st.just("hatch"), st.booleans()),
    st.tuples(st.just("gas"), st.one_of(st.none(), st.floats(-50.0, 50.0)), st.floats(0.0, 1e6)),
    st.tuples(st.just("gap"), st.integers(1, 200_000)),
    st.tuples(st.just("stuck"), st.integers(60, 150)),
    st.tuples(st.just("hatch sensor"), WILD),
    st.tuples(st.just("nitrogen"), WILD, st.integers(1, 90)),
    st.tuples(st.just("reset"), st.sampled_from(["P1", "P2"]), st.integers(0, 200_000), st.integers(1, 60)),
    st.tuples(st.just("reboot"), st.sampled_from(["P1", "P2"]), st.floats(-5000.0, 5000.0), st.integers(1, 60)),
    st.tuples(st.just("drift"), st.sampled_from(["P1", "P2"]), st.floats(-50.0, 50.0), st.integers(1, 120)),
)


def block(node: str, value: float, at_ns: int, quantity: Quantity = Quantity.PRESSURE) -> ScalarBlock:
    name = f"{node}-{quantity.name.lower()}"
    return ScalarBlock(node, name, quantity, np.array([at_ns]), np.array([value]), 1000.0)


def sane(watch: PressureWatch, trend: PressureTrend | None, size: LeakSize | None) -> None:
    if trend is not None and size is not None:
        for span in (size.rate_pa_s, size.mass_rate_kg_s, size.hole_diameter_m, size.reserve_s):
            assert not any(math.isnan(value) for value in (span.low, span.value, span.high))
            assert 0.0 <= span.low <= span.value <= span.high
        assert trend.fall.sigma_pa_s > 0.0
    for reserve in watch.reserves:
        assert 0.0 <= reserve.reserve_s.low <= reserve.reserve_s.value <= reserve.reserve_s.high


@given(st.lists(HAPPENS, max_size=12), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_whatever_happens_it_stays_sane(happenings: list[tuple[object, ...]], seed: int) -> None:
    watch = PressureWatch(shipped()[1], COMPARTMENT, Settings(), SizeSettings())
    random = np.random.default_rng(seed)
    now_s, pressure = 0.0, 99_000.0

    def second(loss: float, noise: float = 0.5) -> None:
        nonlocal now_s, pressure
        now_s += 1.0
        pressure = max(pressure - loss, 1000.0)
        now_ns = round(now_s * NS_PER_S)
        for node in ("P1", "P2"):
            watch.take(now_ns, block(node, pressure + noise * random.standard_normal(), now_ns))
        watch.step(now_ns, None)

    for what, *details in happenings:
        now_ns = round(now_s * NS_PER_S)
        if what == "say":
            node, value, times = details
            for _ in range(int(str(times))):
                now_s += 1.0
                now_ns = round(now_s * NS_PER_S)
                watch.take(now_ns, block(str(node), float(str(value)), now_ns))
                watch.step(now_ns, None)
        elif what == "fall":
            loss, times = details
            for _ in range(int(str(times))):
                second(float(str(loss)))
        elif what == "wild":
            node, value, off_s = details
            watch.take(now_ns, block(str(node), float(str(value)), now_ns + int(str(off_s)) * NS_PER_S))
        elif what == "warm":
            node, value = details
            watch.take(now_ns, block(str(node), float(str(value)), now_ns, Quantity.TEMPERATURE))
        elif what == "hatch":
            watch.hatch_moved(now_ns, HatchMoved("docking-hatch", bool(details[0])))
        elif what == "gas":
            kg, over_s = details
            watch.gas_moved(now_ns, GasMoved("station", None if kg is None else float(str(kg)), float(str(over_s))))
        elif what == "gap":
            watch.step(now_ns + 3 * NS_PER_S, None)  # all that was said before the gap is judged
            now_s += 3.0
            before = watch.trend
            now_s += float(str(details[0]))
            watch.step(round(now_s * NS_PER_S), None)
            after = watch.trend
            if before is not None and after is not None:
                assert after.fall.sigma_pa_s >= before.fall.sigma_pa_s * (1 - 1e-9)  # silence teaches nothing
        elif what == "hatch sensor":
            watch.take(now_ns, block("P2", float(str(details[0])), now_ns, Quantity.HATCH))
        elif what == "nitrogen":
            value, times = details
            for _ in range(int(str(times))):
                second(0.0)
                now_ns = round(now_s * NS_PER_S)
                watch.take(now_ns, block("P1", float(str(value)), now_ns, Quantity.PP_NITROGEN))
        elif what == "reset":  # a node whose clock begins at nought again, or long ago
            node, back_s, times = details
            for _ in range(int(str(times))):
                second(0.0)
                now_ns = round(now_s * NS_PER_S)
                then_ns = max(now_ns - int(str(back_s)) * NS_PER_S, 0)
                watch.take(now_ns, block(str(node), pressure, then_ns))
        elif what in {"reboot", "drift"}:  # one barometer comes back elsewhere, or walks away
            node, by_pa, times = details
            for count in range(int(str(times))):
                second(0.0)
                now_ns = round(now_s * NS_PER_S)
                away_pa = float(str(by_pa)) * (1 if what == "reboot" else count)
                watch.take(now_ns, block(str(node), pressure + away_pa, now_ns))
        else:
            for _ in range(int(str(details[0]))):
                second(0.0, noise=0.0)
        watch.step(round(now_s * NS_PER_S) + NS_PER_S, None)
        sane(watch, watch.trend, watch.size)
    for _ in range(30):
        second(0.0)
    sane(watch, watch.trend, watch.size)
    assert watch.poor(round(now_s * NS_PER_S)) is not None
