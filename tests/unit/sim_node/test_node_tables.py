"""Tables of nodes: parts give defaults, and keys win."""

import pytest

from firmware_bridge.declared import parse_declared
from firmware_bridge.errors import DeclaredFileError
from sim.scenario.nodes import ArraysTable, BarometersTable, ContactsTable, StreamsTable
from sim.scenario.parts import BAROMETERS, CONTACTS, MICROPHONES


@pytest.mark.parametrize("part", BAROMETERS)
def test_every_barometer_is_known_to_its_table(part: str) -> None:
    table = parse_declared({"part": part}, "test", BarometersTable)
    assert table.noise_pa == BAROMETERS[part]["noise_pa"]
    assert table.noise_pa > 0.0
    assert parse_declared({"part": part, "noise_pa": 7.0}, "test", BarometersTable).noise_pa == 7.0


@pytest.mark.parametrize("part", MICROPHONES)
def test_every_microphone_is_known_to_its_table(part: str) -> None:
    assert parse_declared({"part": part}, "test", ArraysTable).overload_db == MICROPHONES[part]["overload_db"]


@pytest.mark.parametrize("part", CONTACTS)
def test_every_contact_sensor_is_known_to_its_table(part: str) -> None:
    assert parse_declared({"part": part}, "test", ContactsTable).full_scale_m_s == CONTACTS[part]["full_scale_m_s"]


def test_an_unknown_part_is_refused_by_name() -> None:
    with pytest.raises(DeclaredFileError, match="part"):
        parse_declared({"part": "bmp999"}, "test", BarometersTable)


def test_a_band_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(DeclaredFileError, match="40 to 20 kHz"):
        parse_declared({"bands_khz": ((40.0, 20.0),)}, "test", StreamsTable)
