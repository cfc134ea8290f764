"""What makes noise on a site and who may silence it, and the motors of hatches; relays themselves are fittings'."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from firmware_bridge.site.fittings import Equipment, equipment_of
from firmware_bridge.site.schema import SiteTable


@dataclass(frozen=True, slots=True)
class Machine:
    """A piece of equipment that sounds while it works; `switch` is the relay that takes its power, where one does.

    `noise_db` is its sound in 20 to 100 kHz at 1 m, dB re 20 uPa; None where nobody measured it. `commanded` says that
    the controller may switch it by itself.
    """

    name: str
    compartment: str
    position_m: tuple[float, float, float] | None
    noise_db: float | None
    may_switch_off: bool
    commanded: bool
    switch: Equipment | None


def switches_of(table: SiteTable) -> Mapping[str, Equipment]:
    """Every relay output of the site, by name."""
    return {switch.name: switch for node in table.nodes for switch in equipment_of(node)}


def machines_of(table: SiteTable) -> tuple[Machine, ...]:
    """The site's noisy equipment, in the file's order."""
    switches = switches_of(table)
    return tuple(
        Machine(
            e.name,
            e.compartment,
            e.position_m,
            e.noise_db,
            e.may_switch_off,
            e.may_switch_off and e.may_command,
            switches.get(e.switch or ""),
        )
        for e in table.equipment
    )


def machine_problems(table: SiteTable) -> list[str]:
    """Equipment and motors that name what is not there, or contradict themselves."""
    rooms = {room.name for room in table.compartments}
    switches = switches_of(table)
    known = ", ".join(sorted(switches)) or "none"
    problems = [
        f"equipment[].name {name!r} is used {times} times; each must be unique"
        for name, times in Counter(e.name for e in table.equipment).items()
        if times > 1
    ]
    for i, piece in enumerate(table.equipment):
        key = f"equipment[{i}] ({piece.name})"
        if piece.compartment not in rooms:
            problems.append(f"{key}.compartment: no compartment {piece.compartment!r}; known are {_listed(rooms)}")
        if piece.switch is not None and piece.switch not in switches:
            problems.append(f"{key}.switch: no node has a switch {piece.switch!r}; known are {known}")
        if piece.may_command and not piece.may_switch_off:
            problems.append(f"{key}: may_command without may_switch_off; add the latter, or leave the former out")
        if piece.may_command and piece.switch is None:
            problems.append(f"{key}: may_command, but no `switch` to do it with; name the node's switch")
    motors = Counter(hatch.motor for hatch in table.hatches if hatch.motor is not None)
    powered = {piece.switch for piece in table.equipment}
    for name, times in motors.items():
        if name not in switches:
            problems.append(f"hatches[].motor: no node has a switch {name!r}; known are {known}")
        if times > 1:
            problems.append(f"hatches[].motor: {name!r} moves {times} hatches; each needs a switch of its own")
        if name in powered:
            problems.append(f"hatches[].motor: {name!r} is also the switch of equipment; one relay cannot be both")
    return problems


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
