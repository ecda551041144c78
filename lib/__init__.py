"""Etude: everything the pages do, without a browser. See README for the map of the house."""
