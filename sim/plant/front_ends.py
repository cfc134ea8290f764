"""The transducers of a node as the scenario's tables describe them, with what differs from part to part drawn.

What they do is `sim/node`; where they are and what they feel is up to `senses`.
"""

from itertools import accumulate

import numpy as np

from firmware_bridge.units import Quantity, celsius_to_kelvin
from sim.node.oscillator import CrystalCut, Oscillator
from sim.node.response import Response, Section, band_pass, bell, butterworth, high_pass, low_pass
from sim.node.slow_sensor import SlowCharacter, SlowSensor
from sim.node.transducer import FrontEnd, NoiseRise, overload_amplitude, self_noise_density
from sim.scenario.nodes import ArraysTable, BarometersTable, ClocksTable, ContactsTable, GasSensorsTable

HZ_PER_KHZ = 1000.0
ANTI_ALIAS_ORDER = 4
PRESSURE_SCALE_PA = 0.01
TEMPERATURE_SCALE_K = 0.001
HATCH_SCALE = 0.001
SLOW_SCALE = {Quantity.TEMPERATURE: TEMPERATURE_SCALE_K, Quantity.HATCH: HATCH_SCALE}  # all others: a pressure's


def microphones(
    table: ArraysTable, channels: int, gain_random: np.random.Generator, seed: np.random.SeedSequence
) -> FrontEnd:
    """The front end of `channels` microphones; sensitivities come from `gain_random`, responses from `seed`."""
    gain = 10 ** (table.sensitivity_spread_db * gain_random.standard_normal(channels) / 20)
    random = np.random.default_rng(seed)
    common: list[Section] = []
    if table.roll_off_khz is not None:
        common.append(low_pass(table.roll_off_khz * HZ_PER_KHZ))
    if table.anti_alias_khz is not None:
        common += butterworth(table.anti_alias_khz * HZ_PER_KHZ, ANTI_ALIAS_ORDER)
    peaks: list[Section | None] = [None] * channels
    if table.resonance_khz is not None:
        centres, qualities = (
            _spread(table.resonance_khz * HZ_PER_KHZ, table.resonance_spread, channels, random),
            _spread(table.resonance_q, table.resonance_q_spread, channels, random),
        )
        # The peak stands for the damping: a sharper resonance is higher by as much.
        peaks = [
            bell(centre, q, table.resonance_peak_db + 20 * np.log10(q / table.resonance_q))
            for centre, q in zip(centres, qualities, strict=True)
        ]
    return FrontEnd(
        gain=gain,
        noise_density=self_noise_density(table.self_noise_db),
        full_scale=table.full_scale_pa,
        bits=table.bits,
        rate_hz=table.burst_rate_khz * HZ_PER_KHZ,
        responses=_responses(peaks, common),
        skew_s=table.skew_us * 1e-6,
        overload=np.inf if table.overload_db is None else overload_amplitude(table.overload_db),
        effective_bits=table.effective_bits,
        noise_rise=None
        if table.noise_rise_khz is None
        else NoiseRise(table.noise_rise_khz * HZ_PER_KHZ, table.noise_rise_order),
        gain_per_k=table.sensitivity_per_k,
    )


def contacts(table: ContactsTable, channels: int, seed: np.random.SeedSequence) -> FrontEnd:
    """The front end of `channels` contact sensors."""
    random = np.random.default_rng(seed)
    gain = 10 ** (table.sensitivity_spread_db * random.standard_normal(channels) / 20)
    common: list[Section] = []
    if table.low_khz is not None:
        common.append(high_pass(table.low_khz * HZ_PER_KHZ))
    if table.high_khz is not None:
        common.append(low_pass(table.high_khz * HZ_PER_KHZ))
    peaks: list[Section | None] = [None] * channels
    if table.resonance_khz is not None:
        centres = _spread(table.resonance_khz * HZ_PER_KHZ, table.resonance_spread, channels, random)
        qualities = _spread(table.resonance_q, table.resonance_q_spread, channels, random)
        peaks = [band_pass(centre, q) for centre, q in zip(centres, qualities, strict=True)]
    return FrontEnd(
        gain=gain,
        noise_density=table.self_noise_m_s_rthz,
        full_scale=table.full_scale_m_s,
        bits=table.bits,
        rate_hz=table.burst_rate_khz * HZ_PER_KHZ,
        responses=_responses(peaks, common),
        skew_s=table.skew_us * 1e-6,
        overload=np.inf if table.overload_m_s is None else table.overload_m_s,
        effective_bits=table.effective_bits,
        gain_per_k=table.sensitivity_per_k,
    )


def slow_sensor(
    quantity: Quantity,
    barometers: BarometersTable,
    gases: GasSensorsTable,
    bias_random: np.random.Generator,
    seed: np.random.SeedSequence,
) -> SlowSensor:
    """One slow sensor; its bias comes from `bias_random`, everything else from `seed`."""
    random = np.random.default_rng(seed)
    drift, per_k = random.standard_normal(2)
    if quantity is Quantity.HATCH:
        return SlowSensor(SlowCharacter(HATCH_SCALE))
    if quantity is Quantity.TEMPERATURE:
        return SlowSensor(
            SlowCharacter(
                TEMPERATURE_SCALE_K,
                noise=barometers.temperature_noise_k,
                bias=barometers.temperature_bias_spread_k * float(bias_random.standard_normal()),
                resolution=barometers.temperature_resolution_k,
                response_s=barometers.temperature_response_s,
                heating=barometers.self_heating_k,
            )
        )
    table = barometers if quantity is Quantity.PRESSURE else gases
    return SlowSensor(
        SlowCharacter(
            PRESSURE_SCALE_PA,
            noise=table.noise_pa,
            bias=table.bias_spread_pa * float(bias_random.standard_normal()),
            drift_per_day=table.drift_spread_pa_day * float(drift),
            wander_per_rtday=table.wander_pa_rtday,
            per_k=barometers.temperature_spread_pa_k * float(per_k) if quantity is Quantity.PRESSURE else 0.0,
            resolution=table.resolution_pa,
            response_s=table.response_s,
        )
    )


def oscillator(
    table: ClocksTable,
    offset_ns: int,
    drift: float,
    seed: np.random.SeedSequence,
    steps: tuple[tuple[int, int], ...],
) -> Oscillator:
    """A node's crystal; one that is set back below zero, where no clock goes, has been on for as much longer."""
    lowest_ns = min(accumulate(jump_ns for _, jump_ns in sorted(steps)), default=0)
    offset_ns = max(offset_ns, -lowest_ns)
    random = np.random.default_rng(seed)
    slope, ageing = random.standard_normal(2)
    cut = CrystalCut(
        linear_per_k=table.slope_spread_ppm_k * 1e-6 * float(slope),
        parabola_per_k2=table.parabola_ppm_k2 * 1e-6,
        turnover_k=celsius_to_kelvin(table.turnover_c),
        ageing_per_day=table.ageing_spread_ppm_day * 1e-6 * float(ageing),
        wander_per_rtday=table.wander_ppm_rtday * 1e-6,
    )
    return Oscillator(offset_ns, drift, cut=cut, random=random, steps=steps)


def _spread(centre: float, relative: float, count: int, random: np.random.Generator) -> list[float]:
    """`count` values about `centre`; log-normal, so that none is negative."""
    return [float(value) for value in centre * np.exp(relative * random.standard_normal(count))]


def _responses(peaks: list[Section | None], common: list[Section]) -> tuple[Response, ...]:
    if not common and not any(peaks):
        return ()
    return tuple(Response((*(() if peak is None else (peak,)), *common)) for peak in peaks)
