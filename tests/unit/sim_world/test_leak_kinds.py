"""What holds for leaks of every kind: the seam, the onset of turbulence, the force on the plate."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from sim.world.leak.crack import Crack
from sim.world.leak.hole import Hole
from sim.world.leak.jet import SPECTRUM_AREA, Loudness, jet_spectrum, turbulence
from sim.world.leak.leak import SHUT, Leak, effective_area_m2, equivalent_diameter_m
from sim.world.leak.ragged import RaggedHole
from sim.world.leak.seal import Seal

PRESSURE_PA = 101_325.0
TEMPERATURE_K = 295.15
GAS = (PRESSURE_PA, TEMPERATURE_K)
KINDS: dict[str, Leak] = {
    "hole": Hole(2e-3, 0.85),
    "small hole": Hole(0.2e-3, 0.85),
    "ragged": RaggedHole(2e-3, 0.6, covered_share=0.3),
    "crack": Crack(0.045, 12.4e-6, 1.5e-3),
    "wide crack": Crack(0.045, 0.3e-3, 1.5e-3),
    "seal": Seal(0.5, 40e-6, 4e-3),
}
every_kind = st.sampled_from(list(KINDS.values()))


@pytest.mark.parametrize(
    ("diameter_mm", "kg_day"),
    # 238.4 kg/s/m2 * 0.85 * area * 86400 s, two or three digits
    [
        (0.2, 0.55),
        (0.3, 1.24),
        (0.5, 3.4),
        (1, 13.7),
        (1.5, 31),
        (2, 55),
        (5, 344),
        (10, 1370),
        (12.7, 2220),
        (25, 8590),
    ],
)
def test_daily_loss_of_drilled_holes(diameter_mm: float, kg_day: float) -> None:
    loss = Hole(diameter_mm / 1e3, 0.85).mass_flow_kg_s(*GAS) * 86_400.0
    assert loss == pytest.approx(kg_day, rel=0.011)  # 3.4 stands for 3.437


def test_soyuz_ms09() -> None:
    # 0.8 mmHg/h out of 916 m3: Cd A = V |dP/dt| / (P Psi sqrt(R T)) = 1.37 mm2, which is 1.43 mm at 0.85
    rate_pa_s = 0.8 * 133.322 / 3600.0
    area_m2 = 916.0 * rate_pa_s / (PRESSURE_PA * 0.684731 * math.sqrt(287.05 * TEMPERATURE_K))
    assert area_m2 == pytest.approx(1.37e-6, rel=0.03)  # 1.34: the figure of 1.37 rests on 745 mmHg
    assert pytest.approx(1.37e-6, rel=0.003) == 916.0 * 0.8 / 3600.0 / (745.0 * 199.3)
    hole = Hole(1.43e-3, 0.85)
    assert effective_area_m2(hole, *GAS) == pytest.approx(1.37e-6, rel=0.005)
    assert equivalent_diameter_m(hole, *GAS) == pytest.approx(1.43e-3)


def test_turbulence_sets_in_between_2000_and_4000() -> None:
    assert turbulence(2000.0) == pytest.approx(0.1)
    assert turbulence(math.sqrt(8e6)) == pytest.approx(0.5)
    assert turbulence(4000.0) == pytest.approx(0.9)
    assert turbulence(0.0) == 0.0
    assert 10.0 * math.log10(turbulence(40.0)) == pytest.approx(-117.0, abs=1.0)
    assert turbulence(1e6) == pytest.approx(1.0, abs=1e-12)


@given(st.floats(1.0, 1e7), st.floats(1.001, 2.0))
def test_turbulence_rises_without_a_jump(reynolds: float, factor: float) -> None:
    # the steepest law is r^6.34: a step of the Reynolds number by a factor raises it by at most that power
    before, after = turbulence(reynolds), turbulence(reynolds * factor)
    assert before <= after <= before * factor**6.35


def test_a_small_hole_is_silent_although_it_leaks() -> None:
    # at fixed pressure fully turbulent holes differ by 20 log d; 0.1 mm (Re = 1100) lacks another 26 dB
    turbulent_db = Hole(1e-3, 0.85).inward_level_db(*GAS)
    lacking_db = turbulent_db - 20.0 - Hole(0.1e-3, 0.85).inward_level_db(*GAS)
    assert lacking_db == pytest.approx(63.4 * math.log10(2828.0 / 1111.0), abs=0.5)


@pytest.mark.parametrize(("diameter_mm", "peak_khz"), [(0.5, 126), (1, 63), (1.5, 42), (2, 31), (3, 21), (5, 12.6)])
def test_peaks_follow_the_strouhal_number(diameter_mm: float, peak_khz: float) -> None:
    peak_hz = Hole(diameter_mm / 1e3, 0.85).peak_frequency_hz(TEMPERATURE_K)
    assert peak_hz == pytest.approx(peak_khz * 1e3, rel=0.02)  # two digits


@pytest.mark.parametrize("factor", [0.9, 0.69])
def test_level_of_a_turbulent_leak_follows_the_pressure(factor: float) -> None:
    # flow and density both go as the pressure: 20 log P, once fully turbulent (2 mm: Re > 15,000 here)
    drop_db = KINDS["hole"].inward_level_db(factor * PRESSURE_PA, TEMPERATURE_K) - KINDS["hole"].inward_level_db(*GAS)
    assert drop_db == pytest.approx(20.0 * math.log10(factor), abs=0.01)


def test_a_falling_pressure_silences_a_small_hole() -> None:
    hole = Hole(0.5e-3, 0.85)  # Re = 5600 at one atmosphere, 1100 at a fifth of it
    drop_db = hole.inward_level_db(*GAS) - hole.inward_level_db(0.2 * PRESSURE_PA, TEMPERATURE_K)
    assert drop_db > 20.0 * math.log10(5.0) + 20.0


@settings(max_examples=60)
@given(leak=every_kind, pressure_pa=st.floats(10.0, 110e3), factor=st.floats(1.0, 3.0))
def test_flow_rises_with_pressure_and_area(leak: Leak, pressure_pa: float, factor: float) -> None:
    flow = leak.mass_flow_kg_s(pressure_pa, TEMPERATURE_K)
    more = leak.mass_flow_kg_s(factor * pressure_pa, TEMPERATURE_K)
    # between proportional (choked) and square (laminar): a small step is a small change
    assert flow * factor * (1.0 - 1e-12) <= more <= flow * factor**2 * (1.0 + 1e-12)
    assert leak.opened(1.0 / factor).mass_flow_kg_s(pressure_pa, TEMPERATURE_K) <= flow * (1.0 + 1e-12)


@settings(max_examples=60)
@given(
    leak=every_kind,
    pressure_pa=st.floats(0.0, 110e3),
    share=st.floats(0.0, 1.0),
    frequency_hz=st.floats(0.0, 1e6),
)
def test_densities_are_finite_and_never_negative(
    leak: Leak, pressure_pa: float, share: float, frequency_hz: float
) -> None:
    opened, at_hz = leak.opened(share), np.array([0.0, frequency_hz, 1e6])
    for density in (
        opened.pressure_psd_pa2_hz(at_hz, pressure_pa, TEMPERATURE_K),
        opened.force_psd_n2_hz(at_hz, pressure_pa, TEMPERATURE_K),
    ):
        assert density.shape == at_hz.shape
        assert np.all(np.isfinite(density))
        assert np.all(density >= 0.0)


@settings(max_examples=60)
@given(leak=every_kind, pressure_pa=st.floats(1e3, 110e3), frequency_hz=st.floats(1e3, 1e6))
def test_sound_is_continuous_in_pressure(leak: Leak, pressure_pa: float, frequency_hz: float) -> None:
    # P^2 at most for the flow and P for the density, times Re^6.34 with Re at most as P^2: P^15.7 at the steepest
    at_hz = np.array([frequency_hz])
    before = leak.pressure_psd_pa2_hz(at_hz, pressure_pa, TEMPERATURE_K)[0]
    after = leak.pressure_psd_pa2_hz(at_hz, pressure_pa * 1.001, TEMPERATURE_K)[0]
    assert before <= after <= before * 1.001**16


@pytest.mark.parametrize("kind", KINDS)
def test_density_in_the_band_is_the_level(kind: str) -> None:
    leak, frequency_hz = KINDS[kind], np.geomspace(20e3, 100e3, 20_001)
    squared_pa2 = np.trapezoid(leak.pressure_psd_pa2_hz(frequency_hz, *GAS), frequency_hz)
    assert 10.0 * math.log10(squared_pa2 / 4e-10) == pytest.approx(leak.inward_level_db(*GAS), abs=0.002)


def test_area_under_the_spectrum_of_a_jet() -> None:
    area, _ = quad(lambda ratio: float(jet_spectrum(np.array(ratio))), 0.0, np.inf)
    assert area == pytest.approx(SPECTRUM_AREA, rel=1e-7)


def test_force_of_two_millimetres_step_by_step() -> None:
    # thrust m' U = 6.366e-4 kg/s * 314.4 m/s = 0.200 N; 1 % of it rms, all but 1e-5 of it between 10 Hz and 100 MHz
    frequency_hz = np.geomspace(10.0, 1e8, 20_001)
    squared_n2 = np.trapezoid(KINDS["hole"].force_psd_n2_hz(frequency_hz, *GAS), frequency_hz)
    assert math.sqrt(squared_n2) == pytest.approx(0.01 * 6.366e-4 * 314.4, rel=1e-3)


def test_a_laminar_leak_does_not_shake_the_plate() -> None:
    at_hz = np.array([100e3])
    ratio = KINDS["crack"].force_psd_n2_hz(at_hz, *GAS) / KINDS["hole"].force_psd_n2_hz(at_hz, *GAS)
    assert ratio[0] < 1e-9


def test_the_offset_lifts_sound_and_force_alike() -> None:
    at_hz = np.array([40e3])
    plain, lifted = Hole(2e-3, 0.85), Hole(2e-3, 0.85, Loudness(level_offset_db=10.0))
    for one, other in (
        (plain.pressure_psd_pa2_hz(at_hz, *GAS), lifted.pressure_psd_pa2_hz(at_hz, *GAS)),
        (plain.force_psd_n2_hz(at_hz, *GAS), lifted.force_psd_n2_hz(at_hz, *GAS)),
    ):
        assert other[0] == pytest.approx(10.0 * one[0])


def test_a_ragged_hole_is_broader_and_lower_than_a_round_one_of_the_same_flow() -> None:
    ragged = RaggedHole(2e-3, 0.6, covered_share=0.3)
    hole = Hole(equivalent_diameter_m(ragged, *GAS), 0.85)
    assert ragged.mass_flow_kg_s(*GAS) == pytest.approx(hole.mass_flow_kg_s(*GAS))
    frequency_hz = np.linspace(1e3, 400e3, 4000)
    torn = ragged.pressure_psd_pa2_hz(frequency_hz, *GAS)
    clean = hole.pressure_psd_pa2_hz(frequency_hz, *GAS)
    widths_hz = [np.sum(psd) ** 2 / np.sum(psd**2) for psd in (torn, clean)]  # equivalent number of bins
    assert widths_hz[0] > 1.2 * widths_hz[1]
    assert torn.max() < clean.max()
    assert ragged.reynolds(*GAS) < hole.reynolds(*GAS)


def test_jets_of_a_ragged_hole_share_its_area() -> None:
    ragged = RaggedHole(2e-3, 0.7, covered_share=0.4, jets_count=4, jets_spread=5.0)
    sizes_m = np.array(ragged.jet_diameters_m)
    assert np.sum(sizes_m**2) == pytest.approx(0.6 * 4e-6)
    assert sizes_m[-1] / sizes_m[0] == pytest.approx(5.0)
    assert np.ptp(sizes_m[1:] / sizes_m[:-1]) == pytest.approx(0.0, abs=1e-12)
    assert effective_area_m2(ragged, *GAS) == pytest.approx(0.7 * 0.6 * math.pi * 1e-6)
    assert effective_area_m2(ragged, *GAS) == pytest.approx(ragged.effective_area_m2)


def test_one_jet_with_no_patch_is_a_drilled_hole() -> None:
    ragged, hole = RaggedHole(2e-3, 0.85, jets_count=1), Hole(2e-3, 0.85)
    at_hz = np.array([0.0, 10e3, 40e3, 300e3])
    np.testing.assert_allclose(ragged.pressure_psd_pa2_hz(at_hz, *GAS), hole.pressure_psd_pa2_hz(at_hz, *GAS))
    assert ragged.mass_flow_kg_s(*GAS) == pytest.approx(hole.mass_flow_kg_s(*GAS))


@pytest.mark.parametrize("kind", KINDS)
def test_shut_leaks_do_nothing(kind: str) -> None:
    shut, at_hz = KINDS[kind].opened(0.0), np.array([0.0, 40e3])
    assert shut is SHUT
    assert shut.mass_flow_kg_s(*GAS) == shut.reynolds(*GAS) == 0.0
    assert shut.inward_level_db(*GAS) == -math.inf
    assert not shut.pressure_psd_pa2_hz(at_hz, *GAS).any()
    assert not shut.force_psd_n2_hz(at_hz, *GAS).any()
    assert shut.opened(1.0) is SHUT


@pytest.mark.parametrize("kind", ["hole", "ragged"])
def test_the_share_of_a_hole_is_one_of_its_area(kind: str) -> None:
    leak = KINDS[kind]
    assert leak.opened(0.25).mass_flow_kg_s(*GAS) == pytest.approx(0.25 * leak.mass_flow_kg_s(*GAS))
    assert leak.opened(0.25).reynolds(*GAS) == pytest.approx(0.5 * leak.reynolds(*GAS))


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_refuses_a_share_that_is_none(share: float) -> None:
    for leak in (KINDS["hole"], SHUT):
        with pytest.raises(ValueError, match="share"):
            leak.opened(share)


def test_refuses_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="patch"):
        RaggedHole(2e-3, covered_share=1.0)
    with pytest.raises(ValueError, match="jets"):
        RaggedHole(2e-3, jets_count=0)
    with pytest.raises(ValueError, match="spread"):
        RaggedHole(2e-3, jets_spread=0.5)
    with pytest.raises(ValueError, match="negative"):
        Loudness(unsteadiness=-1.0)
    with pytest.raises(ValueError, match="no gas"):
        KINDS["crack"].mass_flow_kg_s(-1.0, TEMPERATURE_K)
    with pytest.raises(ValueError, match="no gas"):
        KINDS["hole"].mass_flow_kg_s(PRESSURE_PA, 0.0)
    with pytest.raises(ValueError, match="lets out nothing"):
        equivalent_diameter_m(KINDS["hole"], 0.0, TEMPERATURE_K)
