"""TR-BDF2 on problems whose solution is known: order, stiffness, what lies between the steps."""

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.world.gas import integrator
from sim.world.gas.integrator import Node, Stepper

FloatArray = NDArray[np.float64]


class Relaxing:
    """y0' = -k (y0 - cos t), t' = 1, and a flow w held to w = y0 by a constraint; y1' = w. Known in closed form."""

    def __init__(self, rate_per_s: float) -> None:
        self.rate_per_s = rate_per_s

    def evaluate(self, state: FloatArray, flow: FloatArray) -> tuple[FloatArray, FloatArray]:
        y, _, t = state
        return np.array([-self.rate_per_s * (y - math.cos(t)), flow[0], 1.0]), np.array([flow[0] - y])

    def jacobian(self, state: FloatArray, flow: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        t = state[2]
        rates_state = np.zeros((3, 3))
        rates_state[0, 0], rates_state[0, 2] = -self.rate_per_s, -self.rate_per_s * math.sin(t)
        return rates_state, np.array([[0.0], [1.0], [0.0]]), np.array([[-1.0, 0.0, 0.0]]), np.array([[1.0]])

    def driven(self, state: FloatArray) -> FloatArray:
        return state[:1]

    def scale(self, state: FloatArray) -> FloatArray:
        return np.ones(3)

    def flow_scale(self, state: FloatArray) -> FloatArray:
        return np.ones(1)

    def feasible(self, state: FloatArray) -> bool:
        return True

    def exact(self, t: float) -> tuple[float, float]:
        k = self.rate_per_s
        factor = k / (k**2 + 1.0)
        y = factor * (k * math.cos(t) + math.sin(t) - k * math.exp(-k * t))
        return y, factor * (k * math.sin(t) - math.cos(t) + math.exp(-k * t))


def started(problem: Relaxing) -> Stepper:
    return Stepper(problem, 3, 0.0, Node(np.zeros(3), np.zeros(3), np.zeros(1)), 1e-3)


def error_with_steps_of(length_s: float, monkeypatch: pytest.MonkeyPatch) -> float:
    """Error at 2 s of steps of one length, whatever their error."""
    monkeypatch.setattr(integrator, "ERROR_SHARE", 1e9)
    monkeypatch.setattr(integrator, "LONGEST_STEP_S", length_s)
    monkeypatch.setattr(integrator, "GROWTH_LIMIT", 1e9)
    problem = Relaxing(3.0)
    stepper = started(problem)
    interval = stepper.step(1e-9)
    while interval.end_s < 2.0 - 1e-6:
        interval = stepper.step(length_s)
        length = interval.length_s
        if length < 0.5 * length_s:  # the first guess; the next is as long as allowed
            assert stepper.guess_s > length
    y, integral = problem.exact(interval.end_s)
    return max(abs(float(interval.end.value[0]) - y), abs(float(interval.end.value[1]) - integral))


def test_it_is_of_second_order(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = [error_with_steps_of(length_s, monkeypatch) for length_s in (0.1, 0.05, 0.025, 0.0125)]
    orders = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    assert all(order == pytest.approx(2.0, abs=0.25) for order in orders), orders


@pytest.mark.parametrize("rate_per_s", [1.0, 1e3, 1e7])
def test_it_keeps_its_tolerance_however_stiff(rate_per_s: float) -> None:
    problem, steps = Relaxing(rate_per_s), 0
    stepper = started(problem)
    interval = stepper.step()
    while interval.end_s < 3.0:
        interval = stepper.step()
        steps += 1
        for share in (0.25, 0.6, 1.0):
            time_s = interval.start_s + share * interval.length_s
            y, integral = problem.exact(time_s)
            value = interval.value(time_s)
            # a step errs by 1e-7; the first one, from y = 0, is backward Euler of 1e-6 s: k dt / 2 of what it leaps
            leap = 0.5 * min(rate_per_s * 1e-6, 1.0) ** 2 * math.exp(-rate_per_s * (time_s - 1e-6))
            assert float(value[0]) == pytest.approx(y, abs=3e-5 + 2.0 * leap)
            assert float(value[1]) == pytest.approx(integral, abs=3e-5)
            assert float(value[2]) == pytest.approx(time_s, abs=1e-9)
    assert steps < 1000


def test_between_the_steps_what_stands_still_stands_still() -> None:
    stepper = started(Relaxing(2.0))
    stepper.step()
    interval = stepper.step()
    assert np.array_equal(interval.value(interval.start_s), interval.start.value)
    assert interval.value(interval.end_s) == pytest.approx(interval.end.value, rel=1e-15)
