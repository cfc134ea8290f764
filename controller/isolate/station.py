"""Compartments, hatches and lifeboats as a graph: what hangs together when which hatches are shut. No gas here."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from firmware_bridge.site.survey import Site

Part = frozenset[str]  # compartments that are joined by open hatches


@dataclass(frozen=True, slots=True)
class Passage:
    """A hatch: the two compartments that it joins, and whether a motor moves it."""

    name: str
    between: tuple[str, str]
    motorised: bool = False


@dataclass(frozen=True)
class Station:
    """What the search knows of a site. Compartments are numbered in the order of `rooms`."""

    rooms: tuple[str, ...]
    volumes_m3: tuple[float, ...]
    passages: tuple[Passage, ...]
    lifeboats: frozenset[str]
    normally_shut: frozenset[str] = frozenset()

    @cached_property
    def number(self) -> dict[str, int]:
        """Place of each compartment in `rooms`."""
        return {name: place for place, name in enumerate(self.rooms)}

    @cached_property
    def passage(self) -> dict[str, Passage]:
        """Hatches by name."""
        return {passage.name: passage for passage in self.passages}

    def parts(self, shut: Iterable[str]) -> tuple[Part, ...]:
        """The separate volumes while the hatches named in `shut` are, in the order of their first compartment."""
        shut = frozenset(shut)
        leader = list(range(len(self.rooms)))

        def lead(place: int) -> int:
            while leader[place] != place:
                leader[place] = leader[leader[place]]
                place = leader[place]
            return place

        for passage in self.passages:
            if passage.name not in shut:
                one, other = (lead(self.number[end]) for end in passage.between)
                leader[max(one, other)] = min(one, other)
        joined: dict[int, list[str]] = {}
        for place, name in enumerate(self.rooms):
            joined.setdefault(lead(place), []).append(name)
        return tuple(frozenset(names) for names in joined.values())

    def part_of(self, room: str, shut: Iterable[str]) -> Part:
        """The volume that `room` belongs to; KeyError where there is no such room."""
        place = self.number[room]
        return next(part for part in self.parts(shut) if self.rooms[place] in part)

    def volume_m3(self, part: Iterable[str]) -> float:
        """Volume of some compartments together."""
        return sum(self.volumes_m3[self.number[room]] for room in part)

    def crewed(self, part: Part) -> bool:
        """Whether people may be in `part`: they stay where a lifeboat is (anywhere, if none is declared)."""
        return not self.lifeboats or bool(part & self.lifeboats)


def station_of(site: Site) -> Station:
    """The search's view of a surveyed site."""
    return Station(
        rooms=tuple(room.name for room in site.compartments),
        volumes_m3=tuple(room.volume_m3 for room in site.compartments),
        passages=tuple(Passage(hatch.name, hatch.between, hatch.motor is not None) for hatch in site.hatches),
        lifeboats=frozenset(room.name for room in site.compartments if room.lifeboat_seats),
        normally_shut=frozenset(hatch.name for hatch in site.hatches if not hatch.normally_open),
    )
