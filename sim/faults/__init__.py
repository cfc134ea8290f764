"""What fails in a scenario: off, stuck, garbage, wrong, slow, delayed, intermittent; seeded, in virtual time, no I/O.

Carrying it out is up to `sim/plant` for sensors and nodes, and to `sim/attach` for lines.
"""
