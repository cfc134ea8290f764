"""Which of an epoch's fits is the answer, and whether there is one. Fits are made elsewhere."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import chdtrc

from controller.tdoa.epoch import Epoch, Floats
from controller.tdoa.fit import Fit, scaled_by
from controller.tdoa.model import tangents
from controller.tdoa.noise import NoiseModel
from controller.tdoa.options import Judged, Standard, apart
from controller.tdoa.verdict import Answer, Candidate, Reason, Rejected, bearing_deg, radius95, student_growth

SURE = 0.9  # probability that the best place needs against all others
VAGUE = 3.0  # times array and range: one degree of freedom makes radii of 15 sigma, and those may still be told
DOUBTED_CHANCE = 1e-2  # below it the covariance grows with the misfit
FAR_AWAY = 30.0  # spreads; a search that ends there and cannot be fitted has lost the range
APART_SIGMAS = 5.0  # places nearer than this are one answer, whose covariance holds them all
MAX_FITS = 6
PRIOR_FREEDOM = 20.0  # how strongly a table's noise holds for one epoch, at most


def judge(
    standard: Standard, epoch: Epoch, options: Sequence[Judged], noise: NoiseModel, nearest: Floats | None = None
) -> Answer:
    """The answer from all fits of all branches; `nearest` is the best place that the search came to, fitted or not."""
    base = Answer(
        epoch.label, epoch.time_s, standard.far, None, None, "", delays=len(epoch.delay_s), skipped=epoch.skipped
    )
    if not options and nearest is not None and not standard.far:
        distance = float(np.linalg.norm(nearest))
        if distance > FAR_AWAY * standard.spread_m:
            return _unobservable(base, nearest / distance)
    if not options:
        return replace(
            base,
            reason=Reason.GEOMETRY,
            explanation="these sensors and delays do not fix a place: they are too few, or on one line or plane; "
            "add a sensor off it, or try fewer dimensions (--dims 2)",
        )
    open_to = [one for one in options if one.against in {None, Reason.RANGE_UNOBSERVABLE}]
    if not open_to:
        return _refused(standard, base, options, noise)
    least = min(one.cost for one in open_to)
    weight = np.array([np.exp(-0.5 * min(one.cost - least, 1000.0)) for one in open_to])
    weight /= weight.sum()
    order = np.argsort(-weight, kind="stable")
    ranked = _merged([(open_to[int(i)], float(weight[i])) for i in order if weight[i] > 1e-6])
    best, chance = ranked[0]
    known = best.found.freedom > 0 or np.isinf(noise.freedom) or noise.freedom > 0
    candidates = tuple(_candidate(standard, one, p, noise, known=known) for one, p in ranked[:MAX_FITS])
    shown = replace(_described(standard, base, epoch, best, noise, known=known), candidates=candidates)
    if best.against is Reason.RANGE_UNOBSERVABLE:
        return _unobservable(shown, best.found.state / float(np.linalg.norm(best.found.state)))
    if chance < SURE:
        many = sum(1 for _, p in ranked if p > (1.0 - SURE) / len(ranked))
        return replace(
            shown,
            reason=Reason.AMBIGUOUS,
            explanation=f"{many} places explain the delays almost alike; bounds, a hull or one more sensor would tell"
            if not standard.far
            else f"{many} directions explain the delays almost alike (one line or plane of sensors has two sides); "
            "--toward, --least-elevation or a sensor off it would tell",
            radius95=None,
        )
    reach_m = standard.spread_m + float(np.linalg.norm(best.found.state))
    if not standard.far and shown.radius95 is not None and shown.radius95 > VAGUE * reach_m:
        return replace(
            shown,
            reason=Reason.GEOMETRY,
            explanation="the region that holds the source is larger than the array and its range: these delays say "
            "next to nothing; add sensors, delays or a sigma",
        )
    return replace(shown, best=candidates[0])


def _unobservable(shown: Answer, direction: Floats) -> Answer:
    azimuth, elevation = bearing_deg(tuple(direction))
    tilt = "" if elevation is None else f", elevation {elevation:.2f}"
    return replace(
        shown,
        reason=Reason.RANGE_UNOBSERVABLE,
        explanation="the source is too far away for its range to show in these delays; its direction is azimuth "
        f"{azimuth:.2f}{tilt} degrees; --far gives it with its error",
    )


def _merged(ranked: Sequence[tuple[Judged, float]]) -> list[tuple[Judged, float]]:
    """Places that are one answer joined, best first: the best of them, its covariance holding the others as well."""
    merged: list[tuple[Judged, float]] = []
    left = list(ranked)
    while left:
        best, chance = left[0]
        near = [(o, p) for o, p in left[1:] if apart(best.found, o.found) < APART_SIGMAS]
        left = [(o, p) for o, p in left[1:] if all(o is not n for n, _ in near)]
        total = chance + sum(p for _, p in near)
        if near:
            covariance = best.found.covariance * (chance / total)
            for other, p in near:
                step = other.found.state - best.found.state
                if len(step) > len(covariance):
                    step = tangents(best.found.state[None])[0] @ step
                covariance = covariance + (p / total) * (other.found.covariance + np.outer(step, step))
            best = replace(best, found=replace(best.found, covariance=covariance))
        merged.append((best, total))
    return sorted(merged, key=lambda pair: -pair[1])


def _refused(standard: Standard, base: Answer, options: Sequence[Judged], noise: NoiseModel) -> Answer:
    best = min(options, key=lambda one: one.cost)
    inside = [one for one in options if one.against is Reason.OUTSIDE]
    if inside:
        best = min(inside, key=lambda one: one.cost)
        what = (
            "directions are behind --toward or below --least-elevation"
            if standard.far
            else "places are outside the hull or bounds"
        )
        return replace(
            base,
            reason=Reason.OUTSIDE,
            explanation=f"all that explain the delays: the {what}",
            candidates=(_candidate(standard, best, 1.0, noise, known=True),),
        )
    worst = float(best.found.predicted[best.found.used].max())
    return replace(
        base,
        reason=Reason.INCONSISTENT,
        explanation="no place explains more than half of the arrivals with one to spare "
        f"(the best leaves {worst:.1f} sigma); check the sensors' positions, the speed, the sign and sigma",
        candidates=(_candidate(standard, best, 1.0, noise, known=True),),
    )


def _grown(one: Judged, noise: NoiseModel) -> tuple[Fit, float]:
    """The fit in the scale that its own residuals ask for, and the degrees of freedom behind that scale."""
    found = one.found
    if np.isinf(noise.freedom):
        if found.freedom > 0 and chdtrc(found.freedom, found.chi_square) < DOUBTED_CHANCE:
            return scaled_by(found, max(noise.growth, found.chi_square / found.freedom)), np.inf
        return scaled_by(found, noise.growth), np.inf
    prior = min(PRIOR_FREEDOM, noise.freedom - found.freedom) if noise.freedom > found.freedom else 0.0
    freedom = prior + found.freedom
    if freedom <= 0.0:
        return found, 0.0
    factor = max((prior + found.chi_square) / freedom, 1e-12)
    wider = student_growth(len(found.covariance), freedom)
    return scaled_by(found, factor * noise.growth * wider), freedom


def _candidate(standard: Standard, one: Judged, chance: float, noise: NoiseModel, *, known: bool) -> Candidate:
    state = one.found.state if standard.far else one.found.state + standard.centre_m
    grown, _ = _grown(one, noise)
    covariance = tuple(tuple(float(v) for v in row) for row in grown.covariance) if known else None
    return Candidate(tuple(float(v) for v in state), covariance, chance, len(one.found.used))


def _described(
    standard: Standard, base: Answer, epoch: Epoch, best: Judged, noise: NoiseModel, *, known: bool
) -> Answer:
    """The numbers beside the place."""
    found, branch = best.found, best.branch
    network, names = branch.network, standard.array.names
    grown, freedom = _grown(best, noise)
    counts = np.isin(np.arange(len(network.sensor)), found.used)
    good = (network.weight > 0.0) & counts[network.first] & counts[network.second]
    path_m = found.ratio * standard.model.paths(found.state[None, :])[0, network.sensor]
    left_s = epoch.delay_s - (path_m[network.first] - path_m[network.second]) / standard.speed_m_s
    declared = float(np.median(1.0 / np.sqrt(network.weight[network.weight > 0.0])))
    sigma_m = declared * float(np.sqrt(noise.scale))
    unit = float(np.sqrt(np.trace(found.covariance)))
    radius = radius95(grown.covariance) if known and freedom > 0 else None
    if radius is not None and standard.far:
        radius = min(float(np.degrees(radius)), 180.0)
    return replace(
        base,
        radius95=radius,
        residual_rms_s=float(np.sqrt(np.mean(left_s[good] ** 2))) if np.any(good) else None,
        rejected=_rejections(network.first, network.second, best, epoch, names, left_s, counts, standard.speed_m_s),
        used=int(np.sum(good)),
        freedom=found.freedom,
        misfit=found.chi_square / found.freedom if found.freedom > 0 else None,
        sigma_s=sigma_m / standard.speed_m_s if known else None,
        sigma_freedom=None if np.isinf(noise.freedom) else freedom,
        dilution=unit / sigma_m if sigma_m > 0.0 and not standard.far else None,
        speed_m_s=standard.speed_m_s / found.ratio,
        note="" if known else "sigma is unknown and no delay is to spare: no error can be told; give --sigma",
    )


def _rejections(
    first: np.ndarray[tuple[int], np.dtype[np.intp]],
    second: np.ndarray[tuple[int], np.dtype[np.intp]],
    best: Judged,
    epoch: Epoch,
    names: tuple[str, ...],
    left_s: Floats,
    counts: np.ndarray[tuple[int], np.dtype[np.bool_]],
    speed_m_s: float,
) -> tuple[Rejected, ...]:
    """Bad delays, and bad arrivals: as the delay where the sensor has only one."""
    network = best.branch.network
    said: list[Rejected] = []

    def delay(row: int, why: str) -> Rejected:
        ends = names[network.sensor[first[row]]], names[network.sensor[second[row]]]
        return Rejected(ends[0], ends[1], int(epoch.line[row]), float(left_s[row]), why)

    said += [delay(row, "contradicts the other delays around its loops") for row in best.branch.bad]
    for sensor in np.flatnonzero(~counts):
        rows = np.flatnonzero(((first == sensor) | (second == sensor)) & (network.weight > 0.0))
        if len(rows) == 1 and not epoch.arrivals:
            said.append(delay(int(rows[0]), "does not fit the place that the other delays agree on"))
        elif len(rows):
            off_s = float(best.found.residual_m[sensor]) / speed_m_s
            why = "the arrival at this sensor does not fit: all its delays are left out"
            said.append(Rejected(names[network.sensor[sensor]], None, None, off_s, why))
    return tuple(said)
