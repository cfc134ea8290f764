"""Structure-borne sound: plate waves, their ways over the hull, what a contact sensor feels."""
