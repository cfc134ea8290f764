"""Beams against the piston's closed forms, and heard through the field at their angle."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import fft

from sim.world.air import Air
from sim.world.sound.directivity import Directivity
from sim.world.sound.field import SoundField
from sim.world.sound.room import BoxRoom
from sim.world.sound.source import SoundSource

FloatArray = NDArray[np.float64]

AIR = Air(295.15, 101_325.0, 0.5)
EVEN = 10.0 ** (-30.0 / 20.0)  # what goes everywhere


def test_on_axis_it_is_one_and_behind_a_cardioid_30_db_less() -> None:
    beam = Directivity((0.0, 0.0, 2.0), 0.02, 1.0)
    wavenumber = np.array([100.0, 700.0, 1500.0])
    assert beam.amplitude(1.0, wavenumber) == pytest.approx(1.0)
    assert -20.0 * np.log10(beam.amplitude(-1.0, wavenumber)) == pytest.approx(30.0, abs=1e-9)
    assert beam.cosine(
        np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    ) == pytest.approx([1.0, 0.0, -1.0, 1.0])


def test_a_piston_is_silent_at_the_first_zero_of_its_bessel_function() -> None:
    # J1(3.8317) = 0 and 2 J1(1.6163) / 1.6163 = 1 / sqrt 2 (Kinsler et al., Fundamentals of Acoustics)
    sine = 0.5
    beam = Directivity((1.0, 0.0, 0.0), 0.01, 0.0)
    zero, half = np.array([3.8317, 1.6163]) / (0.01 * sine)
    found = beam.amplitude(math.sqrt(1.0 - sine**2), np.array([zero, half]))
    assert found == pytest.approx([EVEN, EVEN + (1.0 - EVEN) * math.sqrt(0.5)], abs=2e-4)


def test_the_power_of_a_cardioid_is_a_third_and_that_of_a_piston_falls_with_its_beam() -> None:
    # mean of ((1 + c) / 2 + e (1 - (1 + c) / 2))^2 over c: (1 + e + e^2) / 3
    cardioid = Directivity((1.0, 0.0, 0.0)).mean_square(np.array([500.0]))[0]
    assert cardioid == pytest.approx((1.0 + EVEN + EVEN**2) / 3.0, rel=1e-6)
    # a wide piston: the same mean with more points than the code takes
    wavenumber, radius_m = 1500.0, 0.03
    cosines, weights = np.polynomial.legendre.leggauss(1200)
    beam = Directivity((1.0, 0.0, 0.0), radius_m, 0.0)
    squares = [float(beam.amplitude(float(c), np.array([wavenumber]))[0]) ** 2 for c in cosines]
    assert beam.mean_square(np.array([wavenumber]))[0] == pytest.approx(0.5 * float(weights @ squares), rel=0.02)


def test_the_field_hears_the_beam_at_its_angle() -> None:
    source_m, distance_m = (30.0, 30.0, 30.0), 2.0
    angles = (0.0, math.radians(25.0), math.radians(120.0))
    microphones = np.array(source_m) + distance_m * np.array([[math.cos(a), math.sin(a), 0.0] for a in angles])
    beam = Directivity((1.0, 0.0, 0.0), 0.006, 1.0)
    source = SoundSource("fan", source_m, lambda f: np.full_like(f, 1e-8), -math.inf, directivity=beam)
    field = SoundField(
        BoxRoom(60.0, 60.0, 60.0), AIR, [source], microphones, sample_rate_hz=192e3, seed=1, reflections=0
    )  # fmt: skip
    heard = np.abs(fft.rfft(field.capture(1.0, 1 << 15, [0, 1, 2]) * np.hanning(1 << 15), axis=1)) ** 2
    frequency_hz = fft.rfftfreq(1 << 15, 1.0 / 192e3)
    for middle_hz in (15e3, 40e3, 70e3):
        inside = np.abs(frequency_hz - middle_hz) < 200.0
        wavenumber = np.array([2.0 * math.pi * middle_hz / AIR.sound_speed_m_s])
        for row in (1, 2):
            expected = float(beam.amplitude(math.cos(angles[row]), wavenumber)[0]) ** 2
            # the same noise at equal distance and delay: only the beam's slope over 400 Hz is left
            assert heard[row, inside].sum() / heard[0, inside].sum() == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(
    ("axis", "radius_m", "exponent"),
    [((0.0, 0.0, 0.0), 0.0, 1.0), ((1.0, 0.0, 0.0), -0.1, 1.0), ((1.0, 0.0, 0.0), 0.0, 20.0)],
)
def test_refuses_beams_that_cannot_be(axis: tuple[float, float, float], radius_m: float, exponent: float) -> None:
    with pytest.raises(ValueError, match=r"direction|beam"):
        Directivity(axis, radius_m, exponent)
