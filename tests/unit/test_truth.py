"""Tables of leaks and what becomes of them: the truth for scoring, and the leaks of the plant."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firmware_bridge.declared import parse_declared
from firmware_bridge.errors import DeclaredFileError
from sim.plant.leaks import drawn_leaks
from sim.scenario.leaks import CrackTable, HoleTable, RaggedTable, SealTable
from sim.scenario.scenario import ScenarioTable
from sim.truth import true_leaks
from sim.world.leak.hole import Hole
from sim.world.leak.leak import SHUT
from sim.world.leak.seal import Seal

SHIPPED = Path(__file__).parents[2] / "configs" / "scenarios" / "ms09-2018.toml"
COMMON: dict[str, Any] = {"compartment": "orbital-module", "position_m": [1.0, 0.0, -1.1], "opens_at_s": 90.0}
HOLE = {"name": "drilled", "diameter_mm": 2.0, **COMMON}
RAGGED = {"name": "torn", "kind": "ragged", "diameter_mm": 3.0, "covered_share": 0.5, **COMMON}
CRACK = {"name": "crack", "kind": "crack", "length_mm": 45.0, "width_um": 12.4, "depth_mm": 1.5, **COMMON}
SEAL = {"name": "seal", "kind": "seal", "length_mm": 500.0, "width_um": 40.0, "depth_mm": 4.0, **COMMON} | {
    "opens_over_s": 600.0
}


def scenario(*leaks: dict[str, Any]) -> ScenarioTable:
    """The shipped scenario with other leaks."""
    tables = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    return parse_declared(tables | {"leaks": list(leaks)}, "test", ScenarioTable)


def test_the_shipped_leak() -> None:
    tables = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    (leak,) = true_leaks(parse_declared(tables, "test", ScenarioTable))
    assert leak.kind == "hole"
    assert leak.diameter_m == pytest.approx(2e-3)
    assert leak.effective_area_m2 == pytest.approx(0.85 * np.pi * 1e-6)
    # 55.0 kg/day at 1013.25 hPa, less by the ratio of pressures
    assert leak.mass_flow_kg_s * 86_400.0 == pytest.approx(55.0 * 993.3 / 1013.25, rel=1e-3)
    assert leak.sealed_at_s is None
    assert leak.opening.open_intervals == ((90.0, None),)


def test_every_kind_by_its_name() -> None:
    declared = scenario(HOLE, RAGGED, CRACK, SEAL)
    assert [type(table) for table in declared.leaks] == [HoleTable, RaggedTable, CrackTable, SealTable]
    hole, ragged, crack, seal = true_leaks(declared)
    assert [leak.kind for leak in (hole, ragged, crack, seal)] == ["hole", "ragged", "crack", "seal"]
    assert ragged.effective_area_m2 == pytest.approx(0.6 * 0.5 * np.pi / 4.0 * 9e-6)
    assert ragged.diameter_m == pytest.approx(3e-3 * np.sqrt(0.5 * 0.6 / 0.85))
    # the flow of a narrow slot goes as the pressure squared, less a little for slip and end
    assert crack.mass_flow_kg_s * 86_400.0 == pytest.approx(1.4 * (993.3 / 1013.25) ** 2, rel=0.02)
    assert crack.level_db < 0.0 < 60.0 < hole.level_db
    assert crack.reynolds < 50.0 < 2e4 < hole.reynolds
    assert seal.opening.share(390.0) == pytest.approx(0.5)


def test_a_life_of_a_leak() -> None:
    later = [{"at_s": 300.0, "over_s": 20.0, "share": 0.5}, {"at_s": 400.0, "share": 0.0}]
    sealed = {"sealed_at_s": 200.0, "sealed_over_s": 10.0, "sealed_share": 0.1}
    (leak,) = true_leaks(scenario(HOLE | sealed | {"opens_over_s": 5.0, "later": later}))
    assert leak.opening.edges == (90.0, 95.0, 200.0, 210.0, 300.0, 320.0, 400.0)
    shares = [leak.opening.share(at_s) for at_s in (89.0, 92.5, 100.0, 205.0, 250.0, 310.0, 350.0, 400.0)]
    assert shares == pytest.approx([0.0, 0.5, 1.0, 0.55, 0.1, 0.3, 0.5, 0.0])
    assert leak.opening.open_intervals == ((90.0, 400.0),)


def test_the_plant_draws_one_offset_a_leak() -> None:
    declared = scenario(HOLE | {"level_spread_db": 3.0}, SEAL, HOLE | {"name": "other", "level_spread_db": 1.0})
    first, seal, other = drawn_leaks(declared, np.random.default_rng(5))
    drawn = np.random.default_rng(5).standard_normal(3)
    assert isinstance(first.leak, Hole)
    assert isinstance(other.leak, Hole)
    assert first.leak.loudness.level_offset_db == pytest.approx(3.0 * drawn[0])
    assert other.leak.loudness.level_offset_db == pytest.approx(drawn[2])
    assert first.at(89.0) is SHUT
    assert first.at(90.0) == first.leak
    half = seal.at(390.0)
    assert isinstance(half, Seal)
    assert half.width_m == pytest.approx(20e-6)
    assert half.loudness.level_offset_db == 0.0


def test_what_a_scenario_says_of_the_sound_arrives() -> None:
    told = {"efficiency": 1e-3, "inward_share": 0.02, "unsteadiness": 0.05}
    plain, louder = drawn_leaks(scenario(CRACK, CRACK | told | {"name": "louder"}), np.random.default_rng(1))
    gas, at_hz = (101_325.0, 295.15), np.array([40e3])
    ratio = louder.leak.pressure_psd_pa2_hz(at_hz, *gas) / plain.leak.pressure_psd_pa2_hz(at_hz, *gas)
    assert ratio[0] == pytest.approx(20.0)
    ratio = louder.leak.force_psd_n2_hz(at_hz, *gas) / plain.leak.force_psd_n2_hz(at_hz, *gas)
    assert ratio[0] == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("leak", "told"),
    [
        (HOLE | {"kind": "slit"}, "leaks[0]: a leak's kind is one of hole, ragged, crack, seal"),
        (HOLE | {"kind": ["hole"]}, "leaks[0]: a leak's kind is one of"),
        (HOLE | {"kind": "crack"}, "leaks[0].length_mm: missing"),
        (CRACK | {"diameter_mm": 1.0}, "leaks[0].diameter_mm: unknown key"),
        (SEAL | {"opens_over_s": 0.0}, "leaks[0].opens_over_s: input should be greater than 0"),
        (HOLE | {"later": [{"at_s": 80.0, "share": 0.0}]}, "leaks[0].later: at_s 80 is not after the change at 90 s"),
        (HOLE | {"sealed_share": 1.2}, "leaks[0].sealed_share: input should be less than or equal to 1"),
    ],
)
def test_refuses_with_key_and_reason(leak: dict[str, Any], told: str) -> None:
    with pytest.raises(DeclaredFileError) as refused:
        scenario(leak)
    assert told in str(refused.value.remedy)
