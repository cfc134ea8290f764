"""Where the simulator plugs in: a virtual node at the end of a terminal, a broker's topics or a memory cable."""
