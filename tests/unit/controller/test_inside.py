"""Sounds inside the room are told as such, and leaks on the hull never are; by delayed noise, without room or sim."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.localize import inside
from controller.localize.attempt import CONTRADICTED
from controller.localize.locate import LocateJob, Locator, Settings
from controller.localize.verdict import Fix, NoFix, Reason, Verdict
from controller.localize.volume_search import VolumeSearch
from controller.measure.correlation import Correlations
from firmware_bridge.site.survey import Site
from tests.support.hearing import BOX, ROOM, SPEED_M_S, Listener, Source, array_site

SITE = array_site(
    BOX, {"A": (0.3, 0.3, 0.3), "B": (2.7, 0.4, 1.6), "C": (0.4, 2.1, 1.7), "D": (2.6, 2.0, 0.3)}
)  # four arrays, near four corners
LOCATOR = Locator(SITE, ROOM, Settings())
GENERATION = count()
TEMPERATURE_K = 273.15 * (SPEED_M_S / 331.3) ** 2
FAN = (1.6, 1.1, 0.9)  # in the middle: 0.9 m from the floor
LEAK = (1.2, 2.4, 0.8)


def moved(place: tuple[float, float, float] | None, by_m: NDArray[np.float64]) -> tuple[float, float, float]:
    assert place is not None
    x, y, z = np.add(place, by_m)
    return float(x), float(y), float(z)


def shaken(site: Site, sigma_m: float, seed: int) -> Site:
    """The site as it really is, where its file is off by `sigma_m` a coordinate of each microphone."""
    random = np.random.default_rng(seed)
    nodes = tuple(
        replace(
            node,
            sensors=tuple(
                replace(sensor, position_m=moved(sensor.position_m, sigma_m * random.standard_normal(3)))
                for sensor in node.sensors
            ),
        )
        for node in site.nodes
    )
    return replace(site, nodes=nodes)


def verdicts(
    *sources: Source,
    machines: Sequence[Source] = (),
    locator: Locator = LOCATOR,
    site: Site = SITE,
    seed: int = 1,
    most: int = 3,
) -> tuple[Verdict, ...]:
    """A capture of the sources after a baseline of three; `site` is the true one, the locator has the surveyed."""
    listener = Listener(site, np.random.default_rng(seed))
    quiet = listener.captures(machines, 3)
    now = listener.captures([*machines, *sources], 1)
    return locator.locate_several(LocateJob(now, quiet, TEMPERATURE_K, next(GENERATION)), most)


@pytest.mark.parametrize("at", [FAN, (0.3, 1.2, 1.0), (2.6, 2.05, 1.65), (2.2, 1.9, 0.33)])
def test_a_sound_thirty_centimetres_inside_is_no_leak(at: tuple[float, float, float]) -> None:
    (told,) = verdicts(Source(at))
    assert isinstance(told, NoFix)
    assert told.reason is Reason.OFF_HULL
    place = told.candidates[0]
    # Positions are exact: what is left is the search's step of 2 mm where the solution is not taken.
    assert np.linalg.norm(np.subtract(place.position_m, at)) < 0.01
    assert f"from inside the room near ({at[0]:.2f}" in told.explanation
    depth_cm = 100 * min(*at, *np.subtract((3.0, 2.4, 2.0), at))
    assert f"{depth_cm:.0f} cm from the wall" in told.explanation
    assert place.probability is not None
    assert sum(c.probability or 0.0 for c in told.candidates) + told.elsewhere == pytest.approx(1.0)


# At an edge, in a corner, beside a node, half a metre from the machine of the baseline.
ON_THE_HULL = [(0.0, 0.02, 1.0), (2.99, 2.39, 2.0), (0.0, 0.3, 0.35), (2.6, 1.2, 2.0)]


@pytest.mark.parametrize("sigma_m", [0.0, 0.002, 0.005])
def test_a_leak_on_the_hull_is_never_taken_for_a_machine(sigma_m: float) -> None:
    survey = SITE.survey.model_copy(update={"microphone_sigma_m": max(sigma_m, 0.002)})
    locator = Locator(replace(SITE, survey=survey), ROOM, Settings())
    machine = Source((2.7, 1.1, 1.5), 0.5)
    for seed, at in enumerate(ON_THE_HULL):
        told, *_ = verdicts(
            Source(at), machines=[machine], locator=locator, site=shaken(SITE, sigma_m, seed), seed=seed, most=1
        )
        assert isinstance(told, Fix), (at, told)
        assert np.linalg.norm(np.subtract(told.position_m, at)) < max(told.radius95_m, 3 * sigma_m)


def test_a_leak_is_found_beneath_a_louder_sound_inside() -> None:
    found, *_ = verdicts(Source(LEAK, 0.7), Source(FAN, 1.0))
    assert isinstance(found, Fix)
    assert np.linalg.norm(np.subtract(found.position_m, LEAK)) < 0.01


def test_a_machine_of_the_baseline_that_is_louder_now_is_known() -> None:
    listener = Listener(SITE, np.random.default_rng(3))
    quiet, now = listener.captures([Source(FAN, 0.3)], 4), listener.captures([Source(FAN, 0.6)], 2)
    (told,) = LOCATOR.locate_several(LocateJob(now, quiet, TEMPERATURE_K, next(GENERATION)), 3)
    assert isinstance(told, NoFix)
    assert told.reason in {Reason.EQUIPMENT, Reason.TOO_QUIET}


def test_one_node_cannot_tell_the_depth_and_does_not_claim_to() -> None:
    """Bearings of four microphones 10 cm apart: 2 mm of survey are metres of distance."""
    alone = array_site(BOX, {"A": (0.3, 0.3, 0.3)})
    (told, *_) = verdicts(Source(LEAK), site=alone, locator=Locator(alone, ROOM, Settings()))
    assert isinstance(told, Fix)


def test_noise_alone_is_too_quiet_inside_as_well() -> None:
    (told,) = verdicts(seed=4)
    assert isinstance(told, NoFix)
    assert told.reason is Reason.TOO_QUIET


def test_the_room_is_searched_ever_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []
    best = VolumeSearch.best
    # Where nothing near the hull's best place can be solved, the room is searched.
    monkeypatch.setattr(inside, "attempt", lambda *_: CONTRADICTED)

    def counted(self: VolumeSearch, functions: Sequence[Correlations], speed_m_s: float, tolerance_m: float) -> object:
        searched.append(1)
        return best(self, functions, speed_m_s, tolerance_m)

    monkeypatch.setattr(VolumeSearch, "best", counted)
    listener, locator, generation = Listener(SITE, np.random.default_rng(5)), Locator(SITE, ROOM, Settings()), 77
    counts = []
    for _ in range(5):
        locator.locate(LocateJob((listener.capture([Source(FAN, 0.5)]),), (), TEMPERATURE_K, generation))
        counts.append(len(searched))
    assert counts == [1, 2, 2, 3, 3]  # at 1, 2 and 4 bursts


def test_two_leaks_are_two_fixes_with_probabilities_of_their_own() -> None:
    other = (2.0, 0.0, 1.0)
    told = verdicts(Source(LEAK, 0.7), Source(other, 0.5), most=2)
    assert [isinstance(one, Fix) for one in told] == [True, True]
    for fix in told:
        assert isinstance(fix, Fix)
        assert min(np.linalg.norm(np.subtract(fix.position_m, at)) for at in (LEAK, other)) < 0.01
        assert fix.probability > 0.9
        assert sum(c.probability or 0.0 for c in fix.candidates) + fix.elsewhere == pytest.approx(1.0)
    first, second = (one.position_m for one in told if isinstance(one, Fix))
    assert np.linalg.norm(np.subtract(first, second)) > 1.0


def test_one_leak_is_no_more_than_one() -> None:
    for seed, at in enumerate(ON_THE_HULL[:2]):
        assert sum(isinstance(one, Fix) for one in verdicts(Source(at, 2.0), seed=seed)) == 1


def test_two_explanations_of_one_sound_are_not_two_leaks() -> None:
    centres = {"A": (0.3, 0.3, 1.0), "B": (2.7, 0.4, 1.0), "C": (0.4, 2.1, 1.0)}
    square = np.array([[-1, -1, 0], [-1, 1, 0], [1, -1, 0], [1, 1, 0]]) * 0.035
    flat = array_site(BOX, centres, shape=square)
    (told,) = verdicts(Source((1.2, 1.0, 2.0)), site=flat, locator=Locator(flat, ROOM, Settings()))
    assert isinstance(told, NoFix)
    assert told.reason is Reason.AMBIGUOUS
