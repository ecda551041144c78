"""Example data sets that come with Etude, made by code."""
