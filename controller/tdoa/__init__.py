"""Positions and bearings from tables of time differences of arrival, for people who have delays only."""
