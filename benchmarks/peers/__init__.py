"""What others do, for comparison in the same run."""
