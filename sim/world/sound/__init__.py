"""Airborne ultrasound: sources, rooms and the ways between them."""
