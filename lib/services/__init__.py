"""Services: where they are, whose key goes there, the official client for them, and what their refusals mean."""
