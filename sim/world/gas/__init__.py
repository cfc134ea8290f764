"""The gas of the cabin: compartments, hatches, what flows, what breathes, and the weather that no leak causes."""
