"""What people should be told about a whole table: a unit, sign or sigma that looks wrong. Nothing is changed by it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from controller.tdoa.epoch import Epoch, Floats, SensorArray
from controller.tdoa.search import Place, Search
from controller.tdoa.verdict import Answer

SIGN_EPOCHS = 12
SIGN_BETTER = 0.2  # residuals of the reversed sign against the declared one
SIGN_MISFIT = 2.0  # a table that fits better than this has its sign right
SIGMA_WRONG = 3.0  # misfit of a whole table beyond which its sigma is doubted aloud
SIGMA_EPOCHS = 5
TOO_LONG = 1.3  # of the time between two sensors: what noise and echoes do not explain in half of a table


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """An epoch's places and arrivals (m,), and the search that found them."""

    places: Sequence[Place]
    arrival_m: Floats
    search: Search


def unit_hint(array: SensorArray, epochs: Sequence[Epoch], speed_m_s: float) -> tuple[str, ...]:
    """Whether most delays are longer than the wave needs from one of their sensors to the other."""
    rows = [(epoch.first, epoch.second, np.abs(epoch.delay_s)) for epoch in epochs if len(epoch.delay_s)]
    if not rows:
        return ()
    first, second, delay = (np.concatenate([row[at] for row in rows]) for at in range(3))
    apart = np.linalg.norm(array.position_m[first] - array.position_m[second], axis=1)
    long = float(np.mean(delay * speed_m_s > TOO_LONG * apart))
    if long <= 0.5:
        return ()
    said = f"{long:.0%} of the delays are longer than the wave needs between their sensors"
    return (f"{said}: check the unit of delay_s, the speed and the sensors' positions",)


def sign_hint(
    asked: Sequence[Asked], answers: Sequence[Answer], least_m: float, sign: str, *, known: bool
) -> tuple[str, ...]:
    """Whether the reversed sign fits far better."""
    spare = [one for one in asked if len(one.arrival_m) > one.search.unknowns]
    if not spare:
        return ()
    ratios: list[float] = []
    for at in np.unique(np.linspace(0, len(spare) - 1, SIGN_EPOCHS).astype(int)):
        one = spare[int(at)]
        turned = one.search.places(-one.arrival_m[None, :], np.full((1, len(one.arrival_m)), least_m))[0]
        ratios.append(_rest(turned, one.search.majority) / max(_rest(one.places, one.search.majority), 1e-300))
    ratio = float(np.median(ratios))
    misfits = [answer.misfit for answer in answers if answer.misfit is not None]
    lost = sum(1 for answer in answers if answer.best is None) > 0.5 * len(answers)
    bad = lost or not known or (len(misfits) > 0 and float(np.median(misfits)) > SIGN_MISFIT)
    if ratio >= SIGN_BETTER or not bad:
        return ()
    other = "--sign b-a" if sign == "a-b" else "--sign a-b"
    return (f"with the opposite sign the delays fit {1.0 / max(ratio, 1e-6):.0f} times better: try {other}",)


def sigma_hint(answers: Sequence[Answer], *, known: bool) -> tuple[str, ...]:
    """Whether the declared sigma is too small for all epochs."""
    misfits = [answer.misfit for answer in answers if answer.misfit is not None]
    if not known or len(misfits) < SIGMA_EPOCHS or float(np.median(misfits)) <= SIGMA_WRONG:
        return ()
    times = float(np.sqrt(np.median(misfits)))
    return (f"residuals are {times:.1f} times as large as the declared sigma; omit sigma to have it estimated",)


def _rest(places: Sequence[Place], majority: int) -> float:
    return min(float(np.sort(np.abs(place.residual_m))[majority - 1]) for place in places)
