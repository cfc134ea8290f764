"""Evidence about compartments from sound and from the size of the leak: log-likelihoods for a belief.

Sound is told anew again and again out of the same bursts, so whoever keeps a belief takes the newest instead of the
older, never both.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from controller.isolate.belief import CONDUCTANCES_M3_S, Floats

MOST_SURE = 0.98  # of a fix: machines have been taken for leaks
SILENT_LEAKS = 0.5  # cracks are laminar and make no ultrasound: silence where one listens halves the odds, no more
HATCHWAY_DB = 15.0  # ultrasound loses so much, or more, through an open hatch
LEVEL_SIGMA_DB = 10.0  # how far a level strays from that: racks, beams, where in the room it is
LOUDEST_DB, LEVEL_STEP_DB = 60.0, 3.0  # of a leak above the noise floor; between levels tried
LEAST_RELATIVE_SIGMA = 0.1  # of a conductance: half of it is the volume
OUTSIDE = 0.01  # a fall of one volume with the leak in another: a hatch that is not tight, a sensor that lies


def no_evidence(rooms: tuple[str, ...]) -> Floats:
    """What changes nothing."""
    return np.zeros((len(rooms) + 1, 1))


def fix_evidence(rooms: tuple[str, ...], compartment: str, probability: float) -> Floats:
    """Sound was located in `compartment`, right with `probability` if all rooms are alike beforehand.

    The ratio of likelihoods that turns even odds among the rooms into that probability; sound is no evidence that
    nothing leaks, as a fix that is not the leak's is a machine's in any room: none has the likelihood of the others.
    """
    if compartment not in rooms or len(rooms) < 2:
        return no_evidence(rooms)
    probability = min(max(probability, 1.0 / len(rooms)), MOST_SURE)
    log = np.full((len(rooms) + 1, 1), np.log((1.0 - probability) / (len(rooms) - 1)))
    log[rooms.index(compartment)] = np.log(probability)
    return log


def silence_evidence(rooms: tuple[str, ...], listened: Iterable[str]) -> Floats:
    """Nothing is heard in the compartments that are listened to, whose machines do not drown it out."""
    log = no_evidence(rooms)
    for room in listened:
        if room in rooms:
            log[rooms.index(room)] = np.log(SILENT_LEAKS)
    return log


def loudness_evidence(
    rooms: tuple[str, ...], rises_db: Mapping[str, float], passages: Iterable[tuple[str, str]]
) -> Floats:
    """How far the sound stands above the floor (dB) in compartments that hear; `passages` are the open hatches.

    A leak of unknown level L, in steps from 0 to LOUDEST_DB, is heard as L in its own compartment and HATCHWAY_DB less
    for each hatchway on the way, within LEVEL_SIGMA_DB; not below the floor. Fewer than two compartments that hear say
    nothing: the level is unknown.
    """
    heard = {room: max(rise, 0.0) for room, rise in rises_db.items() if room in rooms}
    if len(heard) < 2 or max(heard.values()) <= 0.0:
        return no_evidence(rooms)
    steps = _hatchways(rooms, tuple(passages))
    level_db = np.arange(0.0, LOUDEST_DB + LEVEL_STEP_DB, LEVEL_STEP_DB)
    columns = [rooms.index(room) for room in heard]
    expected = np.maximum(level_db[:, None] - HATCHWAY_DB * steps[:, None, columns], 0.0)
    off = (np.array(list(heard.values())) - expected) / LEVEL_SIGMA_DB
    log = no_evidence(rooms)
    log[:-1, 0] = np.log(np.mean(np.exp(-0.5 * np.sum(off**2, axis=2)), axis=1) + 1e-6)
    log[-1, 0] = np.log(np.mean(np.exp(log[:-1, 0])))  # a machine may sound anywhere
    return log


def size_evidence(rooms: tuple[str, ...], falling: Iterable[str], conductance_m3_s: float, sigma_m3_s: float) -> Floats:
    """The volume of the rooms `falling` loses gas through `conductance_m3_s`, one sigma beside it.

    It says how much leaks and not whether: the likelihood of each room averages 1 over the conductances, as none's.
    """
    sigma = max(sigma_m3_s, LEAST_RELATIVE_SIGMA * conductance_m3_s, 1e-12)
    log = -0.5 * ((CONDUCTANCES_M3_S - max(conductance_m3_s, 0.0)) / sigma) ** 2
    log -= np.log(np.mean(np.exp(np.maximum(log - log.max(), -700.0)))) + log.max()
    row = np.maximum(log, -700.0)
    evidence = np.zeros((len(rooms) + 1, CONDUCTANCES_M3_S.size))
    inside = set(falling)
    for place, room in enumerate(rooms):
        evidence[place] = row if room in inside else np.log(OUTSIDE)
    return evidence


def _hatchways(rooms: tuple[str, ...], passages: tuple[tuple[str, str], ...]) -> Floats:
    """Hatchways (rooms, rooms) on the shortest way; many more than there are where there is no way."""
    steps = np.full((len(rooms), len(rooms)), float(len(rooms) + 1))
    np.fill_diagonal(steps, 0.0)
    for one, other in passages:
        i, k = rooms.index(one), rooms.index(other)
        steps[i, k] = steps[k, i] = 1.0
    for via in range(len(rooms)):
        steps = np.minimum(steps, steps[:, via, None] + steps[None, via, :])
    return steps
