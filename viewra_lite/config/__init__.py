"""Configuration: every option, and the sources that it is read from."""
