"""One conversation with one node, without I/O: bytes and times in, events and bytes out."""
