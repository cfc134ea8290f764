"""Geodesics on shells: closed forms, brute force over junctions and meshes, reciprocity, spreading, crossings."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse.csgraph import dijkstra

from sim.world.structure.box import BoxShell
from sim.world.structure.paths import Joint, Joints, Shell, SurfacePath
from sim.world.structure.revolution import RevolutionShell, cylinder
from sim.world.structure.sphere import SphereShell
from tests.support.panel import PanelShell

FloatArray = NDArray[np.float64]

R, L = 2.1, 8.0
HULL = cylinder(R, L)
NONE = Joints()
VESSEL = ((0.0, 0.5), (1.0, 1.2), (3.0, 1.2), (4.0, 0.4))  # cone, cylinder, cone, open at both ends
BODY = RevolutionShell(VESSEL)
BOX = BoxShell((1.2, 0.7, 0.5))
ANGLES = st.floats(-math.pi, math.pi)


def around(x_m: float, radius_m: float, angle_rad: float) -> FloatArray:
    return np.array([x_m, radius_m * math.cos(angle_rad), radius_m * math.sin(angle_rad)])


def side(x_m: float, angle_rad: float) -> FloatArray:
    return around(x_m, R, angle_rad)


def joints_of(path: SurfacePath, joint: Joint) -> list[float]:
    return [crossing.distance_m for crossing in path.crossings if crossing.joint is joint]


@settings(max_examples=40, deadline=None)
@given(st.floats(0.0, L), st.floats(0.0, L), ANGLES, ANGLES)
def test_helices_on_a_cylinder(x_m: float, end_m: float, angle: float, end: float) -> None:
    shell = RevolutionShell(((0.0, R), (L, R)))
    apart = (end - angle + math.pi) % math.tau - math.pi
    expected = sorted(math.hypot(end_m - x_m, R * (apart + math.tau * n)) for n in (-1, 0, 1))
    paths = shell.paths(side(x_m, angle), side(end_m, end), NONE)
    assert {path.wraps for path in paths} == {-1, 0, 1}
    for path, length_m in zip(paths, expected, strict=True):
        # the ends are moved by up to 1 um along the axis and 1 nrad about it
        assert path.length_m == pytest.approx(max(length_m, 0.01), abs=1.1e-6 + R * 1e-9)
        assert path.spreading_m == pytest.approx(path.length_m, rel=1e-6)
        assert path.foci == 0


def test_ribs_stringers_and_seams_are_crossed_where_they_stand() -> None:
    joints = Joints((3.0, 4.0, 6.0), (1.0,), (3.5,), (-3.0, 2.5))
    direct, other = HULL.paths(side(2.0, 0.3), side(5.0, 2.0), joints)[:2]
    slope = direct.length_m / 3.0
    assert joints_of(direct, Joint.RIB) == pytest.approx([slope, direct.length_m * 0.7 / 1.7, 2.0 * slope], rel=1e-7)
    assert joints_of(direct, Joint.SEAM) == pytest.approx([1.5 * slope], rel=1e-7)
    back = math.tau - 1.7  # the other way round: from 0.3 down to 2.0 - 2 pi, over -3 and 2.5 - 2 pi
    at = [other.length_m * share for share in (3.3 / back, (0.3 - 2.5 + math.tau) / back, 0.5)]
    assert other.wraps == -1
    assert joints_of(other, Joint.SEAM) == pytest.approx(sorted(at), rel=1e-7)


def test_straight_over_a_flat_end_and_past_its_middle() -> None:
    start, end = np.array([0.0, 1.0, 0.2]), np.array([0.0, -0.8, 0.9])
    direct = HULL.paths(start, end, NONE)[0]
    assert direct.length_m == pytest.approx(float(np.linalg.norm(end - start)), abs=1e-6)
    assert direct.spreading_m == pytest.approx(direct.length_m, rel=1e-6)
    assert direct.crossings == ()
    across = HULL.paths(np.array([0.0, 1.0, 0.0]), np.array([0.0, -1.0, 0.0]), NONE)[0]
    assert across.length_m == pytest.approx(2.0, abs=1e-5)
    centre = HULL.paths(np.zeros(3), side(1.0, 0.5), NONE)[0]
    assert centre.length_m == pytest.approx(R + 1.0, abs=2e-6)
    assert len(joints_of(centre, Joint.EDGE)) == 1


@pytest.mark.parametrize(("x_m", "end_m", "apart"), [(0.3, 0.5, math.pi - 0.2), (0.2, 0.9, 2.6), (7.8, 7.5, 2.9)])
def test_over_a_flat_end_as_the_shortest_of_all_ways_over_its_rim(x_m: float, end_m: float, apart: float) -> None:
    from_end, to_end = (min(x, L - x) for x in (x_m, end_m))

    def length_m(rim: FloatArray) -> float:
        disc = 2.0 * R * abs(math.sin((rim[1] - rim[0]) / 2.0))
        return math.hypot(from_end, R * rim[0]) + disc + math.hypot(to_end, R * (apart - rim[1]))

    best = minimize(length_m, [0.1, apart - 0.1], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13})
    paths = HULL.paths(side(x_m, 0.4), side(end_m, 0.4 + apart), NONE)
    over = next(path for path in paths if len(joints_of(path, Joint.EDGE)) == 2)
    assert over.length_m == pytest.approx(best.fun, abs=1e-6)
    assert over is paths[0]
    assert joints_of(over, Joint.EDGE)[0] == pytest.approx(math.hypot(from_end, R * best.x[0]), abs=1e-5)


def sector_m(start: tuple[float, float], end: tuple[float, float], swept: float) -> float:
    """Straight line between two circles of a frustum laid flat; `start` and `end` are (x, r)."""
    slant = math.hypot(end[0] - start[0], end[1] - start[1])
    sine = (end[1] - start[1]) / slant
    if sine == 0.0:
        return math.hypot(slant, start[1] * swept)
    near, far = start[1] / sine, end[1] / sine
    return math.sqrt(near**2 + far**2 - 2.0 * near * far * math.cos(swept * sine))


@pytest.mark.parametrize("apart", [0.0, 0.5, 1.5, -2.5])
def test_over_two_cones_and_a_cylinder_as_the_shortest_over_the_junctions(apart: float) -> None:
    stations = [(0.4, 0.78), VESSEL[1], VESSEL[2], (3.75, 0.6)]

    def length_m(angles: FloatArray) -> float:
        turned = [0.0, *angles, apart]
        return sum(sector_m(stations[i], stations[i + 1], turned[i + 1] - turned[i]) for i in range(3))

    best = minimize(length_m, [apart / 3, apart * 2 / 3], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-13})
    path = BODY.paths(around(0.4, 0.78, 1.0), around(3.75, 0.6, 1.0 + apart), NONE)[0]
    assert path.wraps == 0
    assert path.length_m == pytest.approx(best.fun, abs=1e-7)
    assert [c.joint for c in path.crossings] == [Joint.EDGE, Joint.EDGE]  # 35 and 39 degrees


def test_on_a_cone_the_straight_line_of_its_sector() -> None:
    cone = RevolutionShell(((0.0, 0.0), (2.0, 1.0)))
    sine = 1.0 / math.sqrt(5.0)
    paths = cone.paths(around(1.0, 0.5, 0.2), around(1.6, 0.8, 2.2), NONE)
    near, far = 0.5 / sine, 0.8 / sine
    for path, swept in zip(paths, (2.0, math.tau - 2.0), strict=True):  # 2 pi + 2 would sweep more than pi of sector
        expected = math.sqrt(near**2 + far**2 - 2.0 * near * far * math.cos(swept * sine))
        assert path.length_m == pytest.approx(expected, abs=1e-6)
        assert path.spreading_m == pytest.approx(expected, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 3.99), st.floats(0.01, 3.99), ANGLES, ANGLES)
def test_ways_are_the_same_both_ways_round(x_m: float, end_m: float, angle: float, end: float) -> None:
    radius = dict.fromkeys((x_m, end_m), 0.0)
    for x in radius:
        radius[x] = float(np.interp(x, *np.array(VESSEL).T))
    one, other = around(x_m, radius[x_m], angle), around(end_m, radius[end_m], end)
    joints = Joints((1.5, 2.5))
    there, back = BODY.paths(one, other, joints), BODY.paths(other, one, joints)
    direct, returning = there[0], back[0]
    assert direct.length_m == pytest.approx(returning.length_m, abs=3e-6)
    if abs(x_m - end_m) > 0.01:  # between points on one circle the nudge chooses who is where
        assert direct.spreading_m == pytest.approx(returning.spreading_m, rel=1e-3)
        assert len(direct.crossings) == len(returning.crossings)


def test_spreading_follows_from_how_the_length_changes() -> None:
    # Hamilton's optics: d2 L / (ds dr) = -1 / J for moves across the ray at its ends. L depends on the swept angle, its
    # first derivative is Clairaut's constant, and a move of d phi along a circle is q d phi across the ray.
    start, radii, apart, step = around(0.4, 0.78, 0.0), (0.78, 0.6), 0.9, 0.01
    lengths = [BODY.paths(start, around(3.75, radii[1], apart + i * step), NONE)[0].length_m for i in (-1, 0, 1)]
    c = (lengths[2] - lengths[0]) / (2.0 * step)
    bend = (lengths[2] - 2.0 * lengths[1] + lengths[0]) / step**2
    expected = math.sqrt(radii[0] ** 2 - c**2) * math.sqrt(radii[1] ** 2 - c**2) / bend
    # differences: step^2 / 12 of the fourth derivative over the second (both of the order of 1): 1e-4
    assert BODY.paths(start, around(3.75, radii[1], apart), NONE)[0].spreading_m == pytest.approx(expected, rel=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 3.0), ANGLES)
def test_great_circles_both_ways(theta: float, turn: float) -> None:
    sphere = SphereShell(2.0)
    start, across = np.array([1.0, 0.0, 0.0]), np.array([0.0, math.cos(turn), math.sin(turn)])
    paths = sphere.paths(2.0 * start, 2.0 * (math.cos(theta) * start + math.sin(theta) * across), NONE)
    expected = [2.0 * theta, 2.0 * (math.tau - theta), 2.0 * (math.tau + theta)]
    assert [path.length_m for path in paths] == pytest.approx(expected, rel=1e-9)
    assert [path.foci for path in paths] == [0, 1, 2]
    assert paths[0].spreading_m == pytest.approx(max(2.0 * math.sin(theta), 2.0 * theta / 9.0), rel=1e-9)


def test_a_great_circle_crosses_a_rib_and_may_return() -> None:
    sphere = SphereShell(2.0)
    start, end = around(1.0, math.sqrt(3.0), 0.0), around(1.0, math.sqrt(3.0), 2.0)
    direct = sphere.paths(start, end, Joints((1.1,), (1.0,)))[0]
    assert len(joints_of(direct, Joint.RIB)) == 3  # up over x = 1.1, the stringer in the middle, down again
    assert joints_of(direct, Joint.RIB)[1] == pytest.approx(direct.length_m / 2.0, rel=1e-4)


def test_many_frusta_are_a_sphere() -> None:
    steps = np.linspace(0.0, math.pi, 121)
    profile = tuple((float(-2.0 * math.cos(a)), float(2.0 * math.sin(a))) for a in steps[1:-1])
    dome = RevolutionShell(((-2.0, 0.0), *profile, (2.0, 0.0)))
    start, end = around(-1.2, 1.6, 0.3), around(1.0, math.sqrt(3.0), 1.9)
    exact, found = SphereShell(2.0).paths(start, end, NONE, 0)[0], dome.paths(start, end, NONE, 0)[0]
    # chords of 0.026 rad are shorter than their arcs by 3e-5; the pencil sees the curvature in 73 lumps
    assert found.length_m == pytest.approx(exact.length_m, rel=1e-3)
    assert found.spreading_m == pytest.approx(exact.spreading_m, rel=0.02)
    assert dome.area_m2 == pytest.approx(SphereShell(2.0).area_m2, rel=1e-3)


def test_the_spider_and_the_fly() -> None:
    room = BoxShell((30.0, 12.0, 12.0))
    path = room.paths(np.array([0.0, 6.0, 11.0]), np.array([30.0, 6.0, 1.0]), NONE)[0]
    assert path.length_m == pytest.approx(40.0, abs=1e-9)  # Dudeney 1903: over five of the six faces
    assert len(joints_of(path, Joint.EDGE)) == 4


def meshed_m(start: FloatArray, end: FloatArray) -> float:
    """Shortest way over points every 1 % of every edge of the box."""
    size, share = np.array(BOX.size_m), np.linspace(0.0, 1.0, 101)
    points = [start[None], end[None]]
    for axis in range(3):
        first, second = (other for other in range(3) if other != axis)
        for low in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)):
            edge = np.empty((101, 3))
            edge[:, axis], edge[:, first], edge[:, second] = share, low[0], low[1]
            points.append(edge * size)
    nodes = np.vstack(points)
    on = np.concatenate([np.isclose(nodes, 0.0), np.isclose(nodes, size)], axis=1).astype(float)
    apart = np.linalg.norm(nodes[:, None] - nodes[None], axis=2)
    joined: FloatArray = np.where(on @ on.T > 0.0, apart, 0.0)
    return float(dijkstra(joined, indices=np.array([0]))[0, 1])


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ((0.3, 0.2, 0.0), (1.0, 0.6, 0.0)),
        ((0.3, 0.2, 0.0), (0.0, 0.5, 0.4)),
        ((0.3, 0.2, 0.0), (0.9, 0.1, 0.5)),
        ((0.0, 0.1, 0.1), (1.2, 0.6, 0.4)),
    ],
)
def test_on_a_box_the_shortest_over_a_mesh(start: tuple[float, ...], end: tuple[float, ...]) -> None:
    mesh_m = meshed_m(np.array(start), np.array(end))
    path = BOX.paths(np.array(start), np.array(end), NONE)[0]
    # a node is at most 6 mm beside the true crossing of an edge: up to 4 * (6 mm)^2 / (2 * 0.1 m) longer, never shorter
    assert path.length_m - 1e-9 <= mesh_m <= path.length_m + 8e-4
    back = BOX.paths(np.array(end), np.array(start), NONE)[0]
    assert back.length_m == pytest.approx(path.length_m, rel=1e-12)


def test_ribs_across_a_box_are_crossed_on_every_face() -> None:
    joints = Joints((0.5, 0.7))
    path = BOX.paths(np.array([0.3, 0.2, 0.0]), np.array([0.9, 0.2, 0.0]), joints)[0]
    assert joints_of(path, Joint.RIB) == pytest.approx([0.2, 0.4], rel=1e-9)
    over = BOX.paths(np.array([0.3, 0.0, 0.1]), np.array([0.9, 0.2, 0.0]), joints)[0]
    assert over.length_m == pytest.approx(math.hypot(0.6, 0.3), rel=1e-9)
    assert joints_of(over, Joint.RIB) == pytest.approx([over.length_m / 3.0, over.length_m * 2.0 / 3.0], rel=1e-9)
    assert all(path.length_m <= longer.length_m for path, longer in pairwise([path, *BOX.paths(*CORNERS, joints)][1:]))


CORNERS = (np.array([0.1, 0.1, 0.0]), np.array([1.1, 0.6, 0.5]))


def test_a_panel_has_one_way() -> None:
    panel = PanelShell((1.0, 0.6))
    (path,) = panel.paths(np.array([0.1, 0.1, 0.0]), np.array([0.7, 0.5, 0.001]), Joints((0.4,)))
    assert path.length_m == pytest.approx(math.hypot(0.6, 0.4), rel=1e-5)
    assert joints_of(path, Joint.RIB) == pytest.approx([path.length_m / 2.0], rel=1e-9)
    assert panel.area_m2 == pytest.approx(0.6)
    with pytest.raises(ValueError, match="no axis"):
        panel.paths(np.array([0.1, 0.1, 0.0]), np.array([0.7, 0.5, 0.0]), Joints(stringers_rad=(0.0,)))


@pytest.mark.parametrize(
    ("shell", "good"),
    [
        (HULL, side(1.0, 0.0)),
        (SphereShell(2.0), np.array([2.0, 0.0, 0.0])),
        (BOX, np.zeros(3)),
        (PanelShell((1.0, 1.0)), np.zeros(3)),
    ],
)
def test_refuses_points_off_the_skin_and_endless_wraps(shell: Shell, good: FloatArray) -> None:
    with pytest.raises(ValueError, match=r"skin|panel"):
        shell.paths(good, np.array([0.5, 0.5, 0.3]), NONE)
    with pytest.raises(ValueError, match="turn"):
        shell.paths(good, good, NONE, 4)


def test_areas() -> None:
    assert HULL.area_m2 == pytest.approx(math.tau * R * (L + R))
    assert BOX.area_m2 == pytest.approx(2 * (0.84 + 0.35 + 0.6))


@pytest.mark.parametrize("profile", [((0.0, 1.0),), ((0.0, 1.0), (1.0, 0.0), (2.0, 1.0)), ((0.0, 1.0), (0.0, 1.0))])
def test_refuses_profiles_that_are_none(profile: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="profile"):
        RevolutionShell(profile)
