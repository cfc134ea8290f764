"""TR-BDF2 for stiff balances with constraints: adaptive steps, a Newton solve without damping, and what lies between.

What is balanced lives in `balance`; when to start afresh is decided in `network`.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Bank et al. 1985; coefficients and embedded third-order weights of Hosea and Shampine 1996, Appl. Num. Math. 20, 21
GAMMA = 2.0 - math.sqrt(2.0)
IMPLICIT = GAMMA / 2.0
EXPLICIT = math.sqrt(2.0) / 4.0
ERROR_WEIGHTS = (
    EXPLICIT - (1.0 - EXPLICIT) / 3.0,
    EXPLICIT - (3.0 * EXPLICIT + 1.0) / 3.0,
    IMPLICIT - IMPLICIT / 3.0,
)

FIRST_STEP_S = 1e-6  # backward Euler after a jump finds flows that fit; its error is of the square of this
SHORTEST_STEP_S = 1e-9
LONGEST_STEP_S = 300.0  # nothing in a cabin that is not told to us changes faster unseen; bounds what a jump discards
ERROR_SHARE = 1e-7  # of mass and energy of a compartment, a step: 0.01 Pa of an atmosphere
FLOW_SHARE = 1e-9  # last correction, of a flow
NEWTON_SHARE = 1e-11  # last correction, of the same
NEWTON_LIMIT = 40  # from rest a flow is first put far too high, then halved each time until it fits
SLOW_NEWTON = 0.3  # corrections that shrink less than this ask for a new Jacobian
GROWTH_LIMIT, SHRINK_LIMIT, SAFETY = 6.0, 0.02, 0.9
ROUNDING = 1e-13  # relative error that a pressure keeps after its few roundings, with a margin of 100


class Balance(Protocol):
    """dy/dt = rates(y, w) with 0 = constraint(y, w); rates go on behind those of y with tallies that feed nothing."""

    def evaluate(self, state: FloatArray, flow: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Rates of state and tallies, and the constraint."""
        ...

    def jacobian(self, state: FloatArray, flow: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Slopes of the rates of the state and of the constraint, each by state and flow."""
        ...

    def driven(self, state: FloatArray) -> FloatArray:
        """The flows that fit a state that stands still."""
        ...

    def scale(self, state: FloatArray) -> FloatArray:
        """What an error of each state is measured against."""
        ...

    def flow_scale(self, state: FloatArray) -> FloatArray:
        """What the rounding of the states that drive each flow is in proportion to, as an amount that flows."""
        ...

    def feasible(self, state: FloatArray) -> bool:
        """Whether such a state can be."""
        ...


class Node(NamedTuple):
    """The solution at one time: state and tallies in one array, their rates, the flows."""

    value: FloatArray
    rates: FloatArray
    flow: FloatArray


@dataclass(frozen=True, slots=True)
class Interval:
    """One accepted step: from `start_s` for `length_s`, known at its start, inside it and at its end."""

    start_s: float
    length_s: float
    start: Node
    inside: FloatArray
    end: Node

    @property
    def end_s(self) -> float:
        """Time of its end, s."""
        return self.start_s + self.length_s

    def value(self, time_s: float) -> FloatArray:
        """State and tallies at a time in it, by the parabola through its three points: of third order, conservative."""
        x = min(max((time_s - self.start_s) / self.length_s, 0.0), 1.0)
        of_inside = x * (x - 1.0) / (GAMMA * (GAMMA - 1.0))
        of_end = x * (x - GAMMA) / (1.0 - GAMMA)
        start = self.start.value  # differences from it: what stands still stays to the bit
        mixed: FloatArray = start + of_inside * (self.inside - start) + of_end * (self.end.value - start)
        return mixed


class StepError(ArithmeticError):
    """No step is short enough; a defect of the model, not of its user."""


class Stepper:
    """Steps one balance on; made anew when the balance changes."""

    def __init__(self, balance: Balance, states: int, time_s: float, node: Node, guess_s: float) -> None:
        """Start at `time_s`; `states` of the node's values are the state, the rest tallies; `guess_s` a first step."""
        self._balance = balance
        self._states = states
        self._time_s = time_s
        self._node = node
        self._next_s = guess_s
        self._started = False
        self._inverse: FloatArray | None = None
        self._inverse_for_s = 0.0

    @property
    def guess_s(self) -> float:
        """Length that the next step will try, s."""
        return self._next_s

    def step(self, longest_s: float = LONGEST_STEP_S) -> Interval:
        """Take one step as long as the tolerance allows.

        Raises:
            StepError: even `SHORTEST_STEP_S` is too long.
        """
        if not self._started:
            self._started = True
            interval = self._first(min(FIRST_STEP_S, longest_s))
        else:
            interval = self._regular(longest_s)
        self._time_s = interval.end_s
        self._node = interval.end
        return interval

    def _first(self, length_s: float) -> Interval:
        state = self._node.value[: self._states]
        while length_s >= SHORTEST_STEP_S:
            end = self._solve(self._node.value, length_s, state, self._balance.driven(state))
            if end is not None:
                inside = (1.0 - GAMMA) * self._node.value + GAMMA * end.value
                return Interval(self._time_s, length_s, self._node, inside, end)
            length_s *= 0.1
        raise StepError(f"no flows fit the gas at {self._time_s} s")

    def _regular(self, longest_s: float) -> Interval:
        length_s = min(self._next_s, longest_s)
        while length_s >= SHORTEST_STEP_S:
            tried = self._try(length_s)
            if tried is None:
                length_s *= 0.2
                continue
            inside, end, error = tried
            factor = SAFETY * max(error, 1e-9) ** (-1.0 / 3.0)
            if error <= 1.0:
                self._next_s = min(length_s * min(factor, GROWTH_LIMIT), LONGEST_STEP_S)
                if 0.8 < self._next_s / length_s < 1.25:
                    self._next_s = length_s  # the same length needs no new matrix
                return Interval(self._time_s, length_s, self._node, inside, end)
            length_s *= max(min(factor, 0.7), SHRINK_LIMIT)
        raise StepError(f"the gas cannot be followed at {self._time_s} s")

    def _try(self, length_s: float) -> tuple[FloatArray, Node, float] | None:
        """Both stages: the value inside, the node at the end, the error over the tolerance."""
        start, n = self._node, self._states
        implicit_s = IMPLICIT * length_s
        known = start.value + implicit_s * start.rates
        guess = start.value[:n] + 2.0 * implicit_s * start.rates[:n]
        inside = self._solve(known, implicit_s, guess, start.flow)
        if inside is None:
            return None
        known = start.value + EXPLICIT * length_s * (start.rates + inside.rates)
        guess = start.value[:n] + (inside.value[:n] - start.value[:n]) / GAMMA
        end = self._solve(known, implicit_s, guess, inside.flow)
        if end is None or self._inverse is None:
            return None
        raw = length_s * (
            ERROR_WEIGHTS[0] * start.rates[:n] + ERROR_WEIGHTS[1] * inside.rates[:n] + ERROR_WEIGHTS[2] * end.rates[:n]
        )
        # filtered by the matrix of the step: a stiff part that has died away is no error
        error = np.abs(self._inverse[:n, :n] @ raw) / self._balance.scale(end.value[:n])
        return inside.value, end, float(error.max()) / ERROR_SHARE

    def _solve(self, known: FloatArray, implicit_s: float, guess: FloatArray, flow: FloatArray) -> Node | None:
        """Solve y = known + implicit_s rates(y, w), 0 = constraint(y, w); None where Newton does not get there.

        The value returned is rebuilt from the rates, so that what one compartment loses another gains to the last bit
        of rounding, however far Newton got.
        """
        balance, n = self._balance, self._states
        state = guess if balance.feasible(guess) else known[:n]
        if not balance.feasible(state):
            state = self._node.value[:n]
        scale, flow_scale = balance.scale(state), balance.flow_scale(state)
        if self._inverse is None or abs(self._inverse_for_s - implicit_s) > 1e-9 * implicit_s:
            self._inverse = self._inverse_at(state, flow, implicit_s)
            self._inverse_for_s = implicit_s
        last = math.inf
        for _ in range(NEWTON_LIMIT):
            rates, constraint = balance.evaluate(state, flow)
            residual = np.concatenate((state - known[:n] - implicit_s * rates[:n], constraint))
            correction = self._inverse @ residual
            size = self._size(correction, scale, flow, ROUNDING * flow_scale / implicit_s)
            if size > SLOW_NEWTON * last or not balance.feasible(state - correction[:n]):
                self._inverse = self._inverse_at(state, flow, implicit_s)
                correction = self._inverse @ residual
                size = self._size(correction, scale, flow, ROUNDING * flow_scale / implicit_s)
            state = state - correction[:n]
            flow = flow - correction[n:]
            if not balance.feasible(state):
                return None
            if size <= NEWTON_SHARE:
                rates, _ = balance.evaluate(state, flow)
                value = known + implicit_s * rates
                return Node(value, rates, flow) if balance.feasible(value[:n]) else None
            last = size
        return None

    def _size(self, correction: FloatArray, scale: FloatArray, flow: FloatArray, flow_noise: FloatArray) -> float:
        """How large a correction is, relative to the states, and to the flows where these are looser."""
        n = self._states
        size = float((np.abs(correction[:n]) / scale).max())
        if flow.size:
            loose = FLOW_SHARE * np.abs(flow) + flow_noise
            size = max(size, NEWTON_SHARE * float((np.abs(correction[n:]) / loose).max()))
        return size

    def _inverse_at(self, state: FloatArray, flow: FloatArray, implicit_s: float) -> FloatArray:
        """Inverse of the Newton matrix, by rows of like size."""
        rates_state, rates_flow, constraint_state, constraint_flow = self._balance.jacobian(state, flow)
        n = self._states
        matrix = np.empty((n + flow.size, n + flow.size))
        matrix[:n, :n] = np.eye(n) - implicit_s * rates_state
        matrix[:n, n:] = -implicit_s * rates_flow
        matrix[n:, :n] = constraint_state
        matrix[n:, n:] = constraint_flow
        size = np.abs(matrix).max(axis=1)
        inverse: FloatArray = np.linalg.inv(matrix / size[:, None]) / size
        return inverse
