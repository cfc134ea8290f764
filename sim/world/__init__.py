"""Physics of a pressurized hull with a leak: the air, the room, what makes sound and how it is heard.

No node, no wire and no estimator lives here; nothing here reads a clock, a file or a socket.
"""
