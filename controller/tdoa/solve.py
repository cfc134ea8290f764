"""From epochs of delays to answers: search, noise of the table, fits, judgement. No files and no printing here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from controller.tdoa.epoch import Epoch, Floats, SensorArray, spread_axes
from controller.tdoa.fit import SpeedDoubt
from controller.tdoa.hints import Asked, sigma_hint, sign_hint, unit_hint
from controller.tdoa.judge import judge
from controller.tdoa.model import Far, Model, Near
from controller.tdoa.network import Branch, Network, branches, network_of, triangle_scale
from controller.tdoa.noise import UNTOLD_SHARE, NoiseModel, Sample, estimate
from controller.tdoa.options import Covariances, Judged, Standard, fits
from controller.tdoa.region import Region
from controller.tdoa.search import Place, Search
from controller.tdoa.verdict import Answer, Reason

NOISE_EPOCHS = 200  # that the noise is estimated from: some 600 degrees of freedom know sigma to 3 %
NOISE_ROUNDS = 4
SHARES = {"arrivals": 1.0, "delays": 0.0}


@dataclass(frozen=True, slots=True)
class Settings:
    """The medium, what is asked, and what is known of the errors (`sigma_s` None: in the table or unknown)."""

    speed_m_s: float
    speed_sigma_m_s: float = 0.0
    far: bool = False
    sigma_s: float | None = None
    sensor_sigma_m: float = 0.0
    noise: str = "auto"
    sign: str = "a-b"
    region: Region | None = None
    least_elevation_deg: float | None = None
    toward_deg: float | None = None


@dataclass(frozen=True, slots=True)
class Solution:
    """Answers in the order of the epochs, the table's noise, and hints for people."""

    answers: tuple[Answer, ...]
    noise_share: float
    sigma_s: float | None
    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """An epoch with its branches, and the places of each."""

    epoch: Epoch
    branch: Branch
    places: list[Place]
    model: Model


def solve(
    array: SensorArray, epochs: Sequence[Epoch], settings: Settings, progress: Callable[[int], None] = lambda _: None
) -> Solution:
    """Answer every epoch; `progress` is told how many more are done."""
    centre = array.position_m.mean(axis=0)
    own_m = array.position_m - centre
    spread_m = float(spread_axes(own_m)[0][0])
    model: Model = Far(own_m) if settings.far else Near(own_m, spread_m)
    doubt = SpeedDoubt(settings.speed_sigma_m_s / settings.speed_m_s)
    standard = Standard(
        array,
        model,
        centre,
        spread_m,
        settings.speed_m_s,
        doubt,
        settings.region,
        settings.least_elevation_deg,
        settings.toward_deg,
    )
    declared = np.concatenate([epoch.sigma_s for epoch in epochs] or [np.array([])])
    declared = declared[np.isfinite(declared)]
    fallback_s = settings.sigma_s or (float(np.median(declared)) if len(declared) else None)
    known = fallback_s is not None
    prepared, finder = _prepare(array, epochs, settings, own_m, fallback_s)
    work = [_searched(part, finder, own_m, settings, known=known) for part in _batches(prepared)]
    flat = sorted((one for part in work for one in part), key=lambda pair: pair[0])
    by_epoch: dict[int, list[_Work]] = {}
    for at, one in flat:
        by_epoch.setdefault(at, []).append(one)
    noise = _noise(standard, by_epoch, epochs, settings, known=known)
    answers: list[Answer] = []
    covariances = Covariances(noise)
    for at, epoch in enumerate(epochs):
        answers.append(_answer(standard, epoch, by_epoch.get(at, []), covariances))
        progress(1)
    asked = [
        Asked(works[0].places, works[0].branch.arrival_m, finder.of(works[0].branch.network)[0])
        for _, works in sorted(by_epoch.items())
    ]
    hints = (
        *unit_hint(array, epochs, settings.speed_m_s),
        *sign_hint(asked, answers, 1e-9 * spread_m, settings.sign, known=known),
        *sigma_hint(answers, known=known),
    )
    sigma = next((a.sigma_s for a in answers if a.sigma_s is not None), None)
    return Solution(tuple(answers), noise.share, sigma, hints)


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    at: int
    epoch: Epoch
    branch: Branch


class _Finders:
    """Searches by the network they are for, made once each."""

    def __init__(self, own_m: Floats, settings: Settings) -> None:
        self._own_m = own_m
        self._far = settings.far
        self._made: dict[bytes, tuple[Search, Model]] = {}

    def of(self, network: Network) -> tuple[Search, Model]:
        """Search and model of a network's sensors."""
        key = network.sensor.tobytes() + b"|" + network.group.tobytes()
        if key not in self._made:
            points = self._own_m[network.sensor]
            spread_m = float(spread_axes(self._own_m)[0][0])
            model: Model = Far(points) if self._far else Near(points, spread_m)
            self._made[key] = Search(model, points, network.group), model
        return self._made[key]


def _prepare(
    array: SensorArray, epochs: Sequence[Epoch], settings: Settings, own_m: Floats, fallback_s: float | None
) -> tuple[list[_Prepared], _Finders]:
    networks: dict[bytes, Network] = {}
    members: dict[bytes, list[int]] = {}
    for at, epoch in enumerate(epochs):
        if not len(epoch.delay_s):
            continue
        if fallback_s is not None:
            sigma = np.where(np.isfinite(epoch.sigma_s), epoch.sigma_s, fallback_s)
            weight = (sigma * settings.speed_m_s) ** -2.0
        else:
            weight = np.ones(len(epoch.delay_s))
        key = epoch.first.tobytes() + b"|" + epoch.second.tobytes() + b"|" + weight.tobytes()
        own = _own_variance(array, epoch, settings.speed_m_s) if fallback_s is not None else None
        key += b"" if own is None else own.tobytes()
        if key not in networks:
            networks[key] = network_of(epoch.first, epoch.second, weight, own)
        members.setdefault(key, []).append(at)
    prepared: list[_Prepared] = []
    for key, network in networks.items():
        scale: float | None = 1.0
        if fallback_s is None:
            sampled = members[key][:: max(1, len(members[key]) // NOISE_EPOCHS)]
            scale = triangle_scale(network, [epochs[at].delay_s * settings.speed_m_s for at in sampled])
        for at in members[key]:
            prepared += [
                _Prepared(at, epochs[at], one) for one in branches(network, epochs[at], settings.speed_m_s, scale)
            ]
    return prepared, _Finders(own_m, settings)


def _own_variance(array: SensorArray, epoch: Epoch, speed_m_s: float) -> Floats | None:
    """Twice the variance (sensors,) of declared arrivals in m^2; None where it is not declared for all of an epoch."""
    own = epoch.arrival_sigma_s
    if own is None or not np.all(np.isfinite(own)) or not np.all(np.isfinite(epoch.sigma_s)):
        return None
    twice = np.ones(len(array.names))
    twice[epoch.first] = 2.0 * (own * speed_m_s) ** 2
    twice[epoch.second] = 2.0 * np.maximum(epoch.sigma_s**2 - own**2, 0.0025 * epoch.sigma_s**2) * speed_m_s**2
    return twice


def _batches(prepared: Sequence[_Prepared]) -> list[list[_Prepared]]:
    """Epochs with the same sensors and time bases, to be searched at once."""
    parts: dict[bytes, list[_Prepared]] = {}
    for one in prepared:
        network = one.branch.network
        parts.setdefault(network.sensor.tobytes() + b"|" + network.group.tobytes(), []).append(one)
    return list(parts.values())


def _searched(
    part: Sequence[_Prepared], finders: _Finders, own_m: Floats, settings: Settings, *, known: bool
) -> list[tuple[int, _Work]]:
    search, model = finders.of(part[0].branch.network)
    if len(part[0].branch.network.sensor) < search.unknowns:
        return []
    arrival = np.stack([one.branch.arrival_m for one in part])
    least = 1e-9 * float(spread_axes(own_m)[0][0])
    if known:
        trial = NoiseModel(UNTOLD_SHARE, 1.0, np.inf, settings.sensor_sigma_m)
        scale = np.stack([np.sqrt(trial.variance(one.branch.network)) for one in part])
    else:
        scale = np.full(arrival.shape, least)
    doubt_m = settings.speed_sigma_m_s / settings.speed_m_s * float(spread_axes(own_m)[0][0])
    scale = np.hypot(np.maximum(scale, least), doubt_m)
    found = search.places(arrival, scale)
    return [(one.at, _Work(one.epoch, one.branch, places, model)) for one, places in zip(part, found, strict=True)]


def _noise(
    standard: Standard, by_epoch: dict[int, list[_Work]], epochs: Sequence[Epoch], settings: Settings, *, known: bool
) -> NoiseModel:
    """The table's noise, from epochs spread over it."""
    share = SHARES.get(settings.noise)
    if share is None and all(epoch.arrivals for epoch in epochs):
        share = 1.0
    numbers = sorted(by_epoch)
    chosen = (
        [by_epoch[numbers[i]] for i in np.unique(np.linspace(0, len(numbers) - 1, NOISE_EPOCHS).astype(int))]
        if (numbers)
        else []
    )
    start = UNTOLD_SHARE if share is None else share
    noise = NoiseModel(start, 1.0, np.inf, settings.sensor_sigma_m)
    if not known:
        noise = NoiseModel(start, _first_scale(chosen), 0.0, settings.sensor_sigma_m)
    for _ in range(2 if known else NOISE_ROUNDS):
        samples: list[Sample] = []
        covariances = Covariances(noise)
        for works in chosen:
            model = works[0].model
            options = [o for w in works for o in fits(standard, w.branch, w.places, w.model, covariances)]
            good = [o for o in options if o.against is None or o.against is Reason.RANGE_UNOBSERVABLE]
            if good:
                best = min(good, key=lambda one: one.cost)
                samples.append(Sample(best.branch, best.found, model))
        if not samples:
            return noise
        before = noise
        noise = estimate(samples, known, share, settings.sensor_sigma_m)
        if known and noise.share == before.share:
            break
        if not known and abs(np.log(noise.scale / before.scale)) < 0.01 and noise.share == before.share:
            break
    return noise


def _first_scale(chosen: Sequence[Sequence[_Work]]) -> float:
    """Variance of a delay in m^2 from the residuals that the better half of each epoch's arrivals leaves."""
    sizes: list[float] = []
    least = 0.0
    for works in chosen:
        for work in works:
            count, unknowns = len(work.branch.arrival_m), work.model.steps + work.branch.network.groups
            majority = min(count, max(unknowns + 1, (count + unknowns + 1) // 2))
            least = max(least, 1e-9 * float(np.abs(work.branch.arrival_m).max()))
            if count > unknowns:
                ordered = min(float(np.sort(np.abs(p.residual_m))[majority - 1]) for p in work.places)
                quantile = float(ndtri(0.5 + 0.5 * majority / (count + 1)))
                sizes.append(ordered / quantile * float(np.sqrt(count / (count - unknowns))))
            elif work.branch.closure_freedom:
                sizes.append(float(np.sqrt(work.branch.closure_chi_square / work.branch.closure_freedom / 2.0)))
    return 2.0 * max(float(np.median(sizes)) if sizes else 0.0, least, 1e-12) ** 2


def _answer(standard: Standard, epoch: Epoch, works: Sequence[_Work], noise: Covariances) -> Answer:
    """One epoch's answer; without works there were too few delays to search."""
    if not works:
        dims = standard.array.dims
        need = (dims - 1 if standard.far else dims) + 1
        heard = len(np.unique(np.concatenate([epoch.first, epoch.second]))) if len(epoch.delay_s) else 0
        return Answer(
            epoch.label,
            epoch.time_s,
            standard.far,
            None,
            Reason.TOO_FEW_DELAYS,
            f"{len(epoch.delay_s)} delays join {heard} sensors; {need} joined sensors are the least for "
            f"{'a bearing' if standard.far else 'a position'} in {dims} dimensions, one more shows errors",
            delays=len(epoch.delay_s),
            skipped=epoch.skipped,
        )
    options: list[Judged] = [
        one for work in works for one in fits(standard, work.branch, work.places, work.model, noise)
    ]
    first = next((work.places[0].state for work in works if work.places), None)
    return judge(standard, epoch, options, noise.noise, first)
