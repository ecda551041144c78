"""Everything that must last: one SQLite database and the files beside it, under one home folder."""
