"""How early nitrogen tells of a small leak, how often it tells of none that is there, and how true its intervals are.

    python -m benchmarks.accuracy.nitrogen_table quiet [YEARS [HIDDEN]]    false falls in a station's weather
    python -m benchmarks.accuracy.nitrogen_table coverage [RUNS [HIDDEN]]  95 % intervals of rates against the truth

A station of 916 m3 that loses 0.06 to 0.23 kg of air a day (NTRS 20110012997) by itself, thermometers that see what
the weather says they see, a mass spectrometer as in the scenarios; minute by minute. HIDDEN is the share of vapour's
wander, puffs and the day's wave that is warmth which thermometers miss; without it the simulator's own. How early a
shipped scenario is noticed: `python -m benchmarks.accuracy.pressure_table scenario`.
"""

import math
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.cabin_log import AIR_K, AIR_PA, ManyCabins
from controller.detect.pressure import Settings
from controller.detect.pressure_nitrogen import NitrogenTest
from controller.detect.pressure_quiet import REFERENCE_PA
from controller.detect.pressure_vote import log_pa
from firmware_bridge.units import PA_PER_MMHG, S_PER_DAY, S_PER_HOUR
from sim.world.gas.weather_settings import preset
from sim.world.gas.weather_species import HIDDEN_WARMTH

FloatArray = NDArray[np.float64]

MINUTE_S = 60.0
DAYS = 9.13125  # of one cabin; forty are a year
NITROGEN_PA = 0.78 * AIR_PA
READING_PA, READINGS = 5.0, 60  # noise of one reading; in a minute
DRIFT_PA_DAY, WANDER_PA_RTDAY = 3.0, 10.0  # of the sensor, as in destiny-hose-2004
THERMOMETER_K = 0.002 / math.sqrt(READINGS)
TIGHT_KG_DAY = (0.06, 0.23)
KG_MMHG = 1.39  # of 916 m3
EPISODE_S = 6 * S_PER_HOUR  # falls that follow each other within this are one


@dataclass(frozen=True, slots=True)
class Minutes:
    """Cabins without a leak, minute by minute, each (cabins, minutes): nitrogen, Pa, and the thermometers' mean, K."""

    nitrogen_pa: FloatArray
    temperature_k: FloatArray


def minutes_of(cabins: int, minutes: int, seed: int, hidden: float | None = None) -> Minutes:
    """Cabins as a mass spectrometer and thermometers see them."""
    random = np.random.default_rng([seed, 3])
    many = ManyCabins(preset("station", consumption_pa_h=0.0), random, cabins)  # what is fed is oxygen
    share, warmth_k = np.empty((minutes, cabins)), np.empty((minutes, cabins))
    for minute in range(minutes):
        parts, kelvin = many.parts, np.asarray(many.temperature_offset_k)
        other_pa = np.asarray(many.pressure_offset_pa) - parts.warmth_pa  # gas that is not nitrogen
        more = 0.0 if hidden is None else (hidden - HIDDEN_WARMTH) / (1.0 - HIDDEN_WARMTH)
        unseen_pa = parts.warmth_pa + more * other_pa
        share[minute] = kelvin / AIR_K + unseen_pa / AIR_PA
        warmth_k[minute] = kelvin
        many.step(MINUTE_S)
    days = np.arange(minutes) * MINUTE_S / S_PER_DAY
    lost_pa_day = random.uniform(*TIGHT_KG_DAY, cabins) / KG_MMHG * PA_PER_MMHG * NITROGEN_PA / AIR_PA
    drift_pa_day = DRIFT_PA_DAY * random.standard_normal(cabins) - lost_pa_day
    steps_pa = WANDER_PA_RTDAY * math.sqrt(MINUTE_S / S_PER_DAY) * random.standard_normal(share.shape)
    noise_pa = READING_PA / math.sqrt(READINGS) * random.standard_normal(share.shape)
    nitrogen_pa = NITROGEN_PA * (1.0 + share) + days[:, None] * drift_pa_day + np.cumsum(steps_pa, axis=0) + noise_pa
    seen_k = AIR_K + warmth_k + THERMOMETER_K * random.standard_normal(share.shape)
    return Minutes(np.ascontiguousarray(nitrogen_pa.T), np.ascontiguousarray(seen_k.T))


def take(test: NitrogenTest, minute: int, nitrogen_pa: float, temperature_k: float) -> None:
    """One minute's means."""
    variance = (REFERENCE_PA / NITROGEN_PA * READING_PA) ** 2 / READINGS + 0.1
    warmth_pa = REFERENCE_PA * math.log(temperature_k / AIR_K)
    test.take(MINUTE_S * minute, log_pa(nitrogen_pa), variance, warmth_pa)


def quiet(years: float, hidden: float | None = None, seed: int = 1) -> tuple[float, int]:
    """Years of quiet, and the false falls in them."""
    cabins = max(1, round(years * 365.25 / DAYS))
    minutes = minutes_of(cabins, round(DAYS * 1440), seed, hidden)
    episodes = 0
    for nitrogen_pa, temperature_k in zip(minutes.nitrogen_pa, minutes.temperature_k, strict=True):
        test, last_s = NitrogenTest(Settings(), S_PER_DAY), -math.inf
        for minute, (pascal, kelvin) in enumerate(zip(nitrogen_pa.tolist(), temperature_k.tolist(), strict=True)):
            take(test, minute, pascal, kelvin)
            loss = test.loss
            if loss is not None and loss.believed:
                episodes += MINUTE_S * minute - last_s > EPISODE_S
                last_s = MINUTE_S * minute
    return cabins * DAYS / 365.25, episodes


def coverage(runs: int, hidden: float | None = None, seed: int = 1) -> list[tuple[str, int, float, float]]:
    """Share of 95 % intervals that hold the rate: (age, found, share, median hours from the onset).

    Leaks of 1 to 20 mmHg a day begin at random, beside the tight station's own loss, which is not counted.
    """
    random = np.random.default_rng([seed, 11])
    still = minutes_of(runs, 3 * 1440, seed, hidden)
    asked = {"found": 0.0, "4 h later": 4 * S_PER_HOUR, "12 h later": 12 * S_PER_HOUR}
    held: dict[str, list[bool]] = {name: [] for name in asked}
    waited_h: dict[str, list[float]] = {name: [] for name in asked}
    for nitrogen_pa, temperature_k in zip(still.nitrogen_pa, still.temperature_k, strict=True):
        onset = int(random.uniform(6, 30) * 60)
        rate_s = float(np.exp(random.uniform(0.0, math.log(20.0)))) * PA_PER_MMHG / S_PER_DAY / AIR_PA
        test, open_, found = NitrogenTest(Settings(), S_PER_DAY), dict(asked), None
        for minute in range(nitrogen_pa.size):
            left = math.exp(-rate_s * MINUTE_S * max(minute - onset, 0))
            take(test, minute, float(nitrogen_pa[minute]) * left, float(temperature_k[minute]))
            loss = test.loss
            if minute < onset or loss is None or not loss.believed:
                continue
            found = minute if found is None else found
            for name in [name for name, after_s in open_.items() if MINUTE_S * (minute - found) >= after_s]:
                del open_[name]
                truth_pa_s = REFERENCE_PA * rate_s
                held[name].append(abs(loss.loss_pa_s - truth_pa_s) <= 1.96 * loss.sigma_pa_s)
                waited_h[name].append((minute - onset) / 60.0)
            if not open_:
                break
    return [
        (name, len(held[name]), float(np.mean(held[name])), float(np.median(waited_h[name])))
        for name in asked
        if held[name]
    ]


def main(arguments: list[str]) -> None:
    """Print one table."""
    what, *rest = arguments or ["quiet"]
    hidden = float(rest[1]) if len(rest) > 1 else None
    if what == "quiet":
        years, falls = quiet(float(rest[0]) if rest else 1.0, hidden)
        print(f"{years:.1f} years: {falls} false falls of nitrogen")
    elif what == "coverage":
        print("| when | leaks | rate | hours from its beginning |\n| --- | ---: | ---: | ---: |")
        for name, found, share, hours in coverage(int(rest[0]) if rest else 100, hidden):
            print(f"| {name} | {found} | {share:.3f} | {hours:.1f} |")
    else:
        sys.exit(f"no table {what!r}: quiet or coverage")


if __name__ == "__main__":
    main(sys.argv[1:])
