"""Which hatch to close next, and what to silence, when sound cannot tell the place; it advises, others act."""
