"""Alarms: their classes, the one state table, and the policy that turns evidence into conditions. No output here."""
