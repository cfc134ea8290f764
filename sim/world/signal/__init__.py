"""Band-limited signals on the grid of absolute time: what airborne and structure-borne sound are made of."""
