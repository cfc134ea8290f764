"""Speed and accuracy, measured: `make bench`."""
