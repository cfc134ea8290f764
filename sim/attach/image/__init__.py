"""Firmware images beside the simulator: real node programs whose clock, sensors and line the plant moves."""
