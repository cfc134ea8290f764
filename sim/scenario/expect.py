"""Table of what a controller that is right would say in a scenario: what scores are held against."""

from typing import Annotated, Literal

from pydantic import Field

from firmware_bridge.declared import Declared

AlarmClass = Literal["none", "advisory", "caution", "warning", "emergency"]


class ExpectTable(Declared):
    """The right answers, as far as the scenario's end allows them to be known.

    `fix`: "right" = a fix within `fix_within_m` of a leak and none elsewhere; "none" = any fix is wrong (a leak that
    makes no sound, or no leak); "any" = a right one is welcome, a wrong one is wrong, none is fine.
    `leak_alarm`: the least class that a leak alarm must reach ("none": none is needed); `at_most`: the highest that is
    right ("none": any is wrong).
    """

    fix: Literal["right", "none", "any"] = "right"
    fix_within_m: Annotated[float, Field(gt=0, le=10)] = 0.10
    leak_alarm: AlarmClass = "advisory"
    at_most: AlarmClass = "emergency"


class SmallTable(Declared):
    """The scenario cut short, for a quick look and for automatic tests; what is right is the same unless it says so."""

    duration_s: Annotated[float, Field(gt=0, le=3600)]
    expect: ExpectTable | None = None
