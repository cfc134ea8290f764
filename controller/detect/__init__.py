"""Blocks -> detections: band levels, noise floors, onsets, pressure trends. Where it leaks is not asked here."""
