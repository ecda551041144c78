"""The survey: one pass over a file, after which all about its examples can be told without reading it again."""
