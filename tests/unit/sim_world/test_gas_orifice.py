"""Flow through an opening, against the closed forms of gas dynamics."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.world.gas.orifice import flow_of_square, laminar_flow_kg_s, squared_flow, squared_flow_slopes

AIR_R, AIR_RATIO = 287.05, 1.4


def flow(upstream_pa: float, downstream_pa: float, area_m2: float = 1.0) -> float:
    """Of one opening of effective area `area_m2`, kg/s; negative where `downstream_pa` is the higher."""
    told = (area_m2, upstream_pa, downstream_pa, 295.15, AIR_R, AIR_RATIO)
    square = squared_flow(*(np.array([value]) for value in told))
    density = np.array([max(upstream_pa, downstream_pa) / (AIR_R * 295.15)])
    return float(flow_of_square(square, laminar_flow_kg_s(np.array([area_m2]), density))[0])


def test_a_square_metre_into_vacuum_lets_out_238_4_kg_a_second() -> None:
    # the published figure has four digits
    assert flow(101_325.0, 1e-9) == pytest.approx(238.4, abs=0.05)
    assert flow(101_325.0, 0.5 * 101_325.0) == pytest.approx(238.4, abs=0.05)  # choked below 0.528


@pytest.mark.parametrize("ratio", [0.55, 0.7, 0.9, 0.99, 0.9999])
def test_subsonic_flow_is_the_isentropic_nozzle(ratio: float) -> None:
    # by way of the Mach number: p0/p = (1 + 0.2 M^2)^3.5, m' = rho c M; another path than the one of the code
    mach = math.sqrt((ratio ** (-0.4 / 1.4) - 1.0) / 0.2)
    temperature_k = 295.15 / (1.0 + 0.2 * mach**2)
    density = ratio * 101_325.0 / (AIR_R * temperature_k)
    expected = density * mach * math.sqrt(1.4 * AIR_R * temperature_k)
    # the laminar term takes half of sqrt(1e-10 Pa / dP): 2e-6 at 10 Pa
    assert flow(101_325.0, ratio * 101_325.0) == pytest.approx(expected, rel=3e-6)


def test_a_small_difference_is_bernoulli_and_the_smallest_is_in_proportion() -> None:
    density = 101_325.0 / (AIR_R * 295.15)
    root = math.sqrt(2.0 * density * 1e-4)
    # half of sqrt(1e-10 / 1e-4); the pressures' own rounding (1.5e-11 Pa) is 1e-7 of the difference
    assert flow(101_325.0, 101_325.0 - 1e-4) == pytest.approx(root * (1.0 - 0.5e-3), rel=1e-5)
    # far below 1e-10 Pa the flow is linear: at a low pressure, where so little is still resolved
    one, two = flow(1.0, 1.0 - 1e-13), flow(1.0, 1.0 - 2e-13)
    assert two / one == pytest.approx(2.0, rel=5e-3)


@given(
    first=st.floats(1.0, 2e5),
    second=st.floats(1.0, 2e5),
)
@settings(max_examples=50)
def test_exchanging_the_sides_turns_the_flow(first: float, second: float) -> None:
    assert flow(first, second) == -flow(second, first)
    assert flow(first, second) * (first - second) >= 0.0


@pytest.mark.parametrize("pressures", [(1e5, 9e4), (9e4, 1e5), (1e5, 4e4), (1e4, 9e4), (1e5, 99_999.0)])
def test_the_slopes_are_those_of_the_square(pressures: tuple[float, float]) -> None:
    rest = (np.array([290.0]), np.array([AIR_R]), np.array([AIR_RATIO]))

    def square(first: float, second: float) -> float:
        return float(squared_flow(np.array([0.3]), np.array([first]), np.array([second]), *rest)[0])

    slopes = squared_flow_slopes(np.array([0.3]), np.array([pressures[0]]), np.array([pressures[1]]), *rest)
    first, second = pressures
    nudge = 1e-3
    # central differences: error of second order, 1e-3 Pa in 1e5, and rounding of 1e-16 * 1e5 / 1e-3
    by_first = (square(first + nudge, second) - square(first - nudge, second)) / (2.0 * nudge)
    by_second = (square(first, second + nudge) - square(first, second - nudge)) / (2.0 * nudge)
    size = abs(by_first) + abs(by_second)
    assert float(slopes.by_first_pa[0]) == pytest.approx(by_first, abs=1e-6 * size)
    assert float(slopes.by_second_pa[0]) == pytest.approx(by_second, abs=1e-6 * size)
