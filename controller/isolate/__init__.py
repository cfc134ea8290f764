"""Which hatch to close next when sound cannot tell the place; it advises, others act."""
