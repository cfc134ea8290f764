"""The installed site as surveyed: hull, compartments, nodes, sensors, landmarks. Facts only; choices live elsewhere."""
