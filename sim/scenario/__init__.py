"""A declared fiction: what leaks, sounds, drifts and fails in which site, from one seed. What it does: plant."""
