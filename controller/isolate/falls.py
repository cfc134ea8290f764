"""What falling pressures of separate volumes say of where the leak is, and how well they could tell after a while.

A leak of conductance g in a volume V takes the share 1 - exp(-g t / V) of its gas in the time t (isothermal, choked
outflow), of nitrogen as of all gas. What else moves the pressures is taken as Gaussian, with the covariance of
`weather_pa2`: a random walk that all volumes feel in proportion to their pressure, one of each volume's own, gas that
people use or make unseen on the lifeboats' side (not nitrogen), and each sensor's own noise and drift. So volumes that
fall alike speak of the weather, and only what one does beside the others of a leak.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from controller.isolate.belief import CONDUCTANCES_M3_S, Floats
from controller.isolate.settings import Settings
from controller.isolate.station import Part, Station
from firmware_bridge.units import S_PER_DAY

GAS_CONSTANT_J_KG_K = 287.05
ROOM_TEMPERATURE_K = 295.0  # of what people use unseen; 5 K more or less is nothing beside its sigma
WEATHER_AT_PA = 1e5  # the pressure at which the random walk of the settings is meant
SENSOR_WALK_PA2_S = 3e-4  # 1 Pa in an hour: a good barometer's drift
LYING = 0.01  # of all watches: one of the sensors lies
BLIND = 1e-4  # and all tell nothing: a hatch is not tight, a valve was opened
BLIND_PA = 300.0  # how far such a sensor may be off, one sigma


@dataclass(frozen=True, slots=True)
class Barometer:
    """A sensor that can watch a compartment: its reading (Pa), noise of one reading, and whether of nitrogen alone."""

    name: str
    room: str
    pressure_pa: float
    noise_pa: float
    inert: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """By how much a barometer's gas became less since the watch began, Pa at its first temperature; losses positive."""

    barometer: Barometer
    drop_pa: float


def weather_pa2(
    station: Station, parts: Sequence[Part], barometers: Sequence[Barometer], elapsed_s: float, settings: Settings
) -> Floats:
    """Covariance (barometers, barometers), Pa2, of the drops over `elapsed_s` without any leak."""
    share = np.array([b.pressure_pa / WEATHER_AT_PA for b in barometers])
    where = np.array([_part_of(parts, b.room) for b in barometers])
    together = where[:, None] == where[None, :]
    walk = settings.random_walk_pa2_s * elapsed_s
    of_weather = np.outer(share, share) * walk * np.where(together, 1.0, 1.0 - settings.own_weather)
    pa_kg = [GAS_CONSTANT_J_KG_K * ROOM_TEMPERATURE_K / station.volume_m3(part) for part in parts]
    kg = settings.unexplained_kg_day * elapsed_s / S_PER_DAY
    used = np.array(
        [
            pa_kg[at] * kg if not b.inert and station.crewed(parts[at]) else 0.0
            for b, at in zip(barometers, where, strict=True)
        ]
    )
    own = np.diag([2.0 * b.noise_pa**2 + SENSOR_WALK_PA2_S * elapsed_s for b in barometers])
    return np.asarray(of_weather + np.outer(used, used) * together + own)


def fall_evidence(
    station: Station, parts: Sequence[Part], drops: Sequence[Drop], elapsed_s: float, settings: Settings
) -> Floats:
    """Log-likelihoods (compartments + none, conductances) of what barometers did while `parts` were separate.

    Args:
        station: compartments.
        parts: the separate volumes.
        drops: one a barometer, of compartments of the station.
        elapsed_s: for how long, more than 0.
        settings: weather and volumes.
    """
    table = np.zeros((len(station.rooms) + 1, CONDUCTANCES_M3_S.size))
    if not drops:
        return table
    covariance = weather_pa2(station, parts, [drop.barometer for drop in drops], elapsed_s, settings)
    lying = BLIND_PA**2 * np.eye(len(drops))
    lies = [np.diag(row) for row in lying]
    honest = 1.0 - LYING - BLIND
    cases = [(honest, covariance), (BLIND, covariance + lying)]
    cases += [(LYING / len(lies), covariance + lie) for lie in lies]
    told = [
        math.log(weight) + _log_likelihood(station, parts, drops, elapsed_s, settings.volume_sigma, believed)
        for weight, believed in cases
    ]
    return np.asarray(np.logaddexp.reduce(told))


def _log_likelihood(
    station: Station, parts: Sequence[Part], drops: Sequence[Drop], elapsed_s: float, volume_sigma: float, cov: Floats
) -> Floats:
    """Gaussian log-likelihoods (compartments + none, conductances) with the covariance `cov` of all but the leak."""
    table = np.zeros((len(station.rooms) + 1, CONDUCTANCES_M3_S.size))
    seen = np.array([drop.drop_pa for drop in drops])
    shape = np.array([drop.barometer.pressure_pa for drop in drops])
    where = np.array([_part_of(parts, drop.barometer.room) for drop in drops])
    inverse = np.linalg.inv(cov)
    nothing = float(seen @ inverse @ seen)
    for at, part in enumerate(parts):
        falls = np.where(where == at, shape, 0.0)
        lost = -np.expm1(-CONDUCTANCES_M3_S * elapsed_s / station.volume_m3(part))
        a, b = float(falls @ inverse @ falls), float(falls @ inverse @ seen)
        # How well the volume is known is one sigma more along the fall itself (Sherman and Morrison's formula).
        spread = (volume_sigma * lost) ** 2 * a
        off = nothing - 2.0 * lost * b + lost**2 * a
        off -= (volume_sigma * lost * (b - lost * a)) ** 2 / (1.0 + spread)
        log = -0.5 * (off + np.log1p(spread))
        for room in part:
            table[station.number[room]] = log
    table[-1] = -0.5 * nothing
    return table - 0.5 * _ln_det(cov)


def distances(
    station: Station,
    parts: Sequence[Part],
    barometers: Sequence[Barometer],
    conductance_m3_s: float,
    elapsed_s: float,
    settings: Settings,
) -> Floats:
    """How many sigmas apart (parts + none, parts + none) the readings are after `elapsed_s`, by where the leak is."""
    expected = np.zeros((len(parts) + 1, len(barometers)))
    for row, barometer in enumerate(barometers):
        at = _part_of(parts, barometer.room)
        lost = -math.expm1(-conductance_m3_s * elapsed_s / station.volume_m3(parts[at]))
        expected[at, row] = barometer.pressure_pa * lost
    if not barometers:
        return np.zeros((len(parts) + 1, len(parts) + 1))
    inverse = np.linalg.inv(weather_pa2(station, parts, barometers, elapsed_s, settings))
    between = expected[:, None, :] - expected[None, :, :]
    return np.asarray(np.sqrt(np.einsum("ijk,kl,ijl->ij", between, inverse, between)))


def _part_of(parts: Sequence[Part], room: str) -> int:
    return next(at for at, part in enumerate(parts) if room in part)


def _ln_det(matrix: Floats) -> float:
    return float(np.linalg.slogdet(matrix)[1])
