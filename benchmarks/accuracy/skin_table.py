"""How well contact sensors on the skin find a leak: error and stated radius, by hull, skin and what stands on it.

Eight sensors somewhere on a hull of 3 mm of aluminium, a burst of 16,384 samples at 192 kHz, a hole of 2 mm, sensors
surveyed to 3 mm. Run with: python -m benchmarks.accuracy.skin_table [cases]
"""

import sys
from collections import Counter
from typing import Any

import numpy as np

from controller.localize.skin_waves import SkinFix
from controller.localize.verdict import NoFix
from sim.scenario.structure import StructureTable
from tests.support.skin_rig import shaken
from tests.support.tube import BARE

CASES = 4
CONDITIONS: dict[str, dict[str, Any]] = {
    "tube, bare skin": {"structure": BARE},
    "tube, damped, ringing, wraps": {},
    "tube, skin 5 % thinner than told": {"told_m": 0.00315},
    "tube, ribs every 0.5 m": {"structure": StructureTable(rib_spacing_m=0.5)},
    "tube, ribs that turn a fifth of A0 into S0": {
        "structure": StructureTable(rib_spacing_m=0.5, conversion_share=0.2)
    },
    "box": {"shape": "box"},
    "tube, 0.5 mm hole": {"diameter_mm": 0.5},
}


def main(cases: int) -> None:
    """Print the table."""
    print(
        "| condition | fixes | error, median / largest cm | stated 95 % radius, median cm | beyond 3 radii | why not |"
    )
    print("| --- | ---: | --- | ---: | ---: | --- |")
    for name, condition in CONDITIONS.items():
        tried = [shaken(seed, **condition) for seed in range(cases)]
        fixes = [(one, one.verdict) for one in tried if isinstance(one.verdict, SkinFix)]
        why = Counter(one.verdict.reason.value for one in tried if isinstance(one.verdict, NoFix))
        reasons = ", ".join(f"{reason} {count}" for reason, count in why.most_common())
        error = 100 * np.array([one.error_m for one, _ in fixes] or [np.nan])
        radius = 100 * np.array([fix.radius95_m for _, fix in fixes] or [np.nan])
        print(
            f"| {name} | {len(fixes)} / {cases} | {np.median(error):.1f} / {error.max():.1f} | {np.median(radius):.1f} "
            f"| {np.sum(error > 3 * radius)} | {reasons} |",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CASES)
