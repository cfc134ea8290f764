"""Measurements -> a verdict: Fix or NoFix(reason). What to do about it is decided elsewhere."""
