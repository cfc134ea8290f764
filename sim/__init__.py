"""How the world behaves: a simulated rig that speaks the wire. Knows nothing of how a controller thinks."""
