"""The fits that an epoch's places lead to, and what speaks against each. Which is the answer is decided elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, fdtrc

from controller.tdoa.epoch import Floats, SensorArray
from controller.tdoa.fit import Fit, SpeedDoubt, snooped
from controller.tdoa.fit import Noise as ArrivalNoise
from controller.tdoa.model import HORIZON, Far, Model, tangents
from controller.tdoa.network import Branch, Network
from controller.tdoa.noise import NoiseModel
from controller.tdoa.region import Region
from controller.tdoa.search import Place
from controller.tdoa.verdict import Reason, bearing_deg

LEFT_OUT_COST = 16.0  # chi-square that leaving one arrival out must save: four sigmas
LEAST_SENSE = 0.3  # of the array: residuals as large, where no sigma allows for them, leave nothing of a place
LEAST_MISFIT = 4.0  # residuals twice their sigma all over; less is a sigma that was declared too small
LEAST_CHANCE = 1e-6  # of a chi-square as large, below which a fit is none
RANGE_DOUBT = 0.5  # of the range: beyond it the place is a direction
ONE_SIGMAS = 0.3  # descents that end nearer than this came to one place
CLOSE_COST = 60.0  # places that start so much worse than the best are not fitted
MAX_FITS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """What fits are judged by; `centre_m` is the frame's origin in the sensors' frame."""

    array: SensorArray
    model: Model
    centre_m: Floats
    spread_m: float
    speed_m_s: float
    doubt: SpeedDoubt
    region: Region | None = None
    least_elevation_deg: float | None = None
    toward_deg: float | None = None

    @property
    def far(self) -> bool:
        """Directions instead of places."""
        return isinstance(self.model, Far)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A fit of one branch, its cost, and why it cannot be the answer (None where it can)."""

    branch: Branch
    found: Fit
    cost: float
    against: Reason | None


class Covariances:
    """What one noise makes of each network, worked out once."""

    def __init__(self, noise: NoiseModel) -> None:
        """Nothing is worked out yet."""
        self.noise = noise
        self._made: dict[int, tuple[Network, ArrivalNoise, Floats]] = {}

    def of(self, network: Network) -> tuple[ArrivalNoise, Floats]:
        """Covariance of the arrivals, and their sigmas (m,) in m."""
        if id(network) not in self._made:
            noise, own = ArrivalNoise(self.noise.covariance(network), self.noise.freedom), self.noise.variance(network)
            self._made[id(network)] = network, noise, np.sqrt(own)
        return self._made[id(network)][1:]


def fits(standard: Standard, branch: Branch, places: Sequence[Place], model: Model, noise: Covariances) -> list[Judged]:
    """Distinct fits of one branch, best first."""
    network = branch.network
    arrival_noise, scale = noise.of(network)
    judged: list[Judged] = []
    starts = [(float(np.sum(np.minimum((p.residual_m / scale) ** 2, LEFT_OUT_COST))), p) for p in places]
    starts.sort(key=lambda pair: pair[0])
    count, unknowns = len(scale), model.steps + 1
    for cost, place in starts[:MAX_FITS]:
        if cost > starts[0][0] + CLOSE_COST:
            break
        gate = 6.0 * scale + standard.doubt.sigma * standard.spread_m
        used = np.flatnonzero(np.abs(place.residual_m) <= gate)
        least = min(count, unknowns + 1)
        if len(used) < least:
            used = np.sort(np.argsort(np.abs(place.residual_m) / scale)[:least])
        found = snooped(
            model, place.state, branch.arrival_m, network.group, arrival_noise, standard.doubt, used.astype(np.intp)
        )
        if found is None or any(apart(found, other.found) < ONE_SIGMAS for other in judged):
            continue
        left_out = count - len(found.used) + len(branch.bad)
        judged.append(
            Judged(
                branch,
                found,
                found.chi_square + LEFT_OUT_COST * left_out,
                _against(standard, found, count, arrival_noise),
            )
        )
    return sorted(judged, key=lambda one: one.cost)


def apart(one: Fit, other: Fit) -> float:
    """How many sigmas two fits are apart, in the measure of the looser one."""
    step = other.state - one.state
    if len(step) > len(one.covariance):
        if float(one.state @ other.state) <= 0.0:
            return float("inf")  # a tangent at one knows nothing of the other half of the sky
        step = tangents(one.state[None])[0] @ step
    squares = [float(step @ np.linalg.lstsq(fit.covariance, step, rcond=None)[0]) for fit in (one, other)]
    return float(np.sqrt(max(min(squares), 0.0)))


def _against(standard: Standard, found: Fit, count: int, noise: ArrivalNoise) -> Reason | None:
    left_out = count - len(found.used)
    if left_out and (found.freedom < 1 or 2 * len(found.used) <= count):
        return Reason.INCONSISTENT
    left_m = found.residual_m[found.used]
    unknown = not np.isinf(noise.freedom)
    if unknown and float(np.sqrt(np.mean(left_m**2))) > LEAST_SENSE * standard.spread_m:
        return Reason.INCONSISTENT
    if found.freedom == 0 and np.isinf(noise.freedom) and found.chi_square > LEFT_OUT_COST:
        return Reason.INCONSISTENT
    if np.isinf(noise.freedom) and found.freedom > 0:
        if found.predicted[found.used].max() > 4.0 + 1e-9 and found.freedom <= 1:
            return Reason.INCONSISTENT
        large = found.chi_square > LEAST_MISFIT * found.freedom
        if large and chdtrc(found.freedom, found.chi_square) < LEAST_CHANCE:
            return Reason.INCONSISTENT
    elif found.freedom > 0 and noise.freedom > found.freedom:
        others = noise.freedom - found.freedom
        if fdtrc(found.freedom, others, found.chi_square / found.freedom) < LEAST_CHANCE:
            return Reason.INCONSISTENT
    if standard.far:
        if standard.toward_deg is not None:
            front = np.array([np.cos(np.radians(standard.toward_deg)), np.sin(np.radians(standard.toward_deg))])
            if float(found.state[:2] @ front) < 0.0:
                return Reason.OUTSIDE
        elevation = bearing_deg(tuple(found.state))[1]
        if standard.least_elevation_deg is not None and elevation is not None:
            slack = 3.0 * float(np.degrees(np.sqrt(found.covariance[1, 1])))
            if elevation < standard.least_elevation_deg - min(slack, 5.0):
                return Reason.OUTSIDE
        return None
    if standard.region is not None:
        sigma = float(np.sqrt(np.linalg.eigvalsh(found.covariance)[-1]))
        excess = float(standard.region.excess_m((found.state + standard.centre_m)[None])[0])
        if excess > min(noise.gate(found.freedom) * sigma, standard.spread_m) + 1e-6 * standard.spread_m:
            return Reason.OUTSIDE
    distance = float(np.linalg.norm(found.state))
    if distance > standard.spread_m:
        toward = found.state / distance
        if distance > 0.5 * HORIZON * standard.spread_m or (
            float(toward @ found.covariance @ toward) > (RANGE_DOUBT * distance) ** 2
        ):
            return Reason.RANGE_UNOBSERVABLE
    return None
