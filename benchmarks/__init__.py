"""Speed, measured: `make bench`. Accuracy is tested in tests/statistical."""
