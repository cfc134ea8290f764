"""A0 and S0 of plates: figures for aluminium, thin-plate and Rayleigh limits, the equations themselves, energy."""

import cmath
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.world.structure import lamb
from sim.world.structure.lamb import Mode
from sim.world.structure.plate import ALUMINIUM, Material, Plate

FloatArray = NDArray[np.float64]

# Rayleigh-Lamb solved for cL 6320, cT 3130 m/s: thickness mm, kHz, phase and group speed of A0 in m/s, whole numbers
A0_TABLE = [
    *[(1.5, f, p, g) for f, p, g in ((40, 753, 1444), (60, 912, 1716), (100, 1153, 2093), (150, 1378, 2400))],
    *[(1.5, f, p, g) for f, p, g in ((200, 1553, 2608), (300, 1816, 2864))],
    *[(2.0, f, p, g) for f, p, g in ((40, 863, 1634), (60, 1042, 1925), (100, 1310, 2311), (300, 2008, 3005))],
    *[(3.0, f, p, g) for f, p, g in ((40, 1042, 1925), (100, 1553, 2608), (200, 2008, 3005), (300, 2271, 3131))],
    *[(4.8, f, p, g) for f, p, g in ((40, 1287, 2281), (60, 1527, 2579), (100, 1859, 2899), (150, 2128, 3073))],
    *[(4.8, f, p, g) for f, p, g in ((200, 2311, 3142), (300, 2539, 3166))],
]
S0_TABLE = [(4.8, 40, 5435, 5430), (4.8, 100, 5420, 5382), (4.8, 300, 5215, 4665), (1.5, 300, 5422, 5389)]
MATERIALS = st.builds(
    lambda transverse, nu: Material(transverse * math.sqrt((2 - 2 * nu) / (1 - 2 * nu)), transverse, 2700.0),
    st.floats(800.0, 4000.0),
    st.floats(0.06, 0.48),
)


def of(speed: FloatArray) -> float:
    return float(speed[0])


def phase_speed_m_s(plate: Plate, mode: Mode, frequency_hz: FloatArray) -> FloatArray:
    """Speed of the crests."""
    return math.tau * frequency_hz / plate.wavenumber_rad_m(mode, frequency_hz)


@pytest.mark.parametrize(
    ("mode", "row"), [*((Mode.A0, row) for row in A0_TABLE), *((Mode.S0, row) for row in S0_TABLE)]
)
def test_speeds_in_aluminium(mode: Mode, row: tuple[float, float, float, float]) -> None:
    plate, frequency_hz = Plate(row[0] * 1e-3), np.array([row[1] * 1e3])
    assert of(phase_speed_m_s(plate, mode, frequency_hz)) == pytest.approx(row[2], abs=0.6)  # rounded to 1 m/s
    assert of(plate.group_speed_m_s(mode, frequency_hz)) == pytest.approx(row[3], abs=0.6)


@settings(max_examples=40, deadline=None)
@given(MATERIALS, st.floats(0.002, 0.999), st.sampled_from(list(Mode)))
def test_the_roots_solve_the_equations_in_complex_arithmetic(material: Material, share: float, mode: Mode) -> None:
    plate = Plate(2e-3, material)
    frequency_hz = share * plate.limit_hz
    k, omega, d = of(plate.wavenumber_rad_m(mode, np.array([frequency_hz]))), math.tau * frequency_hz, 1e-3

    def equation(k: float) -> float:
        p = cmath.sqrt((omega / material.longitudinal_m_s) ** 2 - k**2) * d
        q = cmath.sqrt((omega / material.transverse_m_s) ** 2 - k**2) * d
        one, other = (q**2 - (k * d) ** 2) ** 2, 4 * (k * d) ** 2 * p * q
        if mode is Mode.A0:  # tan(q) / tan(p) = -(q^2 - k^2)^2 / (4 k^2 p q), as printed; free of poles
            value = one * cmath.sin(p) * cmath.cos(q) + other * cmath.cos(p) * cmath.sin(q)
            return (value / (1j * abs(p) * cmath.cosh(abs(p)))).real
        value = one * cmath.cos(p) * cmath.sin(q) + other * cmath.sin(p) * cmath.cos(q)
        return (value / q).real

    # a root is a change of sign: 1e-7 to either side, where rounding (1e-16 over the (c / cT)^4 > 1e-5 that is left
    # of A0 by cancellation at the lowest frequency) no longer decides
    assert equation(k * (1.0 - 1e-7)) * equation(k * (1.0 + 1e-7)) < 0.0


def test_thin_plates_bend_as_kirchhoff_and_stretch_at_plate_speed() -> None:
    plate, frequency_hz = Plate(1e-3), np.array([200.0])
    nu, young = ALUMINIUM.poisson, ALUMINIUM.young_pa
    assert nu == pytest.approx(0.3376, abs=1e-4)
    omega = math.tau * 200.0
    bending = math.sqrt(omega) * (young * 1e-6 / (12 * 2700.0 * (1 - nu**2))) ** 0.25
    # both corrections are of the order of (k h)^2 = 3e-4 times a quarter or so for A0, far less for S0
    assert of(phase_speed_m_s(plate, Mode.A0, frequency_hz)) == pytest.approx(bending, rel=5e-4)
    assert of(plate.group_speed_m_s(Mode.A0, frequency_hz)) == pytest.approx(2 * bending, rel=1e-3)
    assert of(phase_speed_m_s(plate, Mode.S0, frequency_hz)) == pytest.approx(
        math.sqrt(young / (2700.0 * (1 - nu**2))), rel=1e-6
    )


def test_a0_tends_to_the_rayleigh_wave() -> None:
    kappa = 3130.0 / 6320.0
    # Rayleigh's cubic in s = (c / cT)^2: s^3 - 8 s^2 + (24 - 16 kappa^2) s - 16 (1 - kappa^2) = 0
    roots = np.roots([1.0, -8.0, 24.0 - 16.0 * kappa**2, -16.0 * (1.0 - kappa**2)])
    rayleigh = math.sqrt(next(r.real for r in roots if abs(r.imag) < 1e-12 and r.real < 1.0))
    x = np.array([30.0])  # far beyond what a plate here may carry: the equation is asked, not the plate
    y = np.linspace(x[0] / 0.97, x[0] / 0.90, 4001)
    value = lamb.residual(Mode.A0, np.full_like(y, x[0]), y, kappa)
    root = y[np.flatnonzero(np.diff(np.sign(value)))[0]]
    assert x[0] / root == pytest.approx(rayleigh, rel=1e-4)  # a step of the scan is 2e-5; the rest is exp(-2 Q), 1e-6
    thick = of(phase_speed_m_s(Plate(4.8e-3), Mode.A0, np.array([325e3])))
    assert 0.85 < thick / (rayleigh * 3130.0) < 1.0


@pytest.mark.parametrize("mode", list(Mode))
def test_group_speed_is_the_slope_of_frequency_over_wavenumber(mode: Mode) -> None:
    plate, frequency_hz = Plate(3e-3), np.geomspace(1e3, 5e5, 20)
    step = 1e-4 * frequency_hz
    rise = plate.wavenumber_rad_m(mode, frequency_hz + step) - plate.wavenumber_rad_m(mode, frequency_hz - step)
    numeric = 4.0 * np.pi * step / rise
    # central differences: 1e-8 of the third derivative and 1e-13 / 1e-4 of rounding
    assert plate.group_speed_m_s(mode, frequency_hz) == pytest.approx(numeric, rel=1e-6)


def shape(mode: Mode, plate: Plate, frequency_hz: float, z: FloatArray) -> tuple[NDArray[np.complex128], ...]:
    """In-plane and normal displacement of a mode over the thickness (Viktorov 1967), any scale."""
    omega, d = math.tau * frequency_hz, plate.thickness_m / 2.0
    k = of(plate.wavenumber_rad_m(mode, np.array([frequency_hz])))
    p = cmath.sqrt((omega / plate.material.longitudinal_m_s) ** 2 - k**2)
    q = cmath.sqrt((omega / plate.material.transverse_m_s) ** 2 - k**2)
    if mode is Mode.S0:
        b = 2 * k * p * cmath.sin(p * d) / ((k**2 - q**2) * cmath.sin(q * d))
        return -k * np.cos(p * z) - q * b * np.cos(q * z), -p * np.sin(p * z) + k * b * np.sin(q * z)
    b = 2 * k * p * cmath.cos(p * d) / ((q**2 - k**2) * cmath.cos(q * d))
    return -k * np.sin(p * z) + q * b * np.sin(q * z), p * np.cos(p * z) + k * b * np.cos(q * z)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("frequency_hz", [20e3, 100e3, 400e3])
def test_a_force_feeds_what_the_wave_carries_away(mode: Mode, frequency_hz: float) -> None:
    # a wave of normal velocity v carries |v|^2 M cg per width, M = integral of rho |u|^2 / |u_z at the face|^2; over
    # the circle 2 pi r of the far field F Y sqrt(2 / (pi k r)) that is F^2 Y only if Y = k / (4 cg M)
    plate = Plate(3e-3)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    in_plane, normal = shape(mode, plate, frequency_hz, nodes * 1.5e-3)
    at_face = shape(mode, plate, frequency_hz, np.array([1.5e-3]))[1][0]
    mass = 1.5e-3 * 2700.0 * np.sum(weights * (np.abs(in_plane) ** 2 + np.abs(normal) ** 2)) / abs(at_face) ** 2
    at = np.array([frequency_hz])
    expected = of(plate.wavenumber_rad_m(mode, at)) / (4.0 * of(plate.group_speed_m_s(mode, at)) * mass)
    assert of(plate.admittance_m_s_n(mode, at)) == pytest.approx(expected, rel=1e-8)


def test_thin_plates_yield_as_cremer_and_heckl_say() -> None:
    plate = Plate(1e-3)
    stiffness_nm = ALUMINIUM.young_pa * 1e-9 / (12.0 * (1.0 - ALUMINIUM.poisson**2))
    thin = 1.0 / (8.0 * math.sqrt(stiffness_nm * plate.surface_density_kg_m2))
    assert of(plate.admittance_m_s_n(Mode.A0, np.array([200.0]))) == pytest.approx(thin, rel=1e-3)
    assert of(plate.admittance_m_s_n(Mode.S0, np.array([200.0]))) < 1e-9 * thin


def test_the_limit_is_where_a_third_mode_begins() -> None:
    plate = Plate(4.8e-3)
    assert plate.limit_hz == pytest.approx(326.04e3, rel=1e-4)
    plate.wavenumber_rad_m(Mode.S0, np.array([326.0e3]))
    for frequency_hz in (326.1e3, 10.0, math.nan):
        with pytest.raises(ValueError, match="only A0 and S0"):
            phase_speed_m_s(plate, Mode.A0, np.array([100e3, frequency_hz]))


@pytest.mark.parametrize(
    ("longitudinal", "transverse", "density"),
    [
        (3000.0, 3130.0, 2700.0),
        (6320.0, 0.0, 2700.0),
        (6320.0, 3130.0, 0.0),
        (3700.0, 3130.0, 1.0),
        (math.inf, 1.0, 1.0),
    ],
)
def test_refuses_what_is_no_solid(longitudinal: float, transverse: float, density: float) -> None:
    with pytest.raises(ValueError, match=r"material|go together"):
        Material(longitudinal, transverse, density)


@pytest.mark.parametrize("thickness_m", [0.0, 1e-5, 1.0, math.nan])
def test_refuses_foil_and_blocks(thickness_m: float) -> None:
    with pytest.raises(ValueError, match="thickness"):
        Plate(thickness_m)
