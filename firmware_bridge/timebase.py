"""Node clock -> integer nanoseconds on the common base, with sigma: weighted regression on ping round trips.

A round trip cannot see path asymmetry: the stated sigma therefore carries the whole half round trip as a uniform
unknown. Sub-microsecond alignment between nodes comes from pulses that several of them saw, by a tie: see `ties`.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from firmware_bridge.units import NS_PER_S

MAX_OBSERVATIONS = 32  # the newest round trips, all of them
BEST_OF = 16  # of every so many older ones the shortest is kept,
MAX_KEPT = 32  # this many: nine minutes, which a busy host needs to tell a crystal's rate
STEP_SIGMAS = 8.0  # a good round trip this far from the fit means that the node's clock was stepped
EDGE_SIGMAS = 5.0  # dates of one instant are never further apart: each is off by less than sqrt(3 + 4^2) of its sigmas
MIN_OBSERVATIONS = 3
CRYSTAL_RATE_ERROR = 100e-6  # sigma of a crystal's rate before anything is known; docs/protocol.md asks for one
RATE_WANDER = 2e-7  # how much that rate changes over minutes, by temperature: what is old says less of now
CREDIBLE_RATE_ERROR = 0.05  # twice an uncalibrated RC oscillator; a fit beyond it has met stamps that are no clock's
REACH_NS = 600 * NS_PER_S  # a reading of the node's clock farther than this from the newest round trip is not believed
_JITTER_FLOOR_NS = 1000.0


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One ping: sent and returned on the common base, received and answered on the node's clock, all ns."""

    sent_ns: int
    node_received_ns: int
    node_sent_ns: int
    returned_ns: int

    @property
    def duration_ns(self) -> int:
        """Time spent on the way, both ways."""
        return (self.returned_ns - self.sent_ns) - (self.node_sent_ns - self.node_received_ns)


@dataclass(frozen=True, slots=True)
class _Fit:
    node_origin_ns: int
    common_origin_ns: int
    rate: float  # common ns per node ns, minus one
    sigma_ns: float
    rate_sigma: float
    credible: bool


@dataclass(frozen=True, slots=True)
class _Tie:
    node_ns: int
    common_ns: int
    sigma_ns: float


class TimeBase:
    """Maps one node's clock to the common base and back."""

    def __init__(self) -> None:
        """Start without knowledge."""
        self._newest: deque[RoundTrip] = deque()
        self._older: list[RoundTrip] = []
        self._kept: deque[RoundTrip] = deque(maxlen=MAX_KEPT)
        self._fit: _Fit | None = None
        self._tie: _Tie | None = None
        self.steps = 0

    @property
    def ready(self) -> bool:
        """Whether times can be converted."""
        return self._fit is not None

    @property
    def sigma_ns(self) -> float:
        """One standard deviation at the newest observation; infinite while not ready."""
        return math.inf if self._fit is None else self._fit.sigma_ns

    @property
    def rate_error(self) -> float:
        """How much faster the common base runs than the node's clock (dimensionless); 0 while not ready."""
        return 0.0 if self._fit is None else self._fit.rate

    @property
    def rate_sigma(self) -> float:
        """One standard deviation of `rate_error` (dimensionless); the prior's while not ready."""
        return CRYSTAL_RATE_ERROR if self._fit is None else self._fit.rate_sigma

    def observe(self, trip: RoundTrip) -> None:
        """Take one round trip into account; impossible ones (of negative duration, here or there) are ignored."""
        if trip.duration_ns < 0 or trip.returned_ns < trip.sent_ns or trip.node_sent_ns < trip.node_received_ns:
            return
        if self._fit is not None and self._is_step(trip):
            self.forget()
        self._newest.append(trip)
        if len(self._newest) > MAX_OBSERVATIONS:
            self._older.append(self._newest.popleft())
        if len(self._older) == BEST_OF:
            self._kept.append(min(self._older, key=lambda old: old.duration_ns))
            self._older.clear()
        if len(self._newest) >= MIN_OBSERVATIONS:
            trips = (*self._kept, *self._newest)
            fit = _fit(trips, CRYSTAL_RATE_ERROR)
            if not fit.credible:  # steady, but no crystal?
                fit = _fit(trips, CREDIBLE_RATE_ERROR / 2)
            if fit.credible:
                self._fit = fit
            else:
                self.forget()

    def forget(self) -> None:
        """The node's clock was stepped: learn it anew."""
        self._newest.clear()
        self._older.clear()
        self._kept.clear()
        self._fit = self._tie = None
        self.steps += 1

    def covers(self, node_ns: int) -> bool:
        """Whether `node_ns` is near enough to the newest round trip to be a reading of this clock."""
        return self._fit is not None and abs(node_ns - self._fit.node_origin_ns) <= REACH_NS

    def to_common(self, node_ns: int) -> tuple[int, float]:
        """Common time and its sigma (ns) of an instant on the node's clock.

        From the tie where there is one that says it better: soon after it, and never far from it.

        Raises:
            LookupError: not ready.
        """
        common_ns, sigma_ns = self.by_round_trips(node_ns)
        if self._tie is not None:
            since_ns = node_ns - self._tie.node_ns
            fit = self._known()
            tied_sigma_ns = math.hypot(self._tie.sigma_ns, since_ns * math.hypot(fit.rate_sigma, RATE_WANDER))
            if tied_sigma_ns <= sigma_ns:
                return self._tie.common_ns + since_ns + round(since_ns * fit.rate), tied_sigma_ns
        return common_ns, sigma_ns

    def by_round_trips(self, node_ns: int) -> tuple[int, float]:
        """As `to_common`, of what this node's own pings say alone."""
        fit = self._known()
        elapsed_ns = node_ns - fit.node_origin_ns
        common_ns = fit.common_origin_ns + elapsed_ns + round(elapsed_ns * fit.rate)
        return common_ns, math.hypot(fit.sigma_ns, elapsed_ns * fit.rate_sigma)

    def tie(self, node_ns: int, common_ns: int, sigma_ns: float) -> None:
        """Several nodes saw one instant: on this node's clock it was `node_ns`, and the best of them dates it so.

        A date that this node's own pings contradict is none of this clock's (it was stepped meanwhile), and ignored.
        """
        if self._fit is None:
            return
        own_ns, own_sigma_ns = self.by_round_trips(node_ns)
        if abs(own_ns - common_ns) <= EDGE_SIGMAS * (own_sigma_ns + sigma_ns):
            self._tie = _Tie(node_ns, common_ns, sigma_ns)

    def to_node(self, common_ns: int) -> int:
        """The node's clock at a common instant, never negative.

        Raises:
            LookupError: not ready.
        """
        fit = self._known()
        elapsed_ns = common_ns - fit.common_origin_ns
        return max(0, fit.node_origin_ns + elapsed_ns - round(elapsed_ns * fit.rate / (1.0 + fit.rate)))

    def _known(self) -> _Fit:
        if self._fit is None:
            raise LookupError("the time base has not seen enough round trips")
        return self._fit

    def _is_step(self, trip: RoundTrip) -> bool:
        predicted_ns, sigma_ns = self.to_common((trip.node_received_ns + trip.node_sent_ns) // 2)
        midpoint_ns = (trip.sent_ns + trip.returned_ns) // 2
        # Half the round trip bounds what queues on the way can do; beyond that only a stepped clock explains it.
        return abs(predicted_ns - midpoint_ns) > STEP_SIGMAS * sigma_ns + trip.duration_ns / 2


def _fit(trips: tuple[RoundTrip, ...], prior_rate: float) -> _Fit:
    """Weighted straight line through (node time, offset); the shortest round trips weigh most."""
    last = trips[-1]
    node_origin_ns = (last.node_received_ns + last.node_sent_ns) // 2
    common_origin_ns = (last.sent_ns + last.returned_ns) // 2
    node_ns = np.array([(t.node_received_ns + t.node_sent_ns) // 2 - node_origin_ns for t in trips], dtype=float)
    common_ns = np.array([(t.sent_ns + t.returned_ns) // 2 - common_origin_ns for t in trips], dtype=float)
    duration_ns = np.array([t.duration_ns for t in trips], dtype=float)
    shortest_ns = float(duration_ns.min())
    # What a trip took beyond the shortest sat in one queue or another: its midpoint is off by up to half of that. The
    # shortest itself is not free of queueing: the minimum of n nears the true one as the typical excess over sqrt(n).
    unseen_ns = (float(np.median(duration_ns)) - shortest_ns) / math.sqrt(len(trips))
    sigma_ns = _JITTER_FLOOR_NS + (duration_ns - shortest_ns + unseen_ns) / 2 + RATE_WANDER * np.abs(node_ns)
    weight = 1.0 / sigma_ns**2
    design = np.column_stack([np.ones_like(node_ns), node_ns])
    # The drift's prior keeps a short baseline from inventing a rate; the offset has none.
    information = design.T @ (weight[:, None] * design) + np.diag([0.0, 1.0 / prior_rate**2])
    covariance = np.linalg.inv(information)
    offset_ns, rate = covariance @ (design.T @ (weight * (common_ns - node_ns)))
    asymmetry_ns = shortest_ns / 2 / math.sqrt(3.0)
    residual_ns = np.abs(common_ns - node_ns - offset_ns - rate * node_ns)
    one_clock = bool((residual_ns <= STEP_SIGMAS * sigma_ns + duration_ns / 2).all())
    return _Fit(
        node_origin_ns=node_origin_ns,
        common_origin_ns=common_origin_ns + round(float(offset_ns)),
        rate=float(rate),
        sigma_ns=math.hypot(math.sqrt(covariance[0, 0]), asymmetry_ns),
        rate_sigma=math.sqrt(covariance[1, 1]),
        credible=one_clock and abs(rate) <= CREDIBLE_RATE_ERROR,
    )
