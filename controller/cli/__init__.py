"""leakctl: what people type. Parsing and printing only."""
