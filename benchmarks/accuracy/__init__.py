"""How near the truth: what is simulated beside what was measured, what is found beside what is true."""
