"""Each hull shape against closed forms and against its neighbours; what is no shape is refused; how poses turn."""

import numpy as np
import pytest

from firmware_bridge.site.box import BoxHull
from firmware_bridge.site.cylinder import CylinderHull
from firmware_bridge.site.hull import Hull
from firmware_bridge.site.placed import ROTATIONS, Axis, PlacedHull, place
from firmware_bridge.site.revolution import MAX_PROFILE_POINTS, Profile, RevolutionHull
from firmware_bridge.site.shapes import overlap
from firmware_bridge.site.sphere import SphereHull
from tests.support.hull_shapes import points_around


def dome(radius_m: float, pieces: int) -> Profile:
    angle = np.linspace(np.pi, 0, pieces + 1)
    radius = radius_m * np.sin(angle)
    radius[[0, -1]] = 0.0
    return tuple((float(x), float(r)) for x, r in zip(radius_m * np.cos(angle), radius, strict=True))


@pytest.mark.parametrize(
    ("hull", "area_m2", "volume_m3"),
    [
        (BoxHull((1.0, 2.0, 3.0)), 22.0, 6.0),
        (CylinderHull(0.5, 2.0), 2.5 * np.pi, 0.5 * np.pi),
        (SphereHull(0.5), np.pi, np.pi / 6),
        (RevolutionHull(((0.0, 3.0), (4.0, 0.0))), 24 * np.pi, 12 * np.pi),  # a cone: slant 5, base 9 pi
        (RevolutionHull(((0.0, 0.0), (4.0, 3.0), (8.0, 0.0))), 30 * np.pi, 24 * np.pi),
        # A hemisphere of 60 chords on a cylinder: they miss (pi / 120)^2 / 8 = 9e-5 of the radius, twice that of these.
        (RevolutionHull((*dome(1.0, 120)[:61], (2.0, 1.0))), 7 * np.pi, 8 / 3 * np.pi),
    ],
)
def test_area_and_volume_are_those_of_the_textbook(hull: Hull, area_m2: float, volume_m3: float) -> None:
    assert hull.area_m2 == pytest.approx(area_m2, rel=3e-4)
    assert hull.volume_m3 == pytest.approx(volume_m3, rel=3e-4)


@pytest.mark.parametrize(
    "profile_m",
    [
        ((0.0, 1.1), (2.6, 1.1)),
        ((0.0, 0.0), (0.0, 1.1), (2.6, 1.1), (2.6, 0.0)),  # its ends drawn as well
        ((0.0, 1.1), (0.7, 1.1), (1.3, 1.1), (2.6, 1.1)),
        ((0.0, 0.4), (0.0, 1.1), (2.6, 1.1), (2.6, 0.6)),
    ],
)
def test_a_level_profile_is_a_cylinder(profile_m: Profile) -> None:
    turned, cylinder = RevolutionHull(profile_m), CylinderHull(1.1, 2.6)
    points = points_around(cylinder, 1, 400)
    assert turned.signed_distance_m(points) == pytest.approx(cylinder.signed_distance_m(points), abs=1e-12)
    # Points on the axes of symmetry are as near to two walls; each shape may choose.
    assert turned.outward(points[:400]) == pytest.approx(cylinder.outward(points[:400]), abs=1e-9)
    assert turned.project(points[:400]) == pytest.approx(cylinder.project(points[:400]), abs=1e-9)
    assert turned.grid(0.3) == pytest.approx(cylinder.grid(0.3), abs=1e-12)
    wall = cylinder.grid(0.2)
    assert turned.unroll(wall) == pytest.approx(cylinder.unroll(wall), abs=1e-12)
    assert (turned.area_m2, turned.volume_m3) == pytest.approx((cylinder.area_m2, cylinder.volume_m3))
    for mine, theirs in zip(turned.outlines(), cylinder.outlines(), strict=True):
        assert mine.label == theirs.label
        assert mine.points_m == pytest.approx(theirs.points_m, abs=1e-12)


def test_many_chords_are_a_sphere() -> None:
    """150 chords of a circle of 2 m stay within 2 m x (1 - cos(pi / 300)) = 0.11 mm of it."""
    turned, sphere = RevolutionHull(dome(2.0, 150)), SphereHull(2.0)
    points = points_around(sphere, 2, 400)
    off_m = turned.signed_distance_m(points) - sphere.signed_distance_m(points)
    assert off_m.min() > -1e-9
    assert off_m.max() < 2.0 * (1 - np.cos(np.pi / 300)) + 1e-9
    wall = sphere.grid(0.2)
    # The picture begins where the profile does, at x = -2 m; a quarter of the sphere's circumference is pi.
    assert turned.unroll(wall) - [np.pi - 2.0, 0.0] == pytest.approx(sphere.unroll(wall), abs=2e-3)
    # Normals of chords are off by half a chord's angle.
    assert (turned.outward(wall) * sphere.outward(wall)).sum(axis=1).min() > np.cos(np.pi / 300 + 1e-6)


def test_a_cone_is_as_near_as_the_right_angled_triangle_says() -> None:
    cone = RevolutionHull(((0.0, 3.0), (4.0, 0.0)))
    points = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.5], [5.0, 0.0, 0.0], [4.0, 3.0, 0.0], [-1.0, 0.0, 4.0]])
    assert cone.signed_distance_m(points) == pytest.approx([0.0, -1.0, 1.0, 2.4, np.sqrt(2)])
    assert cone.outward(points[2:4]) == pytest.approx(np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0]]))


def test_a_dent_of_rounding_is_bridged_and_a_real_one_refused() -> None:
    """A cone typed to the millimetre: at x = 2 its radius is 4/3 m, and the line from 1 to 3 passes 1.3335 m."""
    rounded = RevolutionHull(((0.0, 1.0), (1.0, 1.167), (2.0, 1.333), (3.0, 1.5), (4.0, 1.6)))
    assert float(rounded.signed_distance_m(np.array([[2.0, 1.333, 0.0]]))[0]) == pytest.approx(0.0, abs=1e-3)
    with pytest.raises(ValueError, match=r"dented: point 1 \(1, 0\.9\) lies 0\.100 m below") as refused:
        RevolutionHull(((0.0, 1.0), (1.0, 0.9), (2.0, 1.0)))
    assert "bulge" in str(refused.value)


@pytest.mark.parametrize(
    ("profile_m", "why"),
    [
        (((0.0, 1.0),), "has 2 to 200 points"),
        (dome(1.0, MAX_PROFILE_POINTS), "not 201"),
        (((0.0, 1.0), (1.0, -0.1)), r"point 1 .* negative radius"),
        (((0.0, 1.0), (1.0, 1.0), (0.9, 1.0)), "point 2 of the profile goes back in x, from 1 to 0.9"),
        (((0.0, 1.0), (0.0, 2.0)), "0 m long"),
        (((0.0, 0.0), (2.0, 0.01)), "0.01 m in radius"),
    ],
)
def test_what_is_no_profile_is_refused(profile_m: Profile, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        RevolutionHull(profile_m)


@pytest.mark.parametrize(
    ("axis", "x_to", "y_to", "z_to"),
    [
        ("+x", (1, 0, 0), (0, 1, 0), (0, 0, 1)),
        ("-x", (-1, 0, 0), (0, -1, 0), (0, 0, 1)),
        ("+y", (0, 1, 0), (-1, 0, 0), (0, 0, 1)),
        ("-y", (0, -1, 0), (1, 0, 0), (0, 0, 1)),
        ("+z", (0, 0, 1), (0, 1, 0), (-1, 0, 0)),
        ("-z", (0, 0, -1), (0, 1, 0), (1, 0, 0)),
    ],
)
def test_each_axis_turns_the_hull_as_the_conventions_say(
    axis: Axis, x_to: tuple[int, ...], y_to: tuple[int, ...], z_to: tuple[int, ...]
) -> None:
    hull = PlacedHull(BoxHull((3.0, 2.0, 1.0)), (10.0, 20.0, 30.0), ROTATIONS[axis])
    assert hull.vectors_to_site(np.eye(3)).tolist() == [list(x_to), list(y_to), list(z_to)]
    assert hull.to_site(np.array([[3.0, 0.0, 0.0]])).tolist() == [list(np.array([10, 20, 30]) + 3 * np.array(x_to))]
    low, high = hull.corners_m
    assert sorted(high - low) == [1.0, 2.0, 3.0]


def test_a_pose_that_changes_nothing_is_the_bare_hull() -> None:
    hull = SphereHull(1.0)
    assert place(hull, (0.0, 0.0, 0.0), "+x") is hull
    assert place(hull, (0.0, 0.0, 1.0), "+x") == PlacedHull(hull, (0.0, 0.0, 1.0), ROTATIONS["+x"])
    assert place(hull, (0.0, 0.0, 0.0), "-z") == PlacedHull(hull, (0.0, 0.0, 0.0), ROTATIONS["-z"])


def test_a_pose_neither_mirrors_nor_stretches() -> None:
    with pytest.raises(ValueError, match="mirrors"):
        PlacedHull(SphereHull(1.0), (0.0, 0.0, 0.0), ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    with pytest.raises(ValueError, match="stretches"):
        PlacedHull(SphereHull(1.0), (0.0, 0.0, 0.0), ((2.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))


def test_a_placed_picture_says_whose_coordinates_its_labels_give() -> None:
    placed = place(CylinderHull(1.0, 4.0), (7.0, 0.0, 0.0), "+y")
    labels = [face.label for face in placed.outlines()]
    assert labels == ["side", "end at x = 0 (own frame)", "end at x = 4 m (own frame)"]


def test_a_cylinders_seam_and_ends_are_where_the_document_says() -> None:
    hull = CylinderHull(radius_m=1.0, length_m=4.0)
    flat = hull.unroll(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [4.0, 0.0, 0.5]]))
    assert flat[0] == pytest.approx([1.0, 0.0])
    assert flat[1] == pytest.approx([1.0, np.pi / 2])
    assert flat[2] == pytest.approx([-1.08, 0.0])
    assert flat[3] == pytest.approx([5.08, 0.5])


def test_a_cylinders_ends_are_folded_out_at_the_line_of_y() -> None:
    """Where side and end meet at +y, their pictures meet but for the gap between them."""
    hull = CylinderHull(radius_m=1.0, length_m=4.0)
    flat = hull.unroll(np.array([[0.0, 0.99, 0.1], [0.0, -0.99, 0.1], [4.0, 0.99, 0.1], [4.0, -0.99, 0.1]]))
    assert flat == pytest.approx(np.array([[-0.09, 0.1], [-2.07, 0.1], [4.09, 0.1], [6.07, 0.1]]))


def test_a_boxs_walls_are_folded_out_at_the_floor() -> None:
    """The net is one piece: a way up a wall or from a wall to the ceiling has no jump."""
    hull = BoxHull((4.0, 3.0, 2.0))
    rim = 1e-9
    up_the_wall = np.array([[4.0, 1.0, rim], [4.0, 1.0, 2.0 - rim], [4.0 - rim, 1.0, 2.0], [4.0 - rim, 1.0, 0.0]])
    flat = hull.unroll(up_the_wall)
    assert flat == pytest.approx(np.array([[4.0, 1.0], [6.0, 1.0], [6.0, 1.0], [4.0, 1.0]]), abs=1e-8)
    others = hull.unroll(np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.5], [1.0, 3.0, 0.5]]))
    assert others.tolist() == [[-0.5, 1.0], [1.0, -0.5], [1.0, 3.5]]


@pytest.mark.parametrize(("shared_m", "clearly"), [(-0.5, False), (0.04, False), (0.06, True), (0.9, True)])
def test_spheres_intersect_by_their_radii_less_their_distance(shared_m: float, clearly: bool) -> None:
    """Along a diagonal, where the boxes around them share much more than they do."""
    away = np.array([0.6, -0.64, 0.48]) * (3.0 - shared_m)
    near, far = SphereHull(1.0), place(SphereHull(2.0), (float(away[0]), float(away[1]), float(away[2])), "+x")
    assert overlap(near, far) is clearly
    assert overlap(far, near) is clearly


@pytest.mark.parametrize(("height_m", "clearly"), [(0.0, True), (1.92, True), (1.97, False), (2.5, False)])
def test_tubes_that_cross_intersect_where_one_lies_low_enough(height_m: float, clearly: bool) -> None:
    along = CylinderHull(1.0, 20.0)
    across = place(CylinderHull(1.0, 20.0), (10.0, -10.0, height_m), "+y")
    assert overlap(along, across) is clearly
