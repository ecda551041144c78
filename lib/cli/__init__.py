"""The command line, one file a command. Each has `add`, which describes it, and `run`, which does it."""
