"""The queries of the plugins module: none yet."""
