"""The simulated rig as one machine: the world and its nodes, stepped by an outside clock."""
