"""The twin of a sensor node: its crystal, its transducers, its firmware. Sans-I/O; time is true time in ns."""
