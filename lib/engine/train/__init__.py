"""Training one job in a process of its own: `python -m lib.engine.train JOB_DIR`."""
