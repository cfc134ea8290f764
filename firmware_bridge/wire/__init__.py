"""Bytes and their meaning: frames, reports, commands. No I/O and no clock. The normative text is docs/protocol.md."""
