"""The rules of the check, by what they are about. Each is one small function from a case to findings."""
