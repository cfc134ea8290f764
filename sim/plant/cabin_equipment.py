"""The equipment of a scenario as the world's gas knows it: fills, people, scrubbers, supplies, bottles, valves.

When it is switched is the business of `gas`.
"""

from firmware_bridge.errors import DeclaredFileError
from firmware_bridge.units import PA_PER_HPA, S_PER_DAY, celsius_to_kelvin
from sim.scenario.gas import AirTable, CrewTable, FillTable, GasName, ScrubberTable, SupplyTable
from sim.world.gas.life_support import Condenser, Crew, Exchange, Feed, Regulator, Scrubber
from sim.world.gas.species import Fill, Species, air

LITRES_PER_M3 = 1000.0
REGULATOR_BAND_HPA = 2.0  # how far a regulator feeds up where nothing is said
# By mass, dry air without argon: 23.3 % oxygen
MIXTURES: dict[GasName, tuple[float, float, float, float]] = {
    "nitrogen": (1.0, 0.0, 0.0, 0.0),
    "oxygen": (0.0, 1.0, 0.0, 0.0),
    "air": (0.767, 0.233, 0.0, 0.0),
}


def air_of(table: AirTable) -> Fill:
    """The air that compartments start with.

    Raises:
        DeclaredFileError: oxygen, carbon dioxide and vapour are more than the pressure.
    """
    try:
        return air(
            table.pressure_pa,
            table.temperature_k,
            oxygen_pa=table.oxygen_partial_hpa * PA_PER_HPA,
            carbon_dioxide_pa=table.carbon_dioxide_hpa * PA_PER_HPA,
            relative_humidity=table.relative_humidity,
        )
    except ValueError as error:
        raise DeclaredFileError("the scenario's air cannot be", remedy=f"{error}; mend [air]") from error


def fill_of(table: FillTable, usual: Fill) -> Fill:
    """What a compartment starts with that differs from the rest: the usual mixture at its own pressure."""
    ratio = table.pressure_hpa * PA_PER_HPA / usual.pressure_pa
    nitrogen, oxygen, carbon_dioxide, water = (partial * ratio for partial in usual.partial_pa)
    temperature_k = usual.temperature_k if table.temperature_c is None else celsius_to_kelvin(table.temperature_c)
    return Fill(temperature_k, (nitrogen, oxygen, carbon_dioxide, water))


def crew_of(table: CrewTable) -> Crew:
    """The people of one compartment."""
    return Crew(table.count, table.oxygen_kg_day, table.carbon_dioxide_kg_day, table.water_kg_day, table.heat_w)


def scrubber_of(table: ScrubberTable) -> Exchange:
    """A bed, or a condenser."""
    flow_m3_s = table.flow_l_s / LITRES_PER_M3
    if table.removes == "water":
        return Condenser(flow_m3_s, celsius_to_kelvin(table.coil_c), table.efficiency)
    return Scrubber(flow_m3_s, table.efficiency)


def supply_of(table: SupplyTable) -> Feed | Regulator:
    """A steady feed, or a regulator."""
    kg_s, temperature_k = table.kg_day / S_PER_DAY, celsius_to_kelvin(table.temperature_c)
    if table.below_hpa is None:
        return feed_of(table.gas, kg_s, temperature_k)
    until_hpa = table.below_hpa + REGULATOR_BAND_HPA if table.until_hpa is None else table.until_hpa
    species = Species.OXYGEN if table.gas == "oxygen" else Species.NITROGEN
    return Regulator(table.below_hpa * PA_PER_HPA, until_hpa * PA_PER_HPA, kg_s, temperature_k, species)


def feed_of(gas: GasName, kg_s: float, temperature_k: float) -> Feed:
    """`kg_s` of a gas out of a bottle."""
    nitrogen, oxygen, carbon_dioxide, water = (kg_s * share for share in MIXTURES[gas])
    return Feed((nitrogen, oxygen, carbon_dioxide, water), temperature_k)
