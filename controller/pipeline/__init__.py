"""The whole decision: step(now, events) -> outcome. No I/O, no clock; the same events give the same decisions."""
