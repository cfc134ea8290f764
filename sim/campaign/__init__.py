"""Many trials at once: what is to be run, who runs it, what comes out."""
