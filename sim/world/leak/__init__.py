"""Leaks of every kind: what flows out of them, and what of it is heard inside."""
