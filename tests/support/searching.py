"""A small station to search: a line of four compartments, the lifeboat at the second, barometers in three of them."""

from controller.isolate.falls import Barometer, Drop
from controller.isolate.station import Passage, Station

PRESSURE_PA = 97_330.0
STATION = Station(
    rooms=("tunnel", "home", "store", "rest"),
    volumes_m3=(7.0, 82.0, 72.0, 755.0),
    passages=(
        Passage("a", ("tunnel", "home")),
        Passage("b", ("home", "store")),
        Passage("c", ("store", "rest")),
    ),
    lifeboats=frozenset({"home"}),
)
BAROMETERS = tuple(Barometer(f"p-{room}", room, PRESSURE_PA, 0.2) for room in ("tunnel", "home", "rest"))


def drops(**fallen_pa: float) -> tuple[Drop, ...]:
    """What each barometer lost; 0 where nothing is said."""
    return tuple(Drop(barometer, fallen_pa.get(barometer.room, 0.0)) for barometer in BAROMETERS)
