"""The routes of the protocol, one file for each kind of thing: what is asked, and what is answered."""
