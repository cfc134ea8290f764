"""Recordings that people bring: reading them, and making a site of a table of microphones. Nothing is located here."""
