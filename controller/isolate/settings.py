"""What the owner of a site may choose about the search by hatches; what follows from it is computed elsewhere."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """How sure to be, how long a hatch may stay shut, and how restless the gas is.

    Args:
        error_rate: of telling a fall from none, at the end of a watch.
        sure: the probability at which a compartment is named.
        jam_mmhg: most difference across a shut hatch. Half of what the pressure loses in the time of a 1 mmHg drop
            (ESA, "Outpost 42" log of the Futura mission, L-286: a hatch stays shut at most half of that time).
        haven_reserve_s: below this reserve time nobody searches any more (the crew's rule is 10 minutes).
        operation_s: to go to a hatch and open or shut it by hand.
        motor_s: the same for a hatch with a motor.
        settle_s: after a hatch has moved, until the pressures of what it joins are quiet.
        random_walk_pa2_s: weather of the cabin, variance of pressure a second; as in pressure detection.
        own_weather: the share of that variance which a compartment has for itself once its hatches are shut. No figure
            is published; a tenth means that separated compartments mostly feel the same outside.
        unexplained_kg_day: gas that people and machines on the lifeboats' side may use or make unseen, one sigma.
        volume_sigma: how well volumes are known, relative.
        no_leak: the probability before any hatch was shut that the fall is no leak from these compartments.
        command_hatches: whether hatches with motors are moved during a search without asking.
        command_quiet: whether equipment that the site lets the controller switch is switched off to listen.
    """

    error_rate: float = 0.005
    sure: float = 0.98
    jam_mmhg: float = 0.5
    haven_reserve_s: float = 600.0
    operation_s: float = 120.0
    motor_s: float = 20.0
    settle_s: float = 15.0
    random_walk_pa2_s: float = 0.09
    own_weather: float = 0.5
    unexplained_kg_day: float = 0.3
    volume_sigma: float = 0.1
    no_leak: float = 0.02
    command_hatches: bool = True
    command_quiet: bool = True
