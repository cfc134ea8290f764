"""Front ends and slow sensors as a scenario's tables describe them: what is drawn stays within what they say."""

import numpy as np
import pytest

from firmware_bridge.declared import parse_declared
from firmware_bridge.units import Quantity
from sim.plant.front_ends import contacts, microphones, slow_sensor
from sim.scenario.nodes import ArraysTable, BarometersTable, ContactsTable, GasSensorsTable


def test_microphones_differ_as_much_as_their_table_says() -> None:
    table = parse_declared({"part": "spu0410lr5h"}, "test", ArraysTable)
    front_end = microphones(table, 400, np.random.default_rng(1), np.random.SeedSequence(2))
    assert np.std(20 * np.log10(front_end.gain)) == pytest.approx(1.5, rel=0.18)  # five sigmas of 1 / sqrt(800)
    at_resonance = front_end.response_power(np.array([1e3, 28e3, 40e3])) / front_end.gain[:, None] ** 2
    level_db = 10 * np.log10(at_resonance)
    assert np.abs(level_db[:, 0]).max() < 0.2
    assert 6.0 < level_db[:, 1].mean() < 9.0  # a little below the peak, as few stand exactly there
    assert 0.3 < level_db[:, 2].std() < 3.0  # beside the resonance, where units differ most


def test_flat_microphones_need_no_filter() -> None:
    assert microphones(ArraysTable(), 4, np.random.default_rng(1), np.random.SeedSequence(2)).responses == ()


@pytest.mark.parametrize(("part", "low_hz", "peak_hz"), [("r15", 20e3, 150e3), ("disc", 2e3, 77e3)])
def test_contact_sensors_hear_best_where_they_should(part: str, low_hz: float, peak_hz: float) -> None:
    table = parse_declared({"part": part, "sensitivity_spread_db": 0.0}, "test", ContactsTable)
    power = contacts(table, 3, np.random.SeedSequence(1)).response_power(np.array([low_hz, peak_hz]))
    assert (power[:, 1] > 0.4).all()
    assert (power[:, 0] < 0.01).all()


def test_a_hatch_sensor_counts_thousandths() -> None:
    sensor = slow_sensor(
        Quantity.HATCH, BarometersTable(), GasSensorsTable(), np.random.default_rng(1), np.random.SeedSequence(1)
    )
    assert sensor.count(0.25, 295.0, 0.0, np.random.default_rng(1)) == 250
