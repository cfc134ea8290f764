"""Reserve time against the crew's chart, closed forms, and an integration by small steps that shares nothing."""

import json
import math

import pytest
from click.testing import CliRunner

from controller.cli.main import main
from controller.isolate.reserve_time import changing_reserve_s, chart_reserve_s, conductance_m3_s, reserve_of
from controller.measure.leak_size import Interval
from firmware_bridge.units import PA_PER_MMHG

LIMIT_PA = 490.0 * PA_PER_MMHG
NO_CHANGE: tuple[tuple[float, float], ...] = ()


@pytest.mark.parametrize(
    ("mmhg", "minutes_a_second"),
    [(785, 6.17), (760, 5.56), (745, 5.20), (700, 4.16), (650, 3.06), (600, 2.03), (550, 1.06)],
)
def test_the_chart(mmhg: float, minutes_a_second: float) -> None:
    """Tres in minutes for each second of T1mm: P ln(P / 490) / 60, two digits after the point."""
    assert chart_reserve_s(mmhg, 1.0, 490.0) / 60.0 == pytest.approx(minutes_a_second, abs=0.0051)


def test_below_the_limit_and_without_a_drop() -> None:
    assert chart_reserve_s(480.0, 10.0, 490.0) == 0.0
    assert chart_reserve_s(700.0, math.inf, 490.0) == math.inf
    with pytest.raises(ValueError, match="pressure must be positive"):
        chart_reserve_s(0.0, 1.0, 490.0)
    with pytest.raises(ValueError, match="cannot be -1"):
        chart_reserve_s(700.0, -1.0, 490.0)


def test_a_constant_leak_integrates_to_the_closed_form() -> None:
    flow = conductance_m3_s(0.03, 99_000.0, 916.0)
    closed = reserve_of(Interval(flow, 0.5 * flow, 2.0 * flow), 916.0, 99_000.0, LIMIT_PA)
    assert changing_reserve_s(99_000.0, LIMIT_PA, lambda *_: flow, NO_CHANGE, 916.0) == pytest.approx(
        closed.value, rel=1e-6
    )
    assert closed.low == pytest.approx(0.5 * closed.value)
    assert closed.high == pytest.approx(2.0 * closed.value)
    assert chart_reserve_s(99_000.0, 1.0 / 0.03, LIMIT_PA) == pytest.approx(closed.value)


def test_a_laminar_crack_slows_down() -> None:
    """G = a P: dP/dt = -a P2 / V, so t = V / a (1 / Plimit - 1 / P)."""
    per_pa = 1e-8
    found = changing_reserve_s(97_300.0, LIMIT_PA, lambda _, pressure: per_pa * pressure, NO_CHANGE, 7.0)
    assert found == pytest.approx(7.0 / per_pa * (1.0 / LIMIT_PA - 1.0 / 97_300.0), rel=1e-5)


def test_volume_leak_and_feed_that_change_against_small_steps() -> None:
    """A hatch shuts after an hour (916 to 106 m3), the hole doubles after two, and 2 Pa m3/s are fed."""

    def flow(at_s: float, _: float) -> float:
        return 2e-4 if at_s < 7200.0 else 4e-4

    pressure_pa, at_s, dt_s = 99_000.0, 0.0, 1.0
    while pressure_pa > LIMIT_PA:
        volume_m3 = 916.0 if at_s < 3600.0 else 106.0
        pressure_pa += dt_s * (2.0 - flow(at_s, pressure_pa) * pressure_pa) / volume_m3
        at_s += dt_s
    found = changing_reserve_s(99_000.0, LIMIT_PA, flow, ((3600.0, 106.0),), 916.0, feed_pa_m3_s=2.0)
    assert found == pytest.approx(at_s, rel=2e-3)


def test_a_feed_that_holds_the_pressure_lasts_for_ever() -> None:
    assert changing_reserve_s(99_000.0, LIMIT_PA, lambda *_: 1e-4, NO_CHANGE, 916.0, feed_pa_m3_s=10.0) == math.inf
    # ... but not where it holds it below the limit
    assert changing_reserve_s(99_000.0, LIMIT_PA, lambda *_: 1e-4, NO_CHANGE, 916.0, feed_pa_m3_s=5.0) < math.inf
    assert changing_reserve_s(99_000.0, LIMIT_PA, lambda *_: 0.0, NO_CHANGE, 916.0) == math.inf
    assert changing_reserve_s(LIMIT_PA, LIMIT_PA, lambda *_: 0.0, NO_CHANGE, 916.0) == 0.0


def asked(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["reserve", *arguments])
    return result.exit_code, result.output


def test_by_hand() -> None:
    """0.8 mmHg/h at 745 mmHg: 390 h, 16 days, as was said of MS-09 (14 to 18)."""
    status, text = asked("--pressure", "745", "--rate", "0.8")
    assert status == 0
    assert "16.3 days" in text
    status, text = asked("--pressure", "745", "--t1", "4500", "--json")
    assert json.loads(text)["reserve_s"] == pytest.approx(390.1 * 3600.0, rel=1e-3)
    status, text = asked("--pressure", "99.325", "--unit", "kpa", "--rate", str(0.8 * 0.133322), "--json")
    assert json.loads(text)["reserve_s"] == pytest.approx(390.1 * 3600.0, rel=1e-3)


def test_by_hand_when_minutes_are_left_or_none_or_no_end() -> None:
    assert "safe haven" in asked("--pressure", "745", "--t1", "1.8")[1]
    assert "0 min" in asked("--pressure", "480", "--t1", "100")[1]
    assert "no end" in asked("--pressure", "745", "--rate", "0")[1]
    assert json.loads(asked("--pressure", "745", "--rate", "0", "--json")[1])["reserve_s"] is None


def test_a_pressure_of_another_unit_is_told() -> None:
    """One atmosphere is 101,325 Pa: in mmHg no cabin's; 99.3 mmHg is below the limit, as 99.3 kPa is not."""
    assert asked("--pressure", "101325", "--t1", "4500") == (
        2,
        "leakctl: 101325 mmHg is no cabin's pressure: give --unit pa\n",
    )
    status, text = asked("--pressure", "99.3", "--rate", "1")
    assert status == 0
    assert "--unit kpa" in text
    assert "warning" not in asked("--pressure", "480", "--t1", "100")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        "--pressure 745",
        "--pressure 745 --t1 1 --rate 1",
        "--t1 5",
        "--pressure -1 --t1 5",
        "--pressure nan --t1 5",
        "--pressure 745 --t1 5 --unit psi",
    ],
)
def test_what_is_refused(arguments: str) -> None:
    status, text = asked(*arguments.split())
    assert status == 2
    assert text
