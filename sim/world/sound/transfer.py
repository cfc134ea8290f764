"""From paths to impulse responses: what air, walls, racks, temperature and a source's beam do on every way.

Which paths there are is the rooms' business, what sounds through them is `field`'s.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sim.world.air import Air
from sim.world.signal.sampling import GUARD_S, KERNEL_S, band, phasor
from sim.world.sound.directivity import Directivity
from sim.world.sound.paths import NEAREST_M, Paths
from sim.world.sound.rack import Rack, screen_amplitude
from sim.world.sound.room import Room
from sim.world.sound.travel import travel_s

FloatArray = NDArray[np.float64]

REACH_S = GUARD_S - KERNEL_S  # of band edges, absorption, beam and screens, before and after a path's own delay
SLIT_M = 0.01  # a gap between rack and wall narrower than this lets no sound around


@dataclass(frozen=True, slots=True)
class Ways:
    """Ways of sound from one source, flat: every array has one entry a way.

    Args:
        receiver: index of the microphone.
        delay_s: travel time, s.
        length_m: length in air, m.
        amplitude: pressure relative to 1 m in the open from spreading, walls and racks.
        detour_m: how much longer than the straight line a way around racks is, m; 0 if it is none.
        launch: (p, 3) unit direction at the source.
    """

    receiver: NDArray[np.intp]
    delay_s: FloatArray
    length_m: FloatArray
    amplitude: FloatArray
    detour_m: FloatArray
    launch: FloatArray


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What sound meets between its source and the microphones.

    Args:
        room: gives the paths.
        air: temperature in the room's middle, pressure, humidity.
        reflections: bounces up to which paths are followed.
        wall_reflection: pressure amplitude left by a bounce, 0 to 1, at all frequencies.
        racks: boxes in the way, room's frame.
        temperature_gradient_k_m: change of temperature with place, K/m, room's frame.
        moist: whether humidity quickens sound (by 0.2 % at 22 C and 50 %).
    """

    room: Room
    air: Air
    reflections: int = 2
    wall_reflection: float = 0.6
    racks: tuple[Rack, ...] = ()
    temperature_gradient_k_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    moist: bool = False

    def ways(self, source_m: FloatArray, microphones_m: FloatArray) -> Ways:
        """All ways to all microphones (m, 3).

        A rack crossed by any leg of a path weakens it by its transmission. Around a rack that hides the direct
        path goes one more way: the shortest over its edges, by the screen's law at the straight distance; for
        several racks in line their detours add up.
        """
        paths = self.room.paths(source_m, microphones_m, self.reflections)
        there = np.isfinite(paths.length_m)
        legs = (paths.corners_m[:, :, :-1], paths.corners_m[:, :, 1:])
        crossed = [rack.crossed(*legs) for rack in self.racks]
        passed = np.ones(there.shape)
        for rack, crossing in zip(self.racks, crossed, strict=True):
            passed *= np.where(crossing.any(axis=2), rack.transmission, 1.0)
        delay_s = travel_s(
            paths.corners_m, self.air, self.temperature_gradient_k_m, self.room.centre_m, moist=self.moist
        )
        receiver = np.nonzero(there)[0]
        amplitude = paths.gain * np.power(self.wall_reflection, paths.bounces) * passed
        plain = Ways(
            receiver, delay_s[there], paths.length_m[there], amplitude[there],
            np.zeros(len(receiver)), paths.launch[there],
        )  # fmt: skip
        around = self._around(paths, crossed)
        return _joined(plain, around)

    def _around(self, paths: Paths, crossed: Sequence[NDArray[np.bool_]]) -> Ways:
        """The ways around the racks that hide direct paths."""
        found: list[tuple[int, float, float, float, float, FloatArray]] = []
        direct = (paths.bounces == 0) & np.isfinite(paths.length_m)
        for row, column in zip(*np.nonzero(direct), strict=True):
            start, end = paths.corners_m[row, column, 0], paths.corners_m[row, column, -1]
            hiding = [rack for rack, crossing in zip(self.racks, crossed, strict=True) if crossing[row, column].any()]
            edges = [self._edge_points(rack, start, end) for rack in hiding]
            bends = [points for points in edges if points is not None]
            if not hiding or len(bends) < len(hiding):
                continue
            straight_m = float(paths.length_m[row, column])
            detour_m, late_s, toward = 0.0, 0.0, np.zeros(3)
            direct_s = self._time_s(np.stack([start, end]))
            for points in bends:
                way = np.vstack([start, points, end])
                pieces_m = np.linalg.norm(np.diff(way, axis=0), axis=1)
                if not detour_m:
                    toward = way[1] - way[0]
                detour_m += float(pieces_m.sum()) - straight_m
                late_s += self._time_s(way) - direct_s
            toward /= max(float(np.linalg.norm(toward)), 1e-12)
            gain = 1.0 / max(straight_m, NEAREST_M)
            found.append((int(row), direct_s + late_s, straight_m + detour_m, gain, detour_m, toward))
        table = np.array([[row, *numbers] for row, *numbers, _ in found]).reshape(-1, 5)
        launch = np.array([toward for *_, toward in found]).reshape(-1, 3)
        return Ways(table[:, 0].astype(np.intp), table[:, 1], table[:, 2], table[:, 3], table[:, 4], launch)

    def _time_s(self, corners_m: FloatArray) -> float:
        gradient = self.temperature_gradient_k_m
        return float(travel_s(corners_m, self.air, gradient, self.room.centre_m, moist=self.moist))

    def _edge_points(self, rack: Rack, start_m: FloatArray, end_m: FloatArray) -> FloatArray | None:
        """Edge points (3, 3) of the shortest way around a rack that is not closed by a wall."""
        _, points = rack.ways_around(start_m, end_m)
        if not len(points):
            return None
        clear = self.room.clearance_m(points.reshape(-1, 3)).reshape(-1, 3).min(axis=1) > SLIT_M
        return points[int(np.argmax(clear))] if clear.any() else None


def impulse_responses(
    ways: Ways,
    count: int,
    air: Air,
    sample_rate_hz: float,
    directivity: Directivity | None,
) -> tuple[FloatArray, int]:
    """Impulse responses (`count` microphones, n) on the grid, and the place in them of the moment of emission.

    Exact but for the band's edges; cut off 5 ms before the first and after the last way, where they are below
    1e-11 of their peak (measured with beams and screens, at 192 and 500 kHz).
    """
    lead = math.ceil(REACH_S * sample_rate_hz)
    length = 2 * lead + math.ceil(float(ways.delay_s.max(initial=0.0)) * sample_rate_hz) + 1
    design = int(fft.next_fast_len(length + lead, real=True))
    frequency_hz = fft.rfftfreq(design, 1.0 / sample_rate_hz)
    carried = band(frequency_hz, sample_rate_hz)
    bins = np.nonzero(carried)[0]
    low, high = int(bins[0]), int(bins[-1]) + 1
    inside = frequency_hz[low:high]
    loss = -air.absorption_np_m(inside)
    speed = air.sound_speed_m_s
    wavenumber = 2.0 * math.pi * inside / speed
    beams = None if directivity is None else directivity.cosine(ways.launch)
    total = np.zeros((count, design // 2 + 1), dtype=np.complex128)
    faded = np.empty_like(inside)
    for way in range(len(ways.receiver)):
        np.exp(loss * ways.length_m[way], out=faded)
        faded *= ways.amplitude[way]
        if ways.detour_m[way] > 0.0:
            faded *= screen_amplitude(float(ways.detour_m[way]), inside, speed)
        if directivity is not None and beams is not None:
            faded *= directivity.amplitude(float(beams[way]), wavenumber)
        turn = -2.0 * math.pi * (ways.delay_s[way] * sample_rate_hz + lead) / design
        total[ways.receiver[way], low:high] += faded * phasor(turn, high)[low:]
    total *= carried
    responses: FloatArray = fft.irfft(total, n=design, axis=1)[:, :length]
    return np.ascontiguousarray(responses), lead


def _joined(first: Ways, second: Ways) -> Ways:
    return Ways(
        np.concatenate([first.receiver, second.receiver]),
        np.concatenate([first.delay_s, second.delay_s]),
        np.concatenate([first.length_m, second.length_m]),
        np.concatenate([first.amplitude, second.amplitude]),
        np.concatenate([first.detour_m, second.detour_m]),
        np.concatenate([first.launch, second.launch]),
    )
