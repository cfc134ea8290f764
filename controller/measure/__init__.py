"""Detections and blocks -> measurements with sigma: cross-spectra, delays, leak size. Positions are found elsewhere."""
