"""Quiet windows: what to silence, for how long, what the quiet showed. Others ask for it, and switch."""
