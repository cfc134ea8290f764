"""How air flows through an opening into vacuum: the choked limit, and viscosity and free path of the gas.

What shape the opening has is told by the kinds of leak beside this file; what the jet sounds like by `jet`.
"""

import math

from sim.world.air import GAS_CONSTANT_J_KG_K, HEAT_RATIO

CHOKED_FLOW_FACTOR = math.sqrt(HEAT_RATIO) * math.pow(
    2.0 / (HEAT_RATIO + 1.0),
    (HEAT_RATIO + 1.0) / (2.0 * (HEAT_RATIO - 1.0)),
)  # 0.6847: mass flow of a choked nozzle = factor * area * pressure / sqrt(R T)
SUTHERLAND_VISCOSITY_PA_S = 1.716e-5  # air at SUTHERLAND_TEMPERATURE_K (White, Viscous Fluid Flow, table 1-2)
SUTHERLAND_TEMPERATURE_K = 273.15
SUTHERLAND_CONSTANT_K = 110.4


def choked_flow_kg_s(effective_area_m2: float, pressure_pa: float, temperature_k: float) -> float:
    """Mass flow, kg/s, through a choked effective area into vacuum, `Psi A P / sqrt(R T)`, Psi = 0.6847.

    Choked while the outside has less than 0.528 of the pressure inside, to vacuum always (Shapiro 1953, The
    Dynamics and Thermodynamics of Compressible Fluid Flow, chapter 4). 238.4 kg/s/m2 at 101.3 kPa and 22 C.

    Raises:
        ValueError: a negative pressure or a temperature that is not positive.
    """
    check_gas(pressure_pa, temperature_k)
    return CHOKED_FLOW_FACTOR * effective_area_m2 * pressure_pa / math.sqrt(GAS_CONSTANT_J_KG_K * temperature_k)


def throat_speed_m_s(temperature_k: float) -> float:
    """Sonic speed in the throat, sqrt(2 gamma R T / (gamma + 1)), m/s, from the cabin temperature."""
    return math.sqrt(2.0 * HEAT_RATIO / (HEAT_RATIO + 1.0) * GAS_CONSTANT_J_KG_K * temperature_k)


def viscosity_pa_s(temperature_k: float) -> float:
    """Dynamic viscosity of air, Pa s, by Sutherland's law (Sutherland 1893, Phil. Mag. 36, 507).

    Within 2 % of measured values from 170 to 1900 K (White); 1.823e-5 Pa s at 22 C.
    """
    ratio = temperature_k / SUTHERLAND_TEMPERATURE_K
    warmth = (SUTHERLAND_TEMPERATURE_K + SUTHERLAND_CONSTANT_K) / (temperature_k + SUTHERLAND_CONSTANT_K)
    return SUTHERLAND_VISCOSITY_PA_S * math.pow(ratio, 1.5) * warmth


def free_path_pa_m(temperature_k: float) -> float:
    """Mean free path times pressure, `mu sqrt(pi R T / 2)`, Pa m: 66 nm at one atmosphere (Maxwell 1879)."""
    return viscosity_pa_s(temperature_k) * math.sqrt(0.5 * math.pi * GAS_CONSTANT_J_KG_K * temperature_k)


def check_gas(pressure_pa: float, temperature_k: float) -> None:
    """Refuse a state that no gas has.

    Raises:
        ValueError: a pressure that is negative or no number, or a temperature that is not positive.
    """
    if not 0.0 <= pressure_pa < math.inf or not 0.0 < temperature_k < math.inf:
        raise ValueError(f"no gas is at {pressure_pa} Pa and {temperature_k} K")
