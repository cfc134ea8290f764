"""Compressible flow through an opening between two bodies of gas, subsonic and choked, smooth through zero.

What the flow carries, and where to, is the business of `balance`; holes to vacuum are in `sim/world/leak`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Below about this difference the flow is linear in it. The root of a difference of pressures has an infinite slope at
# zero; w |w| + w_laminar w = S has none. In a 0.8 m hatch air creeps at 1e-5 m/s then, far below anything that matters:
# at 1e-6 Pa the flow is 0.5 % less than without.
LAMINAR_BELOW_PA = 1e-10


class Square(NamedTuple):
    """The signed square S of the flow (kg2/s2) without the laminar term, and its slopes."""

    value: FloatArray
    by_first_pa: FloatArray
    by_second_pa: FloatArray
    by_upstream_k: FloatArray


def squared_flow(
    area_m2: FloatArray,
    first_pa: FloatArray,
    second_pa: FloatArray,
    upstream_k: FloatArray,
    upstream_j_kg_k: FloatArray,
    upstream_heat_ratio: FloatArray,
) -> FloatArray:
    """Signed square of the isentropic orifice flow, kg2/s2, positive from first to second, all arguments (n,).

    Smooth through zero, where it is 2 rho A^2 dP; constant in the downstream pressure once choked.
    Source: Saint-Venant and Wantzel 1839, m'^2 = A^2 2 g/(g-1) p^2/(R T) (x^(2/g) - x^((g+1)/g)), x >= critical.
    """
    upstream_pa = np.maximum(first_pa, second_pa)
    drop = np.minimum(np.abs(first_pa - second_pa) / upstream_pa, 1.0 - critical_ratio(upstream_heat_ratio))
    logarithm = np.log1p(-drop)
    exponent = (upstream_heat_ratio - 1.0) / upstream_heat_ratio
    # 1 - x^((g-1)/g) by expm1: modules joined by a hatch differ by parts in 1e11
    shape = -np.exp(2.0 / upstream_heat_ratio * logarithm) * np.expm1(exponent * logarithm) * 2.0 / exponent
    square: FloatArray = (
        np.sign(first_pa - second_pa) * area_m2**2 * upstream_pa**2 / (upstream_j_kg_k * upstream_k) * shape
    )
    return square


def squared_flow_slopes(
    area_m2: FloatArray,
    first_pa: FloatArray,
    second_pa: FloatArray,
    upstream_k: FloatArray,
    upstream_j_kg_k: FloatArray,
    upstream_heat_ratio: FloatArray,
) -> Square:
    """`squared_flow` and its slopes by the pressures and the upstream temperature, R and heat ratio held."""
    value = squared_flow(area_m2, first_pa, second_pa, upstream_k, upstream_j_kg_k, upstream_heat_ratio)
    upstream_pa, downstream_pa = np.maximum(first_pa, second_pa), np.minimum(first_pa, second_pa)
    ratio = np.maximum(downstream_pa / upstream_pa, critical_ratio(upstream_heat_ratio))
    exponent = (upstream_heat_ratio - 1.0) / upstream_heat_ratio
    power = ratio ** (1.0 / upstream_heat_ratio)
    steepness = (
        2.0 / exponent * (2.0 / upstream_heat_ratio * power**2 / ratio - (2.0 - exponent) * power)
    )  # d shape / d ratio, 0 at the critical ratio, -2 at 1
    factor = area_m2**2 / (upstream_j_kg_k * upstream_k)
    size = np.abs(value)
    by_down = factor * upstream_pa * steepness
    by_up = 2.0 * size / upstream_pa - factor * ratio * upstream_pa * steepness
    forward = first_pa >= second_pa
    return Square(
        value,
        np.where(forward, by_up, -by_down),
        np.where(forward, by_down, -by_up),
        -value / upstream_k,
    )


def laminar_flow_kg_s(area_m2: FloatArray, density_kg_m3: FloatArray) -> FloatArray:
    """The flow w_laminar (kg/s) in w |w| + w_laminar w = S: what `LAMINAR_BELOW_PA` would drive."""
    flow: FloatArray = area_m2 * np.sqrt(2.0 * density_kg_m3 * LAMINAR_BELOW_PA)
    return flow


def flow_of_square(square: FloatArray, laminar_kg_s: FloatArray) -> FloatArray:
    """The root w of w |w| + w_laminar w = S, kg/s, without cancellation."""
    flow: FloatArray = 2.0 * square / (laminar_kg_s + np.sqrt(laminar_kg_s**2 + 4.0 * np.abs(square)))
    return flow


def critical_ratio(heat_ratio: FloatArray) -> FloatArray:
    """Ratio of downstream to upstream pressure below which the flow is choked; 0.528 for air."""
    ratio: FloatArray = (2.0 / (heat_ratio + 1.0)) ** (heat_ratio / (heat_ratio - 1.0))
    return ratio
