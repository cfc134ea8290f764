"""Sensors that can be bought, as defaults for the tables of nodes.

A key that the scenario gives itself wins over the part's. How a figure acts is up to `sim/node`. Accuracies that a data
sheet gives as limits are taken as two standard deviations, a year's drift as 365 equal days.
"""

from collections.abc import Mapping

Figures = Mapping[str, float | int | None]

# Bosch BST-BMP390-DS002: noise 0.02 Pa at the lowest bandwidth, accuracy 50 Pa, TCO 0.6 Pa/K, 16 Pa a year.
# Bosch BST-BMP280-DS001: noise 1.3 Pa without filter, 100 Pa, TCO 1.5 Pa/K, 0.16 Pa a step, 100 Pa a year.
# TE MS5611-01BA03: 1.2 Pa rms at OSR 4096, 150 Pa, 100 Pa a year; its own arithmetic ends at 1 Pa.
# ST LPS22HH: 0.65 Pa at ODR/20, 50 Pa, 0.65 Pa/K, 4096 counts a hPa. The log of a Sense HAT: an LPS25H (1 Pa, 20 Pa at
# room temperature) on a board that a computer warms, written with one decimal of hPa.
# Where no figure is given (thermometers' noise, the temperature coefficient of MS5611 and LPS25H, a year of LPS22HH) an
# engineering value stands.
BAROMETERS: Mapping[str, Figures] = {
    "bmp390": {
        "noise_pa": 0.02, "bias_spread_pa": 25.0, "drift_spread_pa_day": 0.04, "temperature_spread_pa_k": 0.3,
        "resolution_pa": 0.016, "temperature_noise_k": 0.002, "temperature_bias_spread_k": 0.25,
    },
    "bmp280": {
        "noise_pa": 1.3, "bias_spread_pa": 50.0, "drift_spread_pa_day": 0.27, "temperature_spread_pa_k": 0.75,
        "resolution_pa": 0.16, "temperature_noise_k": 0.005, "temperature_bias_spread_k": 0.5,
    },
    "ms5611": {
        "noise_pa": 1.2, "bias_spread_pa": 75.0, "drift_spread_pa_day": 0.27, "temperature_spread_pa_k": 1.0,
        "resolution_pa": 1.0, "temperature_noise_k": 0.002, "temperature_bias_spread_k": 0.4,
    },
    "lps22hh": {
        "noise_pa": 0.65, "bias_spread_pa": 25.0, "drift_spread_pa_day": 0.1, "temperature_spread_pa_k": 0.33,
        "resolution_pa": 0.0244, "temperature_noise_k": 0.01, "temperature_bias_spread_k": 0.75,
    },
    "sense-hat-log": {
        "noise_pa": 1.0, "bias_spread_pa": 10.0, "drift_spread_pa_day": 0.27, "temperature_spread_pa_k": 0.5,
        "resolution_pa": 10.0, "temperature_noise_k": 0.01, "temperature_bias_spread_k": 1.0,
        "self_heating_k": 5.0,
    },
}  # fmt: skip

# Knowles SPU0410LR5H-1: equivalent input noise 31 dB(A), here -12 dB re 20 uPa in a hertz, which is 37 dB in 20 to
# 100 kHz; ultrasonic sensitivity within 3 dB; overload 118 dB; a curve that peaks about 25 to 30 kHz.
# Knowles SPH0641LU4H-1 in ultrasonic mode: SNR 64 dB(A), sensitivity within 1 dB, overload 120 dB, noise of a one-bit
# converter that rises above 40 kHz. Qualities, roll-off and temperature coefficient are engineering values.
MICROPHONES: Mapping[str, Figures] = {
    "spu0410lr5h": {
        "self_noise_db": 37.0, "sensitivity_spread_db": 1.5, "resonance_khz": 28.0, "resonance_spread": 0.08,
        "resonance_peak_db": 9.0, "resonance_q": 3.0, "resonance_q_spread": 0.2, "roll_off_khz": 85.0,
        "overload_db": 118.0, "sensitivity_per_k": 0.001,
    },
    "sph0641lu4h": {
        "self_noise_db": 36.0, "sensitivity_spread_db": 0.5, "resonance_khz": 24.0, "resonance_spread": 0.05,
        "resonance_peak_db": 8.0, "resonance_q": 2.5, "resonance_q_spread": 0.1, "roll_off_khz": 80.0,
        "overload_db": 120.0, "noise_rise_khz": 40.0, "noise_rise_order": 2, "sensitivity_per_k": 0.001,
    },
}  # fmt: skip

# Physical Acoustics R15a: resonant at 150 kHz in 50 to 400 kHz, peak sensitivity 80 dB re 1 V/(m/s). Behind it a
# preamplifier of 40 dB with 2 uV rms in that band (3.4e-13 m/s in a root hertz) and 10 V full scale (1e-5 m/s).
# Disc: a plain piezo disc between its corners, a tenth as sensitive. Qualities and spreads are engineering values.
CONTACTS: Mapping[str, Figures] = {
    "r15": {
        "self_noise_m_s_rthz": 3.4e-13, "full_scale_m_s": 1e-5, "resonance_khz": 150.0, "resonance_q": 3.0,
        "resonance_spread": 0.05, "resonance_q_spread": 0.1, "sensitivity_spread_db": 1.5,
    },
    "disc": {
        "self_noise_m_s_rthz": 3.4e-12, "full_scale_m_s": 1e-4, "low_khz": 20.0, "high_khz": 300.0,
        "sensitivity_spread_db": 2.0,
    },
}  # fmt: skip


def with_part(table: object, parts: Mapping[str, Figures]) -> object:
    """The keys of a table as read from a file, behind them the figures of the part that it names."""
    if not isinstance(table, dict):
        return table
    part = table.get("part")
    figures = parts.get(part, {}) if isinstance(part, str) else {}  # what else it may be is refused with its key
    return {**figures, **table}
