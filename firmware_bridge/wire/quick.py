"""Making many frozen values fast, where a line may say half a million a second. What they mean is others'.

A frozen dataclass sets each field through `object.__setattr__`, which takes most of the time of decoding a small frame.
Its twin here has the same slots and is not frozen; once filled, it is told that it is the frozen one:

    made = open_packet(kind, sequence, ...)
    made.__class__ = Packet

which costs a quarter (`python -m benchmarks wire`). Nobody ever sees it open.
"""

from dataclasses import fields, make_dataclass
from typing import Any


def twin_of(kind: type) -> Any:  # noqa: ANN401 - a class that is made here
    """A class with the slots of the frozen dataclass `kind`, in their order, that takes all fields by place."""
    names = [field.name for field in fields(kind)]
    return make_dataclass(f"Open{kind.__name__}", names, slots=True, eq=False, repr=False)
