"""English made by code: templates and word lists that become conversations without end."""
