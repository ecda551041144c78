"""Jobs: what will be sent, sending it exactly once, following it into the workspace, and what its curves mean."""
