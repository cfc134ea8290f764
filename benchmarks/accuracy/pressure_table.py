"""How early small leaks are noticed by pressure, how often there is none, and how true the intervals are.

    python -m benchmarks.accuracy.pressure_table quiet [YEARS]       false alarms of a cabin as rough as the station's
    python -m benchmarks.accuracy.pressure_table coverage [RUNS]     stated 95 % intervals against the truth
    python -m benchmarks.accuracy.pressure_table log CABIN.csv       a real log, as it is and with MS-09's leak in it
    python -m benchmarks.accuracy.pressure_table scenario NAME [SEEDS] [HOURS]   a shipped scenario, pressure alone

The log is the Astro Pi's (see `cabin_log`), which is not shipped.
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.cabin_log import AIR_K, AIR_PA, INTERVAL_S, ManyCabins, read_log
from controller.detect.pressure import Fall, Settings
from controller.detect.pressure_inputs import quiet_of
from controller.detect.pressure_quiet import REFERENCE_PA
from controller.detect.pressure_series import Grain, LeakTest
from controller.detect.pressure_volume import VolumeWatch
from controller.detect.pressure_vote import log_pa
from controller.isolate.hatches import HatchBoard
from controller.isolate.station import station_of
from controller.measure.leak_size import Settings as SizeSettings
from controller.measure.leak_size import leak_size
from controller.pipeline.events import HatchMoved
from controller.pipeline.happenings import PressureFalls
from controller.pipeline.pressure_watch import PressureWatch
from firmware_bridge.samples import ScalarBlock
from firmware_bridge.units import NS_PER_S, PA_PER_MMHG, S_PER_HOUR, Quantity
from sim.plant.front_ends import PRESSURE_SCALE_PA, SLOW_SCALE
from sim.plant.plant import Plant
from sim.scenario.scenario import load_scenario
from sim.world.gas.weather_settings import preset

FloatArray = NDArray[np.float64]

CONFIGS = Path(__file__).parents[2] / "configs"
MINUTE_S = 60.0
VOLUME_M3 = 916.0
NOISE_PA = 0.5  # of a minute's mean: a chip of 1.4 Pa, 1 Hz, and some flicker
MS09_PA_S = 0.8 * PA_PER_MMHG / S_PER_HOUR
EPISODE_S = 6 * S_PER_HOUR  # falls that follow each other within this are one


@dataclass(frozen=True, slots=True)
class Quietude:
    """How a quiet time went."""

    years: float
    episodes: int
    above_advisory: int


def minutes_of(cabins: int, minutes: int, seed: int) -> FloatArray:
    """Pressure of cabins with the "station" weather and its feeds, Pa, (cabins, minutes), no leak, not compensated."""
    random = np.random.default_rng(seed)
    many = ManyCabins(preset("station"), random, cabins)
    pressure_pa = np.empty((minutes, cabins))
    for row in pressure_pa:
        row[:] = many.disturbed(AIR_PA, AIR_K)[0]
        many.step(MINUTE_S)
    return np.ascontiguousarray((pressure_pa + NOISE_PA * random.standard_normal(pressure_pa.shape)).T)


def slow_test() -> LeakTest:
    """The test of minutes as it is used, of a crew of unknown size."""
    settings = Settings()
    return LeakTest(Grain(quiet_of(settings, VOLUME_M3), settings.threshold_sigmas, 0.0, 86_400.0))


def quiet(years: float, seed: int = 1) -> Quietude:
    """False falls in a quiet time: episodes of any class, and of those that the ladder would call a Caution or more."""
    days = 9.13125
    cabins = max(1, round(years * 365.25 / days))
    episodes = grave = 0
    for pressure_pa in minutes_of(cabins, round(days * 1440), seed):
        test, last_s = slow_test(), -math.inf
        for minute, value in enumerate(pressure_pa):
            test.take(MINUTE_S * minute, log_pa(float(value)), NOISE_PA**2 + 0.1, 0.0)
            loss = test.loss
            if loss is not None and loss.believed:
                if MINUTE_S * minute - last_s > EPISODE_S:
                    episodes += 1
                    grave += loss.loss_pa_s * S_PER_HOUR / PA_PER_MMHG > 0.5
                last_s = MINUTE_S * minute
    return Quietude(cabins * days / 365.25, episodes, grave)


def coverage(runs: int, seed: int = 1) -> list[tuple[str, int, float, float, float]]:
    """Share of 95 % intervals that hold rate, diameter and reserve time: (age, found, rate, diameter, reserve).

    Leaks of 0.5 to 50 mmHg/h begin at random in station weather; discharge coefficient and volume err as declared.
    """
    random = np.random.default_rng([seed, 7])
    size = SizeSettings()
    rows = []
    told: dict[str, list[tuple[bool, bool, bool]]] = {"found": [], "1 h later": [], "4 h later": []}
    minutes = 24 * 60
    for pressure_pa in minutes_of(runs, minutes, seed):
        onset_s = float(random.uniform(6, 14)) * S_PER_HOUR
        rate_s = float(np.exp(random.uniform(math.log(0.5), math.log(50.0)))) * PA_PER_MMHG / S_PER_HOUR / AIR_PA
        cd = float(
            np.clip(size.discharge_coefficient + size.discharge_coefficient_sigma * random.standard_normal(), 0.3, 1)
        )
        true_m3 = VOLUME_M3 * (1.0 + size.volume_sigma * float(random.standard_normal()))
        at_s = MINUTE_S * np.arange(minutes)
        leaking_pa = pressure_pa * np.exp(-rate_s * np.maximum(at_s - onset_s, 0.0))
        test = slow_test()
        found_s: float | None = None
        asked = {"found": 0.0, "1 h later": S_PER_HOUR, "4 h later": 4 * S_PER_HOUR}
        for minute, value in enumerate(leaking_pa):
            test.take(MINUTE_S * minute, log_pa(float(value)), NOISE_PA**2 + 0.1, 0.0)
            loss = test.loss
            if at_s[minute] < onset_s or loss is None or not loss.believed:
                continue
            found_s = at_s[minute] if found_s is None else found_s
            for name in [name for name, after_s in asked.items() if at_s[minute] - found_s >= after_s]:
                del asked[name]
                scale = float(value) / REFERENCE_PA
                fall = Fall(loss.age_s, -loss.loss_pa_s * scale, loss.sigma_pa_s * scale, float(value))
                answer = leak_size(fall, VOLUME_M3, AIR_K, size)
                hole = leak_size(
                    Fall(0.0, -rate_s * float(value), 0.0, float(value)), true_m3, AIR_K, size
                ).hole_diameter_m
                true_d = hole.value * math.sqrt(size.discharge_coefficient / cd)
                reserve_s = math.log(float(value) / (size.evacuation_limit_mmhg * PA_PER_MMHG)) / rate_s
                told[name].append(
                    (
                        answer.rate_pa_s.low <= rate_s * float(value) <= answer.rate_pa_s.high,
                        answer.hole_diameter_m.low <= true_d <= answer.hole_diameter_m.high,
                        answer.reserve_s.low <= reserve_s <= answer.reserve_s.high,
                    )
                )
    for name, held in told.items():
        shares = np.mean(np.array(held, dtype=float), axis=0) if held else np.full(3, math.nan)
        rows.append((name, len(held), float(shares[0]), float(shares[1]), float(shares[2])))
    return rows


def found_after_s(at_s: FloatArray, pressure_pa: FloatArray, onset_s: float) -> float | None:
    """When a log says that it leaks, after `onset_s`; None where it never does."""
    watch = VolumeWatch({"cabin": VOLUME_M3}, Settings())
    for now_s, value in zip(at_s, pressure_pa, strict=True):
        now_ns = round(now_s * NS_PER_S)
        watch.take_pressure("P", np.array([now_ns]), np.array([value]))
        watch.step(now_ns + 2 * NS_PER_S)
        trend = watch.trend()
        if trend is not None and trend.significant:
            return float(now_s) - onset_s
    return None


def log_table(path: Path, onsets: int = 20) -> tuple[float | None, list[float]]:
    """Of a real log: when it says by itself that it leaks, and after how long with MS-09's leak from each onset on."""
    pressure_pa = read_log(path)[0][0]
    at_s = INTERVAL_S * np.arange(pressure_pa.size)
    as_it_is = found_after_s(at_s, pressure_pa, 0.0)
    delays = []
    for onset_s in np.linspace(S_PER_HOUR, at_s[-1] - 2 * S_PER_HOUR, onsets):
        fallen_pa = MS09_PA_S * np.maximum(at_s - onset_s, 0.0)
        delay_s = found_after_s(at_s, pressure_pa - fallen_pa, float(onset_s))
        delays.append(math.inf if delay_s is None else delay_s)
    return as_it_is, delays


def scenario(name: str, seed: int, until_s: float, period_s: float = 1.0) -> list[tuple[float, PressureFalls]]:
    """What the barometers of a shipped scenario tell; sound and links are left out."""
    table, site = load_scenario(CONFIGS / "scenarios" / f"{name}.toml", CONFIGS / "sites")
    plant = Plant(table, site, seed)
    compartment = next(node.compartment for node in site.nodes if node.of_quantity(Quantity.ULTRASOUND))
    watch = PressureWatch(site, compartment, Settings(), SizeSettings())
    hatches = HatchBoard(station_of(site))
    slow = {node.name: [s for s in node.sensors if not s.quantity.in_bursts] for node in site.nodes}
    told = []
    for step in range(1, round(until_s / period_s) + 1):
        now_ns = round(step * period_s * NS_PER_S)
        plant.gas.step(step * period_s)
        for node, sensors in slow.items():
            counts = plant.stations[node].senses.read_slow(now_ns) if sensors else ()
            for count, sensor in zip(counts, sensors, strict=True):
                value = float(count) * SLOW_SCALE.get(sensor.quantity, PRESSURE_SCALE_PA)
                if sensor.hatch is not None and hatches.sense(now_ns, sensor.hatch, value):
                    watch.hatch_moved(now_ns, HatchMoved(sensor.hatch, not hatches.stands[sensor.hatch].shut))
                block = ScalarBlock(node, sensor.name, sensor.quantity, np.array([now_ns]), np.array([value]), 1000.0)
                watch.take(now_ns, block)
        happened = watch.step(now_ns + NS_PER_S, None)
        told += [(step * period_s, one) for one in happened if isinstance(one, PressureFalls)]
    return told


def main(arguments: list[str]) -> None:
    """Print one table."""
    what, *rest = arguments or ["quiet"]
    if what == "quiet":
        result = quiet(float(rest[0]) if rest else 1.0)
        print(f"{result.years:.1f} years: {result.episodes} false falls, {result.above_advisory} above Advisory")
    elif what == "coverage":
        print("| when | leaks | rate | diameter | reserve time |\n| --- | ---: | ---: | ---: | ---: |")
        for name, found, rate, hole, reserve in coverage(int(rest[0]) if rest else 200):
            print(f"| {name} | {found} | {rate:.3f} | {hole:.3f} | {reserve:.3f} |")
    elif what == "log":
        as_it_is, delays = log_table(Path(rest[0]))
        print("as it is:", "nothing" if as_it_is is None else f"a false fall after {as_it_is / 60:.0f} min")
        minutes = np.array(delays) / 60.0
        print(f"0.8 mmHg/h at {len(delays)} onsets: median {np.median(minutes):.0f} min, last {minutes.max():.0f} min")
    elif what == "scenario":
        hours = float(rest[2]) if len(rest) > 2 else 24.0
        for seed in range(1, 1 + (int(rest[1]) if len(rest) > 1 else 1)):
            told = scenario(rest[0], seed, hours * S_PER_HOUR, 1.0 if hours <= 1.0 else 5.0)
            for at_s, one in told[:1] + told[-1:]:
                size, fall = one.size, one.trend.fall
                print(
                    f"seed {seed}: {at_s / 60:.1f} min {fall.sigmas:.1f} sigmas, {size.rate_mmhg_h.value:.3g} mmHg/h, "
                    f"{1000 * size.hole_diameter_m.value:.2f} mm, {size.reserve_s.value / S_PER_HOUR:.3g} h, "
                    f"{', '.join(one.trend.agreeing)}"
                )
    else:
        sys.exit(f"no table {what!r}: quiet, coverage, log or scenario")


if __name__ == "__main__":
    main(sys.argv[1:])
