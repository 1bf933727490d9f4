"""Configuration: the options and the sources that they are read from."""
