"""Expected radius, blind spots, rivals and the worth of nodes, against the real locator and closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from controller.localize.forward import SurveyErrors, sound_speed
from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.region import radius95_m
from controller.localize.verdict import Fix
from controller.measure.coherence import CoherentGroup, coherent_groups
from controller.plan.bound import Bounds, Surveyed, bounds, group_bound
from controller.plan.hearing import BANDS, Air, Listening, Noise, heard
from controller.plan.map import Blind, Question, group_at, map_of, spots
from controller.plan.nodes import TETRAHEDRON, additions, losses, places, shape_of, wirings
from controller.plan.plan import Asked, affordable_spacing_m, plan
from controller.plan.source import Leak
from controller.plan.standing import pooled
from firmware_bridge.site.survey import Site
from tests.support.hearing import (
    BOX,
    CYLINDER,
    RATE_HZ,
    ROOM,
    SAMPLES,
    SPEED_M_S,
    Listener,
    Source,
    array_site,
    box_site,
)

TEMPERATURE_K = 273.15 * (SPEED_M_S / 331.3) ** 2
HERE = (1.2, 2.4, 0.8)
POINTS = np.array([HERE, (0.0, 1.2, 1.0), (2.0, 1.0, 0.0)])
FLAT = np.array([[-1.0, -1, 0], [-1, 1, 0], [1, -1, 0], [1, 1, 0]]) * 0.05


def known_of(site: Site) -> Surveyed:
    survey = SurveyErrors(site.survey.microphone_sigma_m, site.survey.hull_sigma_m)
    return Surveyed(survey, *sound_speed(TEMPERATURE_K, site.survey.temperature_sigma_k))


def expected(site: Site, points_m: NDArray[np.float64], ratio: float, bursts: float = 4.0) -> Bounds:
    """Bounds for white noise of one ratio of powers at all microphones."""
    hull, known = site.compartment(ROOM).hull, known_of(site)
    assert hull is not None
    parts = []
    for group in coherent_groups(site, ROOM):
        delay_s = np.linalg.norm(points_m[:, None] - group.position_m, axis=2) / known.sound_speed_m_s
        snr = np.full((*delay_s.shape, BANDS), ratio)
        parts.append(
            group_bound(group, heard(group, snr, delay_s, Listening(bursts, SAMPLES, RATE_HZ)), points_m, known)
        )
    return bounds(parts, hull.outward(points_m), known)


def question_of(site: Site, *, noise_db: float = 37.0, leak_m: float = 1e-3) -> Question:
    hull = site.compartment(ROOM).hull
    assert hull is not None
    air = Air(TEMPERATURE_K, 101_325.0, 0.5)
    leak = Leak(leak_m, 101_325.0, TEMPERATURE_K)
    return Question(hull, known_of(site), leak, Noise(noise_db), air, Listening(10.0))


def misplaced(site: Site, random: np.random.Generator) -> Site:
    """The site as it stands: each microphone off by what the survey admits."""
    sigma = site.survey.microphone_sigma_m
    nodes = []
    for node in site.nodes:
        sensors = []
        for sensor in node.sensors:
            assert sensor.position_m is not None
            x, y, z = (float(v) for v in np.array(sensor.position_m) + random.normal(0.0, sigma, 3))
            sensors.append(replace(sensor, position_m=(x, y, z)))
        nodes.append(replace(node, sensors=tuple(sensors)))
    return replace(site, nodes=tuple(nodes))


def located(site: Site, at: NDArray[np.float64], rms: float, random: np.random.Generator) -> Fix:
    captures = Listener(misplaced(site, random), random).captures([Source(tuple(at), rms)], 4)
    verdict = Locator(site, ROOM, Settings()).locate(LocateJob(captures, (), TEMPERATURE_K))
    assert isinstance(verdict, Fix), verdict
    return verdict


@pytest.mark.parametrize("row", [0, 1, 2])
def test_the_radius_is_what_the_locator_tells(row: int) -> None:
    """Both linearise the same models; they differ by the delays' own noise, a tenth of the survey's here."""
    site = box_site()
    fix = located(site, POINTS[row], 1.0, np.random.default_rng(row))
    assert expected(site, POINTS[[row]], 1.0).radius95_m[0] == pytest.approx(fix.radius95_m, rel=0.1)


@pytest.mark.statistical
@pytest.mark.parametrize("rms", [1.0, 0.3])
@pytest.mark.parametrize("row", [0, 1, 2])
def test_the_radius_is_what_errors_turn_out_to_be(row: int, rms: float) -> None:
    """Root mean squares of 30 errors are known to 13 %; the thermometer is exact here, its sigma allowed for."""
    site, at, random = box_site(), POINTS[row], np.random.default_rng(100 + row)
    hull = site.compartment(ROOM).hull
    assert hull is not None
    off = np.array([located(site, at, rms, random).position_m for _ in range(30)]) - at
    found = radius95_m(off.T @ off / len(off), hull.outward(at[None])[0])
    assert 1 / 1.5 < expected(site, at[None], rms**2).radius95_m[0] / found < 1.6


@pytest.mark.parametrize(("sigma_m", "rms"), [(2e-3, 0.12), (1e-5, 0.10)])
def test_the_standing_is_what_the_search_finds(sigma_m: float, rms: float) -> None:
    """A survey of 2 mm halves the standing of faint sound; 190 pairs know it to 1, the formula is good to 5 %."""
    site, random = box_site(), np.random.default_rng(3)
    site = replace(site, survey=site.survey.model_copy(update={"microphone_sigma_m": sigma_m}))
    captures = Listener(misplaced(site, random), random).captures([Source(HERE, rms)], 8)
    verdict = Locator(site, ROOM, Settings()).locate(LocateJob(captures, (), TEMPERATURE_K))
    found = max(place.standing for place in verdict.candidates)
    assert expected(site, POINTS[[0]], rms**2, 8.0).standing[0] == pytest.approx(found, rel=0.3)


def test_the_highest_of_several_tells_less_as_drawn() -> None:
    random = np.random.default_rng(0)
    for chances in (1, 2, 3, 5, 8):
        noise = random.standard_normal((40_000, chances))
        alone = noise.max(axis=1)
        for height in (0.5, 1.0, 2.0, 4.0, 10.0):
            lifted = noise.copy()
            lifted[:, 0] += height
            drawn = (lifted.max(axis=1).mean() - alone.mean()) / alone.std()
            assert pooled(np.array(height), float(chances)) == pytest.approx(drawn, rel=0.04, abs=0.07)


def test_the_radius_in_closed_form_for_a_source_over_the_middle_of_a_cross() -> None:
    """Four microphones at +-a in x and y, h below: each pair across tells u by 2 (a/r) u / c to sqrt(2) s / c."""
    a, h, sigma = 0.5, 1.0, 0.002
    position = np.array([[a, 0.0, 0.0], [-a, 0, 0], [0, a, 0], [0, -a, 0]])
    group = CoherentGroup("g", tuple("abcd"), ("N",) * 4, position, 0.0)
    known = Surveyed(SurveyErrors(sigma, 1e-6), SPEED_M_S, 1e-6)
    points = np.array([[0.0, 0.0, h]])
    delay_s = np.full((1, 4), np.hypot(a, h) / SPEED_M_S)
    loud = heard(group, np.full((1, 4, BANDS), 1e4), delay_s, Listening(1e4))
    normal = np.array([[0.0, 0.0, 1.0]])
    found = bounds([group_bound(group, loud, points, known)], normal, known)
    across = sigma * np.sqrt(2.0) / (2.0 * a / np.hypot(a, h))
    # the peaks' floor of 0.3 us, 0.1 mm, adds in squares 0.2 %
    assert found.radius95_m[0] == pytest.approx(np.sqrt(5.991) * across, rel=0.005)


def test_mirrored_places_have_mirrored_radii() -> None:
    site = array_site(BOX, {"A": (0.4, 1.2, 1.0), "B": (2.6, 1.2, 1.0)}, shape=FLAT)
    found = expected(site, np.array([[0.0, 0.5, 0.6], [3.0, 1.9, 1.4]]), 1.0)
    assert found.radius95_m[0] == pytest.approx(found.radius95_m[1], rel=1e-9)


def test_more_bursts_tell_more_and_faint_sound_scales_with_their_root() -> None:
    site = box_site()
    known = site.survey.model_copy(update={"microphone_sigma_m": 1e-6, "hull_sigma_m": 1e-6})
    exact = replace(site, survey=known.model_copy(update={"temperature_sigma_k": 1e-6, "trigger_sigma_s": 1e-12}))
    faint = [expected(exact, POINTS, 0.01, bursts) for bursts in (40.0, 160.0, 640.0)]
    assert np.all(faint[0].radius95_m > faint[1].radius95_m)
    assert np.all(faint[1].radius95_m > faint[2].radius95_m)
    assert faint[1].standing == pytest.approx(2.0 * faint[0].standing, rel=0.02)  # survey all but exact


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(st.floats(0.1, 2.9), st.floats(0.1, 2.3), st.floats(0.1, 1.9)),
    st.booleans(),
    st.sampled_from([37.0, 70.0, 85.0]),
)
def test_one_node_more_never_worsens_the_bound(at: tuple[float, float, float], alone: bool, noise_db: float) -> None:
    centres = {"A": (0.3, 0.3, 0.3), "B": (2.7, 0.4, 1.6)}
    fewer = array_site(BOX, centres)
    more = array_site(BOX, {**centres, "C": at}, alone=["C"] if alone else [])
    question = question_of(fewer, noise_db=noise_db)
    points = question.hull.grid(0.6)
    before, after = (
        bounds(
            [group_at(question, g, points) for g in coherent_groups(s, ROOM)],
            question.hull.outward(points),
            question.known,
        )
        for s in (fewer, more)
    )
    # The wider a group, the more its bursts are faded: by 11 instead of 7 ms of 85 at either end from corner to corner.
    assert np.all(after.radius95_m <= before.radius95_m * (1.04 if noise_db > 50.0 else 1.002))
    assert np.all(after.standing >= before.standing * 0.96)


def test_a_lone_node_tells_bearings_and_a_pair_of_microphones_nothing() -> None:
    """A bearing's sigma is sqrt(2) x 2 mm over an aperture: the radius grows as the distance."""
    alone = expected(array_site(BOX, {"A": (0.5, 1.2, 1.0)}), np.array([[0.0, 1.2, 1.0], [3.0, 1.2, 1.0]]), 1.0)
    assert alone.radius95_m[1] / alone.radius95_m[0] == pytest.approx(2.5 / 0.5, rel=0.1)
    pair = array_site(BOX, {"A": (0.5, 1.2, 1.0)}, shape=FLAT[:2])
    question = question_of(pair)
    points = question.hull.grid(0.4)
    drawn = map_of(question, [group_at(question, g, points) for g in coherent_groups(pair, ROOM)], points)
    assert set(drawn.blind) == {Blind.TOO_FEW}
    assert drawn.share_within(100.0) == 0.0
    assert not np.isfinite(drawn.quantile_m(0.5))
    assert sum(spot.area_m2 for spot in spots(drawn, question.hull)) == pytest.approx(question.hull.area_m2)


def test_a_flat_array_half_way_up_cannot_tell_floor_from_ceiling() -> None:
    site = array_site(BOX, {"A": (0.8, 1.0, 1.0), "B": (2.2, 1.5, 1.0)}, shape=FLAT)
    question = question_of(site)
    points = np.array([[1.3, 1.4, 0.0], [0.5, 2.0, 2.0], [1.0, 0.0, 0.5], [3.0, 1.2, 1.0]])
    drawn = map_of(question, [group_at(question, g, points) for g in coherent_groups(site, ROOM)], points)
    assert drawn.blind[:3].tolist() == [Blind.AMBIGUOUS] * 3
    assert drawn.rivals.position_m[:3] == pytest.approx(points[:3] * [1, 1, -1] + [0, 0, 2.0], abs=0.02)
    assert drawn.rivals.sigmas[:3] == pytest.approx(0.0, abs=0.05)
    assert drawn.rivals.sigmas[3] > 4.0  # in the plane itself: its own mirror image
    solid = array_site(BOX, {"A": (0.8, 1.0, 1.0), "B": (2.2, 1.5, 1.0)})
    clear = map_of(question, [group_at(question, g, points) for g in coherent_groups(solid, ROOM)], points)
    assert not clear.blind.any()


def test_noise_makes_places_far_away_too_quiet_first() -> None:
    site = array_site(CYLINDER, {"A": (0.3, 0.5, 0.5), "B": (0.3, -0.5, 0.5)})
    question = question_of(site, noise_db=86.0)
    points = question.hull.grid(0.2)
    drawn = map_of(question, [group_at(question, g, points) for g in coherent_groups(site, ROOM)], points)
    quiet = drawn.blind == Blind.TOO_QUIET
    assert quiet.any()
    assert not quiet.all()
    assert points[quiet, 0].mean() > points[~quiet, 0].mean() + 0.5
    assert drawn.bounds.standing[quiet].max() < Settings().min_standing


def test_what_nodes_are_worth() -> None:
    site = array_site(BOX, {"A": (0.3, 0.3, 0.3), "B": (2.7, 0.4, 1.6), "C": (0.4, 2.1, 1.7)}, alone=["C"])
    question = question_of(site)
    points = question.hull.grid(0.4)
    groups = [group_at(question, g, points) for g in coherent_groups(site, ROOM)]
    before = map_of(question, groups, points)
    centres = places(question.hull, TETRAHEDRON, 12)
    steps: list[int] = []
    found = additions(question, groups, points, centres, 1e-7, steps.append)
    assert len(found) == 3
    assert [more.log_radius for more in found] == sorted(more.log_radius for more in found)
    assert found[0].wired.quantile_m(0.5) < found[0].alone.quantile_m(0.5) < before.quantile_m(0.5)
    assert sum(steps) == len(centres) + 6
    (wiring,) = wirings(question, groups, points, 1e-7)
    assert wiring.nodes == ("C",)
    assert wiring.drawn.log_radius < before.log_radius
    lost = losses(question, groups, points, steps.append)
    assert {loss.node for loss in lost} == {"A", "B", "C"}
    assert lost[0].drawn.log_radius >= lost[-1].drawn.log_radius > before.log_radius


def test_a_lost_node_is_as_if_it_had_never_been() -> None:
    centres = {"A": (0.3, 0.3, 0.3), "B": (2.7, 0.4, 1.6), "C": (0.4, 2.1, 1.7)}
    whole, rest = array_site(BOX, centres), array_site(BOX, {k: v for k, v in centres.items() if k != "B"})
    question = question_of(whole)
    points = question.hull.grid(0.5)
    groups, fewer = ([group_at(question, g, points) for g in coherent_groups(s, ROOM)] for s in (whole, rest))
    lost = {loss.node: loss.drawn for loss in losses(question, groups, points, lambda _: None)}
    assert lost["B"].bounds.radius95_m == pytest.approx(map_of(question, fewer, points).bounds.radius95_m, rel=1e-9)


@pytest.mark.parametrize("hull", [BOX, CYLINDER])
def test_places_for_nodes_are_inside_with_all_their_microphones(hull: dict[str, object]) -> None:
    body = array_site(hull, {"A": (0.5, 0.5, 0.5)}).compartment(ROOM).hull
    assert body is not None
    at = places(body, TETRAHEDRON, 40)
    assert len(at) >= 30
    assert body.signed_distance_m((at[:, None] + TETRAHEDRON).reshape(-1, 3)).max() < 0.0
    assert -body.signed_distance_m(at).min() < 0.12


def test_new_nodes_are_built_as_the_sites_own_unless_those_are_flat() -> None:
    own = shape_of(coherent_groups(box_site(), ROOM))
    assert np.linalg.norm(own, axis=1) == pytest.approx(np.full(4, 0.035 * np.sqrt(3.0)))
    flat = shape_of(coherent_groups(array_site(BOX, {"A": (0.5, 0.5, 0.5)}, shape=FLAT), ROOM))
    assert flat == pytest.approx(TETRAHEDRON)


def test_large_groups_get_sparse_maps_and_too_large_ones_are_refused() -> None:
    shape = np.random.default_rng(0).uniform(-0.1, 0.1, (32, 3))
    centres = {f"N{i}": (0.3 + 0.3 * i, 1.2, 1.0) for i in range(9)}
    crowd = array_site(BOX, centres, shape=shape)
    question = question_of(crowd)
    asked = Asked(question.leak, question.noise, question.air, question.listening)
    with pytest.raises(ValueError, match="more than 256 microphones"):
        plan(crowd, ROOM, asked, lambda *_: None)
    few, many = coherent_groups(box_site(), ROOM), coherent_groups(crowd, ROOM)
    assert affordable_spacing_m(question.hull, few, 0.1) == 0.1
    assert affordable_spacing_m(question.hull, many, 0.1) > 0.3
