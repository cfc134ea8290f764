"""What contact sensors feel of a leak on their hull: when it comes, where, and that it is the leak that is heard."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import fft

from firmware_bridge.errors import SiteError
from firmware_bridge.site.survey import Site
from sim.plant.leaks import declared_leaks
from sim.plant.plant import Plant
from sim.plant.seeds import FieldSeeds
from sim.plant.shaking import Shaking
from sim.plant.sound import Sound
from sim.scenario.nodes import ContactsTable, SurveyErrorTable
from sim.scenario.scenario import ScenarioTable
from sim.scenario.sound import AcousticsTable
from sim.scenario.structure import StructureTable
from tests.support.tube import BOTH, ELSEWHERE, FAR_M, LEAK, NEAR_M, RADIUS_M, RATE_HZ, SKIN, TIME_S, scenario, site

FloatArray = NDArray[np.float64]


def shaking(told: ScenarioTable, there: Site, seed: int = 1) -> Shaking:
    seeds = FieldSeeds(np.random.SeedSequence(seed))
    leaks = declared_leaks(told)
    rates_hz = {node.name: told.contacts.burst_rate_khz * 1e3 for node in there.nodes}
    return Shaking(told, there, seeds.root, leaks=leaks, rates_hz=rates_hz)


def mindlin_group_speed_m_s(frequency_hz: float, thickness_m: float) -> float:
    """Of bending waves in an aluminium plate with shear and rotary inertia (Mindlin 1951, shear factor pi^2 / 12)."""
    longitudinal_m_s, transverse_m_s = 6320.0, 3130.0
    ratio = (transverse_m_s / longitudinal_m_s) ** 2
    plate_m_s = 2.0 * transverse_m_s * math.sqrt(1.0 - ratio)  # sqrt(E / (rho (1 - nu^2)))
    shear_m_s = math.sqrt(math.pi**2 / 12.0) * transverse_m_s

    def wavenumber(omega: float) -> float:
        # (k^2 - w^2 / cP^2) (k^2 - w^2 / cS^2) = 12 w^2 / (h cP)^2
        one, other, bend = (omega / plate_m_s) ** 2, (omega / shear_m_s) ** 2, 12.0 * (omega / plate_m_s) ** 2
        half = (one + other) / 2.0
        return math.sqrt(half + math.sqrt(half**2 - one * other + bend / thickness_m**2))

    omega = 2.0 * math.pi * frequency_hz
    step = 1e-3 * omega
    return 2.0 * step / (wavenumber(omega + step) - wavenumber(omega - step))


def lag_s(first: FloatArray, second: FloatArray, centre_hz: float, sigma_hz: float) -> float:
    """By how much `second` comes after `first` in a band: the peak of the envelope of their whitened correlation."""
    count = len(first)
    cross = fft.rfft(second * np.hanning(count)) * np.conj(fft.rfft(first * np.hanning(count)))
    frequency_hz = fft.rfftfreq(count, 1.0 / RATE_HZ)
    weight = np.exp(-0.5 * ((frequency_hz - centre_hz) / sigma_hz) ** 2)
    analytic = np.zeros(count, dtype=np.complex128)
    analytic[: len(cross)] = cross / np.maximum(np.abs(cross), 1e-300) * weight
    envelope = np.abs(fft.ifft(analytic))
    place = int(np.argmax(envelope[: count // 2]))
    before, top, after = envelope[place - 1 : place + 2]
    return float(place + 0.5 * (before - after) / (before - 2.0 * top + after)) / RATE_HZ


@pytest.mark.parametrize("centre_hz", [20e3, 30e3, 45e3])
def test_the_farther_sensor_feels_it_later_by_the_group_speed_of_bending_waves(centre_hz: float) -> None:
    felt = shaking(scenario(), site(SKIN)).capture("skin", TIME_S, 16_384, 0.0)
    # Mindlin's A0 is 0.4 to 0.8 % slower than Lamb's here; the envelope of a band of 3 kHz is 53 us wide (sigma), of
    # which chance moves the top by a tenth at most, 5 us of 600; S0 is 70 dB weaker
    expected_s = (FAR_M[0] - NEAR_M[0]) / mindlin_group_speed_m_s(centre_hz, 3e-3)
    assert lag_s(felt[0], felt[1], centre_hz, 3e3) == pytest.approx(expected_s, rel=0.02)


def test_overlapping_bursts_agree_and_a_crystals_drift_is_followed() -> None:
    field = shaking(scenario(structure=StructureTable()), site(SKIN))
    whole = field.capture("skin", TIME_S, 8192, 0.0)
    part = field.capture("skin", TIME_S + 4096 / RATE_HZ, 2048, 0.0)
    # ways and tails are finite; what the filters' skirts leave is 1e-10
    assert np.abs(part - whole[:, 4096:6144]).max() < 1e-8 * whole.std()
    # sample 4000 of a clock that is 500 ppm fast is 1.999 samples early
    fast = field.capture("skin", TIME_S, 8192, 5e-4)[:, 4000]
    there = field.capture("skin", TIME_S + 4000 / (RATE_HZ * (1.0 + 5e-4)), 1, 0.0)[:, 0]
    assert np.abs(fast - there).max() < 1e-8 * whole.std()


def test_what_is_felt_is_coherent_with_what_is_heard_and_as_doubtful() -> None:
    dead = AcousticsTable(reflections=0)
    plain, louder = (
        Plant(scenario(leaks=(LEAK.model_copy(update={"level_spread_db": db}),), acoustics=dead), site(BOTH))
        for db in (0.0, 6.0)
    )
    samples = 65_536
    felt, heard = (field.capture("both", TIME_S, samples, 0.0) for field in (plain.shaking, plain.sound))
    # sound is 1.4 to 1.8 ms later than A0; of stretches under Hann windows of 21 ms that much apart 6 to 9 % is unlike
    assert coherence(felt[0], heard[0]) > 0.85
    other = Plant(scenario(acoustics=dead), site(BOTH), seed=8).sound.capture("both", TIME_S, samples, 0.0)
    assert coherence(felt[0], other[0]) < 0.1
    gains = [
        field.capture("both", TIME_S, samples, 0.0).std() / before.std()
        for field, before in ((louder.shaking, felt), (louder.sound, heard))
    ]
    # one and the same draw, of which only the rounding of the transforms differs
    assert gains[0] == pytest.approx(gains[1], rel=1e-9)
    assert gains[0] != pytest.approx(1.0, abs=0.05)


def coherence(one: FloatArray, other: FloatArray) -> float:
    """Mean magnitude-squared coherence in 20 to 60 kHz over half-overlapping stretches of 21 ms.

    They are longer than any way by a factor of five; of n = 31 stretches chance alone makes 1 / n.
    """
    size = 4096
    window, starts = np.hanning(size), range(0, len(one) - size + 1, size // 2)
    first, second = (np.array([fft.rfft(row[at : at + size] * window) for at in starts]) for row in (one, other))
    cross = np.abs((first * np.conj(second)).mean(axis=0)) ** 2
    squared = cross / ((np.abs(first) ** 2).mean(axis=0) * (np.abs(second) ** 2).mean(axis=0))
    frequency_hz = fft.rfftfreq(size, 1.0 / RATE_HZ)
    return float(squared[(frequency_hz > 20e3) & (frequency_hz < 60e3)].mean())


def test_contacts_change_nothing_of_what_is_heard() -> None:
    bare = {**BOTH, "sensors": BOTH["sensors"][1:]}
    told = scenario(survey_error=SurveyErrorTable(microphone_sigma_m=0.002))
    # "annex" is before "tube" in the alphabet
    alone, among = (Plant(told, site(*nodes)).sound for nodes in ((bare,), (ELSEWHERE, SKIN, BOTH)))
    first, second = (sound.capture("both", TIME_S, 2048, 0.0) for sound in (alone, among))
    assert np.array_equal(first, second)


def test_nodes_of_one_hull_feel_it_at_their_own_sensors() -> None:
    for told in (scenario(), scenario(contacts=ContactsTable(burst_rate_khz=400.0))):
        together, one, other = (Plant(told, site(*nodes)).shaking for nodes in ((SKIN, BOTH), (SKIN,), (BOTH,)))
        for name, alone in (("skin", one), ("both", other)):
            felt = together.capture(name, TIME_S, 512, 0.0)
            # a frame is as long as the longest way of its field, which is all that differs
            assert felt == pytest.approx(alone.capture(name, TIME_S, 512, 0.0), abs=1e-8 * felt.std())


def test_a_leak_shakes_only_its_own_compartment() -> None:
    field = shaking(scenario(), site(SKIN, ELSEWHERE))
    assert field.capture("skin", TIME_S, 512, 0.0).any()
    assert not field.capture("elsewhere", TIME_S, 512, 0.0).any()


def test_contacts_are_off_their_surveyed_places_along_the_skin() -> None:
    there = site(SKIN)
    told = scenario(survey_error=SurveyErrorTable(microphone_sigma_m=0.01))
    true_m = shaking(told, there).true_contacts_m["skin"]
    assert np.hypot(true_m[:, 1], true_m[:, 2]) == pytest.approx(np.full(2, RADIUS_M), abs=1e-9)
    off_m = np.linalg.norm(true_m - np.array([NEAR_M, FAR_M]), axis=1)
    assert ((off_m > 1e-4) & (off_m < 0.05)).all()  # five sigmas
    assert shaking(scenario(), there).true_contacts_m["skin"] == pytest.approx(np.array([NEAR_M, FAR_M]))
    there = site(BOTH)
    felt_m = shaking(told, there).true_contacts_m["both"][0, 0]
    heard_m = Sound(told, there, np.random.SeedSequence(1), declared_leaks(told)).true_microphones_m["both"][0, 0]
    assert felt_m != pytest.approx(heard_m)  # both were surveyed at 2 m: each is off by its own draw


def test_a_scenario_without_a_skin_has_the_usual_one() -> None:
    usual, told = (shaking(scenario(structure=s), site(SKIN)) for s in (None, StructureTable()))
    first, second = (field.capture("skin", TIME_S, 256, 0.0) for field in (usual, told))
    assert np.array_equal(first, second)


def test_refuses_contacts_without_a_hull_and_rates_that_no_field_has() -> None:
    there = site(SKIN)
    bare = replace(there, compartments=tuple(replace(room, hull=None) for room in there.compartments))
    with pytest.raises(SiteError, match="no hull"):
        shaking(scenario(), bare)
    with pytest.raises(SiteError, match="Hz"):
        Plant(scenario(contacts=ContactsTable(burst_rate_khz=4000.0)), there)
