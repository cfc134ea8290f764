"""leaksim, the command line: parsing and printing only, one file a group of commands."""
