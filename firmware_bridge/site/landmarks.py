"""How people say where something is: "0.12 m aft of the toilet panel". Pure geometry and words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

AT_LANDMARK_M = 0.03
SECOND_DIRECTION_SHARE = 0.4  # a second direction is named when it is at least this share of the first
PREPOSITIONS = {  # of the words for a direction, those that are said without "of", or otherwise
    "above": "above",
    "below": "below",
    "up": "above",
    "down": "below",
    "over": "over",
    "under": "under",
    "beneath": "beneath",
    "front": "in front of",
    "back": "behind",
    "behind": "behind",
    "before": "before",
    "beyond": "beyond",
}
ADVERBS = {"deck": "toward the deck", "overhead": "toward the overhead"}  # said otherwise than as a name of a side


@dataclass(frozen=True, slots=True)
class Landmark:
    """Something people can point at, in the site frame."""

    name: str
    position_m: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Directions:
    """Words for the negative and positive direction of x, y and z."""

    x: tuple[str, str]
    y: tuple[str, str]
    z: tuple[str, str]


def describe_position(position_m: Sequence[float], landmarks: Sequence[Landmark], directions: Directions) -> str | None:
    """Where `position_m` is, told from the nearest landmark; None where the site has none."""
    if not landmarks:
        return None
    offsets = np.asarray(position_m) - np.array([mark.position_m for mark in landmarks])
    distances = np.linalg.norm(offsets, axis=1)
    nearest = int(distances.argmin())
    name = landmarks[nearest].name
    if distances[nearest] < AT_LANDMARK_M:
        return f"at the {name}"
    offset = offsets[nearest]
    words = (directions.x, directions.y, directions.z)
    order = np.argsort(-np.abs(offset))
    named = [
        (f"{abs(offset[axis]):.2f} m", words[axis][int(offset[axis] > 0)])
        for axis in order[:2]
        if abs(offset[axis]) >= SECOND_DIRECTION_SHARE * abs(offset[order[0]])
    ]
    return f"{_joined(named)} the {name}"


def _joined(named: Sequence[tuple[str, str]]) -> str:
    """Distances and directions up to the landmark: "0.30 m above and 0.40 m port of"."""
    last_ones = sorted(named, key=lambda part: part[1] not in PREPOSITIONS)  # never "port and above of the panel"
    told = [f"{away} {PREPOSITIONS.get(word) or ADVERBS.get(word, word)}" for away, word in last_ones]
    if last_ones[-1][1] in PREPOSITIONS:
        return " and ".join(told)
    long = any(" " in ADVERBS.get(word, word) for _, word in named if word not in PREPOSITIONS)
    told = [part.removesuffix(" of") for part in told]  # "in front and right of"
    return f"{' and '.join(told)} {'from' if long else 'of'}"  # "toward the deck from"
