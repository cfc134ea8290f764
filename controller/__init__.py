"""How we think and act: blocks in, verdicts and alarms out. Knows nodes and sites, nothing of any simulator."""
