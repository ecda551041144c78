"""Datasets: what an example is; reading, checking, repairing, editing, splitting, keeping versions, exporting."""
