"""What the nodes of a rig would record, written down for offline work, with the truth beside it."""
